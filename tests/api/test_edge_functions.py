"""`/functions/v1/…` as `functions.invoke` meets it: for the service only, JSON only, and an outcome for every token."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg
import pytest

from peerpause.demo.fcm_answers import UNREGISTERED
from peerpause.demo.fcm_standin import FcmStandin
from tests.api.serving import Api, serving
from tests.cast import World, add_certificate, add_device, require_certificate
from tests.servers import Database

PUSH = "/functions/v1/send-push-notifications"
EXPIRY = "/functions/v1/certification-expiry-job"


def message(*tokens: str, **changed: Any) -> dict[str, Any]:
    return {
        "tokens": list(tokens),
        "notification": {"title": "Hei", "body": "Åpne appen."},
        "data": {},
        **changed,
    }


async def test_every_token_has_an_outcome_and_dead_ones_are_retired(database: Database, world: World) -> None:
    with psycopg.connect(database.url) as connection:
        add_device(connection, world.bo, "token-gone")
    async with FcmStandin() as google:
        google.script("token-gone", [UNREGISTERED])
        async with serving(database, fcm_credentials=google.credentials, fcm_endpoint=google.endpoint) as api:
            sent = await api.as_service().post(
                PUSH,
                json=message("token-good", "token-gone", "token-good", data={"mentor": 7, "paused": True}),
            )
        answer = sent.json()
        assert (sent.status_code, sent.headers["Content-Type"]) == (200, "application/json")
        assert (answer["success_count"], answer["failure_count"]) == (1, 1)
        good, gone = answer["results"]
        assert (good["token"], good["success"], good["error"], good["retired"]) == (
            "token-good",
            True,
            None,
            False,
        )
        assert good["message_id"].startswith("projects/")
        assert (gone["success"], gone["error"], gone["retired"]) == (False, "UNREGISTERED", True)
        (arrived,) = [arrival for arrival in google.arrivals if arrival.target == "token-good"]
        assert arrived.message["data"] == {"mentor": "7", "paused": "true"}
    with psycopg.connect(database.url) as connection:
        row = connection.execute("select retired_because from public.device_tokens").fetchone()
    assert row == ("UNREGISTERED",)


async def test_the_certificate_check_pauses_and_answers_its_counts(
    api: Api, world: World, database: Database
) -> None:
    with psycopg.connect(database.url) as connection:
        require_certificate(connection, world.organisation_id)
        add_certificate(connection, world.ada, issued_on=date(2020, 1, 1), expires_on=date(2022, 12, 31))
        add_certificate(connection, world.finn, issued_on=date(2020, 1, 1), expires_on=None)
    ran = await api.as_service().post(EXPIRY)
    assert (ran.status_code, ran.headers["Content-Type"]) == (200, "application/json")
    assert (ran.json()["status"], ran.json()["paused"], ran.json()["errors"]) == ("succeeded", 1, 0)
    again = (await api.as_service().post(EXPIRY, json={})).json()
    assert (again["status"], again["paused"]) == ("succeeded", 0)


async def test_nobody_but_the_service_may_invoke_them(api: Api, world: World) -> None:
    for client in (api.as_visitor(), api.as_(world.ada), api.as_(world.dag), api.as_(world.hal)):
        for path, body in ((PUSH, message("t")), (EXPIRY, {})):
            refused = await client.post(path, json=body)
            assert (refused.status_code, refused.headers["Content-Type"]) == (401, "application/json")
            assert set(refused.json()) == {"error", "code"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        message(),
        message("a b"),
        message("x" * 5000),
        message(*(f"token-{number}" for number in range(501))),
        message("t", notification={"body": "no title"}),
        message("t", data={"nested": {"a": 1}}),
        message("t", data={"from": "reserved"}),
        message("t", data={"long": "x" * 5000}),
        ["t"],
    ],
    ids=lambda body: str(body)[:40],
)
async def test_a_message_that_cannot_be_sent_is_refused_in_words(api: Api, body: Any) -> None:
    refused = await api.as_service().post(PUSH, json=body)
    assert (refused.status_code, refused.headers["Content-Type"]) == (400, "application/json")
    assert isinstance(refused.json()["error"], str)


async def test_a_body_that_is_no_json_is_refused_as_json(api: Api) -> None:
    refused = await api.as_service().post(
        PUSH, content=b"\xff{", headers={"Content-Type": "application/json"}
    )
    assert (refused.status_code, refused.headers["Content-Type"]) == (400, "application/json")
    assert (await api.as_service().get(PUSH)).json() == {
        "error": "This address does not take that method.",
        "code": "method_not_allowed",
    }
