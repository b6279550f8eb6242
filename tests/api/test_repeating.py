"""A request sent twice with its `Idempotency-Key` is done once, whatever it asks for: on every POST there is."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import psycopg
import pytest

from tests.api.serving import Api, serving
from tests.cast import World, set_status
from tests.servers import Database

WEBHOOKS: Final = "/v1/organisations/{organisation}/webhook-endpoints"


def told(world: World, path: str) -> str:
    return path.format(
        mentor=world.ada.mentor_id,
        organisation=world.organisation_id,
        chapter=world.north.chapter_id,
    )


# Each POST of the description but those the database keeps itself: who sends it, what, and something else under the same key.
REQUESTS: Final[dict[str, tuple[str, Any, Any]]] = {
    "/v1/mentors/pause": ("dag", {"mentor_ids": ["ADA"], "reason": "other"}, {"mentor_ids": ["ADA"], "reason": "travel"}),
    "/v1/mentors/reactivate": ("dag", {"mentor_ids": ["ADA"]}, {"mentor_ids": ["FINN"]}),
    "/v1/expiry-runs": ("bo", {"chapter_ids": ["NORTH"]}, None),
    "/v1/organisations/{organisation_id}/inbound-secret": ("dag", None, {"more": 1}),
    "/functions/v1/send-push-notifications": (
        "service",
        {"tokens": ["t"], "notification": {"title": "x"}},
        {"tokens": ["u"], "notification": {"title": "x"}},
    ),
    "/functions/v1/certification-expiry-job": ("service", None, {"more": 1}),
    "/rest/v1/rpc/{function}": ("ada", {"p_token": "a-device-token", "p_platform": "web"}, {"p_token": "another-token", "p_platform": "web"}),
    "/v1/notifications/{notification_id}/read": ("bo", None, {"more": 1}),
    "/v1/notifications/{notification_id}/acknowledge": ("bo", None, {"more": 1}),
}  # fmt: skip

# Refused without a website that answers, so they are tried elsewhere; nothing but success is kept.
ELSEWHERE: Final = {
    "/v1/organisations/{organisation_id}/webhook-endpoints",
    "/v1/webhook-endpoints/{endpoint_id}/secret",
}
# These keep their key in the transaction of the change: see test_status and tests/database/test_idempotency.
BY_THE_DATABASE: Final = {
    "/v1/mentors/{mentor_id}/pause",
    "/v1/mentors/{mentor_id}/reactivate",
    "/v1/mentors/{mentor_id}/deactivate",
    "/v1/certifications/{mentor_id}/renewals",
}


async def test_every_post_takes_a_key_and_is_tried_here_or_there(api: Api) -> None:
    description = (await api.as_visitor().get("/openapi.json")).json()
    posts = {
        path: {parameter["name"].lower() for parameter in operations["post"].get("parameters", ())}
        for path, operations in description["paths"].items()
        if "post" in operations
    }
    signed = {path for path in posts if path.startswith("/webhooks/")}  # by their webhook-id
    assert set(posts) - signed == set(REQUESTS) | ELSEWHERE | BY_THE_DATABASE
    for path in set(posts) - signed:
        assert "idempotency-key" in posts[path], path


@pytest.mark.parametrize("pattern", REQUESTS)
async def test_it_is_answered_as_at_first_and_done_once(
    api: Api, world: World, database: Database, pattern: str
) -> None:
    who, body, other = REQUESTS[pattern]
    entry = _an_entry_of_bos_inbox(database, world)
    client = api.as_service() if who == "service" else api.as_(getattr(world, who))
    path = pattern.format(
        organisation_id=world.organisation_id, notification_id=entry, function="register_device_token"
    )
    body, other = _with_ids(body, world), _with_ids(other, world)
    key = {"Idempotency-Key": "once"}

    first = await client.post(path, json=body, headers=key)
    assert first.status_code in (200, 204), first.text
    with psycopg.connect(database.url) as connection:
        before = _everything(connection)
        again = await client.post(path, json=body, headers=key)
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers.get("Content-Type") == first.headers.get("Content-Type")
        connection.rollback()
        assert _everything(connection) == before
    reused = await client.post(path, json=other, headers=key)
    assert reused.status_code == 422
    assert "idempotency_key_reused" in reused.text
    elsewhere = await client.post(
        "/v1/mentors/reactivate", json={"mentor_ids": [str(world.stranger_id)]}, headers=key
    )
    assert elsewhere.status_code == (200 if pattern.startswith("/rest/") else 422)


async def test_a_key_is_its_senders_own(api: Api, world: World) -> None:
    key = {"Idempotency-Key": "k"}
    body = {"mentor_ids": [str(world.ada.mentor_id)], "reason": "other"}
    by_cy = await api.as_(world.cy).post("/v1/mentors/pause", json=body, headers=key)
    by_bo = await api.as_(world.bo).post("/v1/mentors/pause", json=body, headers=key)
    assert (by_cy.json()["changed"], by_bo.json()["changed"]) == (0, 1)


async def test_one_key_does_not_serve_two_doors(api: Api, world: World) -> None:
    """Whether the database keeps the key or the API: it stands for one request."""
    bo, key = api.as_(world.bo), {"Idempotency-Key": "k"}
    paused = await bo.post(f"/v1/mentors/{world.ada.mentor_id}/pause", json={"reason": "other"}, headers=key)
    assert paused.status_code == 200
    assert (await bo.post("/v1/expiry-runs", headers=key)).status_code == 422
    key = {"Idempotency-Key": "l"}
    assert (await bo.post("/v1/expiry-runs", headers=key)).status_code == 200
    refused = await bo.post(f"/v1/mentors/{world.ada.mentor_id}/reactivate", headers=key)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")


async def test_what_was_refused_may_be_asked_again(api: Api, world: World) -> None:
    key, body = {"Idempotency-Key": "k"}, {"chapter_ids": [str(world.south.chapter_id)]}
    bo = api.as_(world.bo)
    assert (await bo.post("/v1/expiry-runs", json=body, headers=key)).status_code == 403
    body = {"chapter_ids": [str(world.north.chapter_id)]}
    assert (await bo.post("/v1/expiry-runs", json=body, headers=key)).status_code == 200


@pytest.mark.parametrize("key", ["", "two words", "é", "x" * 256])
async def test_a_key_that_is_none_is_refused(api: Api, world: World, key: str) -> None:
    refused = await api.as_(world.bo).post(
        "/v1/expiry-runs", headers={b"Idempotency-Key": key.encode("latin-1")}
    )
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_argument")
    assert refused.json()["errors"][0]["name"] == "Idempotency-Key"


async def test_a_visitors_key_opens_nothing(api: Api) -> None:
    refused = await api.as_visitor().post("/v1/expiry-runs", headers={"Idempotency-Key": "k"})
    assert (refused.status_code, refused.json()["code"]) == (401, "not_signed_in")


async def test_a_repetition_waits_for_the_first_answer_and_survives_a_new_process(
    world: World, database: Database
) -> None:
    body = {"mentor_ids": [str(world.ada.mentor_id)], "reason": "other"}
    key = {"Idempotency-Key": "at-once"}
    async with serving(database) as one, serving(database) as another:
        with psycopg.connect(database.url) as holder:
            holder.execute("select from public.peer_mentors where id = %s for update", (world.ada.mentor_id,))
            first = asyncio.create_task(one.as_(world.bo).post("/v1/mentors/pause", json=body, headers=key))
            await _claimed(database)
            second = asyncio.create_task(
                another.as_(world.bo).post("/v1/mentors/pause", json=body, headers=key)
            )
            other = await another.as_(world.bo).post(
                "/v1/mentors/reactivate", json=body | {"reason": None}, headers=key
            )
            assert other.status_code == 422
            assert not second.done()
            holder.rollback()
        assert (await first).json() == (await second).json()
        assert (await first).json()["changed"] == 1
    async with serving(database) as restarted:
        again = await restarted.as_(world.bo).post("/v1/mentors/pause", json=body, headers=key)
        assert again.json() == (await first).json()


async def test_whoever_has_waited_long_is_told_to_come_back(
    api: Api, world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("peerpause.api.repeating.PATIENCE", 0.0)
    bo, key = api.as_(world.bo), {"Idempotency-Key": "k"}
    _claim(database, world, "now() + interval '1 minute'")
    refused = await bo.post("/v1/expiry-runs", headers=key)
    assert (refused.status_code, refused.json()["code"]) == (409, "request_in_progress")
    assert refused.headers["Retry-After"] == "2"


async def test_the_claim_of_a_process_that_died_is_taken_over(
    api: Api, world: World, database: Database
) -> None:
    _claim(database, world, "now() - interval '1 second'")
    answered = await api.as_(world.bo).post("/v1/expiry-runs", headers={"Idempotency-Key": "k"})
    assert answered.status_code == 200


async def test_after_a_day_a_key_is_new(api: Api, world: World, database: Database) -> None:
    bo, key = api.as_(world.bo), {"Idempotency-Key": "k"}
    first = await bo.post("/v1/expiry-runs", headers=key)
    for age, same in (("23 hours 59 minutes", True), ("24 hours 1 minute", False)):
        with psycopg.connect(database.url) as connection:
            connection.execute("update public.idempotency_keys set created_at = now() - %s::interval", (age,))
        again = await bo.post("/v1/expiry-runs", headers=key)
        assert (again.json()["job_id"] == first.json()["job_id"]) is same


def _claim(database: Database, world: World, until: str) -> None:
    """As a process leaves it that has claimed the key `k` for Bo's check, and not answered yet."""
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "insert into public.idempotency_keys (caller, key, request, fingerprint, running_until)"
            " values (%s, 'k', 'POST /v1/expiry-runs', encode(sha256(''), 'hex'), "
            f"{until})",
            (world.bo.user_id,),
        )


