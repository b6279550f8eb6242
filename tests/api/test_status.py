"""A mentor's status over HTTP: read, changed on conditions, repeated safely, paged through."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from peerpause.status.etags import etag
from tests.api.serving import Api
from tests.cast import World, add_certificate, add_mentor, require_certificate, set_status
from tests.servers import Database


def today_in(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


async def test_ada_pauses_and_comes_back(api: Api, world: World) -> None:
    ada = api.as_(world.ada)
    paused = await ada.post(
        f"/v1/mentors/{world.ada.mentor_id}/pause",
        json={"reason": "travel", "expected_return_on": today_in(9), "note": "far away"},
    )
    assert paused.status_code == 200
    answer = paused.json()
    assert (answer["status"], answer["previous_status"]) == ("paused", "active")
    assert (answer["changed_by"], answer["note"]) == (str(world.ada.user_id), "far away")
    assert answer["paused_at"] == answer["updated_at"]
    assert (await ada.get(f"/v1/mentors/{world.ada.mentor_id}/status")).json() == answer

    back = await ada.post(f"/v1/mentors/{world.ada.mentor_id}/reactivate")
    assert (back.status_code, back.json()["status"]) == (200, "active")
    left = await ada.post(f"/v1/mentors/{world.ada.mentor_id}/deactivate", json={"reason": "resigned"})
    assert (left.status_code, left.json()["status"]) == (200, "inactive")


async def test_the_tag_of_a_status_is_the_condition_of_a_change(api: Api, world: World) -> None:
    bo = api.as_(world.bo)
    path = f"/v1/mentors/{world.ada.mentor_id}"
    seen = (await bo.get(f"{path}/status")).headers["ETag"]
    first = await bo.post(f"{path}/pause", json={"reason": "other"}, headers={"If-Match": seen})
    assert first.status_code == 200
    assert first.headers["ETag"] == (await bo.get(f"{path}/status")).headers["ETag"] != seen
    late = await bo.post(f"{path}/reactivate", headers={"If-Match": seen})
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    never = await bo.post(f"{path}/reactivate", headers={"If-Match": '"of another house"'})
    assert never.status_code == 412
    nonsense = await bo.post(f"{path}/reactivate", headers={"If-Match": "bare"})
    assert (nonsense.status_code, nonsense.json()["code"]) == (400, "invalid_argument")
    assert (await bo.post(f"{path}/reactivate", headers={"If-Match": "*"})).status_code == 200


async def test_who_has_the_status_already_is_not_sent_it_again(api: Api, world: World) -> None:
    ada = api.as_(world.ada)
    path = f"/v1/mentors/{world.ada.mentor_id}/status"
    tag = (await ada.get(path)).headers["ETag"]
    again = await ada.get(path, headers={"If-None-Match": f'W/"x", {tag}'})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert (await ada.get(path, headers={"If-None-Match": '"x"'})).status_code == 200


async def test_a_repeated_request_gets_its_first_answer_and_changes_nothing(api: Api, world: World) -> None:
    ada = api.as_(world.ada)
    path = f"/v1/mentors/{world.ada.mentor_id}"
    key = {"Idempotency-Key": "pause-1"}
    first = await ada.post(f"{path}/pause", json={"reason": "travel"}, headers=key)
    again = await ada.post(f"{path}/pause", json={"reason": "travel"}, headers=key)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    other = await ada.post(f"{path}/pause", json={"reason": "illness"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len((await ada.get(f"{path}/history")).json()["items"]) == 2


async def test_a_request_repeated_while_the_first_runs_waits_for_its_answer(
    api: Api, world: World, database: Database
) -> None:
    ada = api.as_(world.ada)
    path = f"/v1/mentors/{world.ada.mentor_id}/pause"
    requests = [
        ada.post(path, json={"reason": "travel"}, headers={"Idempotency-Key": "at-once"}) for _ in range(4)
    ]
    with psycopg.connect(database.url) as holder:
        holder.execute("select from public.peer_mentors where id = %s for update", (world.ada.mentor_id,))
        running = [asyncio.create_task(request) for request in requests]
        await _waiting(database, 4)
        holder.rollback()
    answers = [await each for each in running]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.text for answer in answers}) == 1


async def test_an_already_paused_mentor_is_a_typed_conflict(api: Api, world: World) -> None:
    ada = api.as_(world.ada)
    path = f"/v1/mentors/{world.ada.mentor_id}/pause"
    await ada.post(path, json={"reason": "travel"})
    again = await ada.post(path, json={"reason": "travel"})
    assert again.headers["Content-Type"] == "application/problem+json"
    problem = again.json()
    assert (again.status_code, problem["status"], problem["code"]) == (400, 400, "already_paused")
    assert problem["facts"] == {"from": "paused", "to": "paused", "allowed": ["active"]}


async def test_a_lapsed_certificate_is_told_as_such(api: Api, world: World, database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        set_status(connection, world.ada, "paused", reason="certification_expired")
        require_certificate(connection, world.organisation_id)
        add_certificate(
            connection,
            world.ada,
            issued_on=datetime(2020, 1, 1).date(),
            expires_on=datetime(2022, 12, 31).date(),
        )
    refused = await api.as_(world.ada).post(f"/v1/mentors/{world.ada.mentor_id}/reactivate")
    assert (refused.status_code, refused.json()["code"]) == (400, "certification_expired")
    assert refused.json()["facts"] == {"expired_on": "2022-12-31"}


async def test_a_planned_pause_can_be_taken_back(api: Api, world: World) -> None:
    ada = api.as_(world.ada)
    path = f"/v1/mentors/{world.ada.mentor_id}"
    begins = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    planned = await ada.post(f"{path}/pause", json={"reason": "travel", "pause_at": begins})
    assert planned.json()["status"] == "active"
    assert datetime.fromisoformat(planned.json()["scheduled_pause_at"]) == datetime.fromisoformat(begins)
    assert (await ada.delete(f"{path}/planned-pause")).json() == {"cancelled": True}
    assert (await ada.delete(f"{path}/planned-pause")).json() == {"cancelled": False}


async def test_a_plan_is_part_of_the_status_and_of_its_tag(api: Api, world: World) -> None:
    """Whoever saw Ada before the pause was planned, or before it was taken back, has seen something else."""
    ada, bo = api.as_(world.ada), api.as_(world.bo)
    path = f"/v1/mentors/{world.ada.mentor_id}"
    begins = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    before = (await bo.get(f"{path}/status")).headers["ETag"]
    planned = await ada.post(f"{path}/pause", json={"reason": "travel", "pause_at": begins})
    seen = await bo.get(f"{path}/status", headers={"If-None-Match": before})
    assert (seen.status_code, seen.headers["ETag"]) == (200, planned.headers["ETag"])
    assert seen.headers["ETag"] != before
    assert seen.json()["scheduled_pause_at"] is not None
    late = await bo.post(f"{path}/pause", json={"reason": "other"}, headers={"If-Match": before})
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    assert (await ada.delete(f"{path}/planned-pause")).json() == {"cancelled": True}
    without = await bo.get(f"{path}/status")
    assert without.json()["scheduled_pause_at"] is None
    assert without.headers["ETag"] not in (before, seen.headers["ETag"])
    in_time = await bo.post(
        f"{path}/pause", json={"reason": "other"}, headers={"If-Match": without.headers["ETag"]}
    )
    assert in_time.status_code == 200


async def test_a_plan_that_has_been_taken_back_since_is_still_the_first_answer(
    api: Api, world: World
) -> None:
    ada = api.as_(world.ada)
    path = f"/v1/mentors/{world.ada.mentor_id}"
    begins = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    ask = {"json": {"reason": "travel", "pause_at": begins}, "headers": {"Idempotency-Key": "plan"}}
    first = await ada.post(f"{path}/pause", **ask)  # type: ignore[arg-type]  # a body and headers
    await ada.delete(f"{path}/planned-pause")
    again = await ada.post(f"{path}/pause", **ask)  # type: ignore[arg-type]  # a body and headers
    assert again.json() == first.json()


async def test_wrong_fields_are_named(api: Api, world: World) -> None:
    refused = await api.as_(world.ada).post(
        f"/v1/mentors/{world.ada.mentor_id}/pause",
        json={"reason": "because", "pause_at": "2027-01-01T00:00:00", "mood": 1},
    )
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (400, "invalid_argument")
    assert {each["pointer"]: each["detail"] for each in problem["errors"] if each["in"] == "body"} == {
        "#/reason": problem["errors"][0]["detail"],
        "#/pause_at": "The time needs its zone, such as 2027-02-01T09:30:00Z.",
        "#/mood": "There is no such part; leave it out.",
    }
    assert problem["errors"][0]["detail"].startswith("Give one of: 'self_pause'")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"reason": "other", "pause_at": "2001-01-01T00:00:00Z"}, "#/pause_at"),
        ({"reason": "other", "expected_return_on": "2001-01-01"}, "#/expected_return_on"),
        ({"reason": "certification_expired"}, "#/reason"),
    ],
)
async def test_what_the_database_refuses_is_named_too(
    api: Api, world: World, body: dict[str, str], pointer: str
) -> None:
    refused = await api.as_(world.ada).post(f"/v1/mentors/{world.ada.mentor_id}/pause", json=body)
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (400, "invalid_argument")
    assert problem["errors"] == [{"in": "body", "pointer": pointer, "detail": problem["detail"]}]


async def test_wrong_parts_outside_the_body_are_named_where_they_are(api: Api, world: World) -> None:
    bo = api.as_(world.bo)
    path = f"/v1/chapters/{world.north.chapter_id}/mentors"
    for query, name in (
        ({"limit": 0}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"sort": "shoe_size"}, "sort"),
    ):
        (error,) = (await bo.get(path, params=query)).json()["errors"]
        assert (error["in"], error["name"]) == ("query", name)
    bad = await bo.post(f"/v1/mentors/{world.ada.mentor_id}/reactivate", headers={"If-Match": "bare"})
    assert (bad.json()["errors"][0]["in"], bad.json()["errors"][0]["name"]) == ("header", "If-Match")


async def test_the_history_pages_by_cursor(api: Api, world: World) -> None:
    ada = api.as_(world.ada)
    path = f"/v1/mentors/{world.ada.mentor_id}"
    for _ in range(2):
        await ada.post(f"{path}/pause", json={"reason": "travel"})
        await ada.post(f"{path}/reactivate")
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await ada.get(f"{path}/history", params=query)).json()
        seen += [entry["new_status"] for entry in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ["active", "paused", "active", "paused", "active"]
    for text in ("%%%", "aGVp", "e30", "IngiIg", "W10"):
        refused = await ada.get(f"{path}/history", params={"cursor": text})
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_argument")


async def test_a_chapter_pages_by_cursor_and_filters(api: Api, world: World, database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        for name in ("Ada", "Bjørn", "Åse"):
            add_mentor(connection, name, chapters=[world.north])
    bo = api.as_(world.bo)
    path = f"/v1/chapters/{world.north.chapter_id}/mentors"
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await bo.get(path, params=query)).json()
        seen += [mentor["mentor_id"] for mentor in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 5
    await bo.post(f"/v1/mentors/{world.ada.mentor_id}/pause", json={"reason": "other"})
    paused = (await bo.get(path, params={"status": "paused"})).json()["items"]
    assert [mentor["mentor_id"] for mentor in paused] == [str(world.ada.mentor_id)]
    found = (await bo.get(path, params={"search": "bjø"})).json()["items"]
    assert [mentor["first_name"] for mentor in found] == ["Bjørn"]
    assert (await bo.get(path, params={"cursor": "aGVp"})).status_code == 400


async def test_many_are_paused_each_with_an_outcome(api: Api, world: World) -> None:
    dag = api.as_(world.dag)
    body = {
        "mentor_ids": [str(world.ada.mentor_id), str(world.greta.mentor_id), str(world.finn.mentor_id)],
        "reason": "coordinator_pause",
    }
    key = {"Idempotency-Key": "summer"}
    first = await dag.post("/v1/mentors/pause", json=body, headers=key)
    answer = first.json()
    assert (first.status_code, answer["changed"], answer["refused"]) == (200, 2, 1)
    assert [(each["ok"], each["code"]) for each in answer["outcomes"]] == [
        (True, None),
        (False, "permission_denied"),
        (True, None),
    ]
    assert (await dag.post("/v1/mentors/pause", json=body, headers=key)).json() == answer
    back = (await dag.post("/v1/mentors/reactivate", json={"mentor_ids": body["mentor_ids"]})).json()
    assert (back["changed"], back["refused"]) == (2, 1)


async def test_the_key_of_many_changes_is_a_key_of_each(api: Api, world: World, database: Database) -> None:
    dag = api.as_(world.dag)
    key = {"Idempotency-Key": "k"}
    body = {"mentor_ids": [str(world.ada.mentor_id)], "reason": "other"}
    first = await dag.post("/v1/mentors/pause", json=body, headers=key)
    changed = await dag.post("/v1/mentors/pause", json=body | {"reason": "travel"}, headers=key)
    assert (changed.status_code, changed.json()["code"]) == (422, "idempotency_key_reused")
    # A part of it that was done is not done again, even where the answer as a whole was lost.
    with psycopg.connect(database.url) as connection:
        connection.execute("delete from public.idempotency_keys where request like 'POST %'")
    assert (await dag.post("/v1/mentors/pause", json=body, headers=key)).json() == first.json()


async def test_an_unknown_mentor_is_not_found(api: Api, world: World) -> None:
    missing = await api.as_service().get(f"/v1/mentors/{uuid4()}/status")
    assert (missing.status_code, missing.json()["code"]) == (404, "mentor_not_found")


def test_a_tag_says_the_microsecond() -> None:
    moment = datetime(2027, 1, 1, tzinfo=UTC)
    assert etag(moment) != etag(moment + timedelta(microseconds=1))
    assert etag(moment) == etag(moment.astimezone())


async def _waiting(database: Database, count: int) -> None:
    """Return once this many transactions of the database wait for a lock."""
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as connection:
        while True:
            cursor = await connection.execute(
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
            )
            row = await cursor.fetchone()
            if row is not None and row[0] >= count:
                return
            await asyncio.sleep(0.01)
