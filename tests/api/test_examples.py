"""The description shows an example of every answer, and each is what its schema says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from prometheus_client import CollectorRegistry

from peerpause.api.app import create_app
from peerpause.telemetry import Metrics
from tests.api.serving import settings


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    app = create_app(
        settings(),
        database_url="postgresql://127.0.0.1:1/nowhere",
        with_worker=False,
        metrics=Metrics(CollectorRegistry()),
    )
    return app.openapi()


def answers(description: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            for status, response in operation["responses"].items():
                for media_type, content in response.get("content", {}).items():
                    yield f"{method} {path} {status} {media_type}", content


def test_every_answer_with_a_body_has_an_example(description: dict[str, Any]) -> None:
    assert [name for name, content in answers(description) if "example" not in content] == []
    assert len(list(answers(description))) > 200


def test_every_example_is_what_its_schema_says(description: dict[str, Any]) -> None:
    wrong = {
        name: [error.message for error in found]
        for name, content in answers(description)
        if (found := list(faults(content["example"], content.get("schema", {}), description)))
    }
    assert wrong == {}


def test_an_example_that_is_wrong_would_be_found(description: dict[str, Any]) -> None:
    schema = {"$ref": "#/components/schemas/StatusAnswer"}
    assert list(faults({"mentor_id": "Ada"}, schema, description))


def test_a_refusals_example_says_the_status_it_stands_under(description: dict[str, Any]) -> None:
    for name, content in answers(description):
        if name.endswith("application/problem+json"):
            assert str(content["example"]["status"]) == name.split()[2], name


def test_answers_without_a_body_are_those_that_have_none(description: dict[str, Any]) -> None:
    bare = {
        status
        for operations in description["paths"].values()
        for operation in operations.values()
        for status, response in operation["responses"].items()
        if "content" not in response
    }
    assert bare == {"204", "304"}


def faults(example: object, schema: dict[str, Any], description: dict[str, Any]) -> Iterator[Any]:
    whole = {**schema, "components": description["components"]}
    yield from Draft202012Validator(whole, format_checker=FormatChecker()).iter_errors(example)
