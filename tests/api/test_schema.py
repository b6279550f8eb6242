"""Schemathesis over the whole description, as several people: no answer of 5xx, none that the description does not know."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.serving import SERVICE_KEY, serving, token
from tests.cast import World
from tests.servers import Database

_CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# A stream of events has no end, and has tests of its own.
_ENDLESS = "/v1/events"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("who", ["nobody", "bo", "service"])
async def test_no_request_finds_a_hole_in_the_description(database: Database, world: World, who: str) -> None:
    headers = {
        "nobody": {},
        "bo": {"Authorization": f"Bearer {token(world.bo)}"},
        "service": {"Authorization": f"Bearer {SERVICE_KEY}"},
    }[who]
    async with serving(database) as api:
        await asyncio.to_thread(_try_everything, api.url, headers)


def _try_everything(url: str, headers: dict[str, str]) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    tried = 0
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]  # a description of ours that cannot be read fails here
        if operation.path == _ENDLESS:
            continue
        _try(operation, headers)
        tried += 1
    assert tried > 20


def _try(operation: Any, headers: dict[str, str]) -> None:
    @given(case=operation.as_strategy())
    @settings(
        max_examples=8,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def run(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=_CHECKS)

    run()