def _an_entry_of_bos_inbox(database: Database, world: World) -> str:
    with psycopg.connect(database.url) as connection:
        set_status(connection, world.finn, "paused", reason="other")
        row = connection.execute(
            "insert into public.notifications (organisation_id, recipient_id, mentor_id, history_id, event, payload)"
            " select organisation_id, %s, mentor_id, id, 'mentor_paused', '{}' from public.peer_mentor_status_history"
            " where mentor_id = %s and new_status = 'paused' returning id",
            (world.bo.user_id, world.finn.mentor_id),
        ).fetchone()
    assert row is not None
    return str(row[0])


def _with_ids(body: Any, world: World) -> Any:
    ids = {"ADA": world.ada.mentor_id, "FINN": world.finn.mentor_id, "NORTH": world.north.chapter_id}
    match body:
        case dict():
            return {name: _with_ids(value, world) for name, value in body.items()}
        case list():
            return [_with_ids(value, world) for value in body]
        case str():
            return str(ids.get(body, body))
        case _:
            return body


def _everything(connection: psycopg.Connection[Any]) -> list[Any]:
    """What doing it a second time would change: a row more, or one written anew."""
    tables = (
        "public.peer_mentor_status_history", "public.job_runs", "public.device_tokens", "public.notifications",
        "peerpause.inbound_secrets", "public.idempotency_keys",
    )  # fmt: skip
    return [
        connection.execute(f"select xmin::text, t::text from {table} as t order by t::text").fetchall()
        for table in tables
    ]


async def _claimed(database: Database) -> None:
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as connection:
        while True:
            cursor = await connection.execute(
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
            )
            row = await cursor.fetchone()
            if row is not None and row[0] >= 1:
                return
            await asyncio.sleep(0.01)
