"""Lists over HTTP: every order in both directions, filters, and pages that together are the list, once each."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from tests.api.serving import Api
from tests.cast import World, add_mentor, set_status
from tests.servers import Database

ORDERS = ("name", "status", "paused_at", "expected_return_on", "updated_at")


async def whole(client: httpx.AsyncClient, path: str, **query: Any) -> list[dict[str, Any]]:
    """All pages of a list, two entries at a time."""
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await client.get(path, params={**query, "limit": 2} | ({"cursor": cursor} if cursor else {}))
        assert page.status_code == 200, page.text
        items += page.json()["items"]
        cursor = page.json()["next"]
        if cursor is None:
            return items


def _key(order: str, mentor: dict[str, Any]) -> Any:
    field = {"name": "display_name"}.get(order, order)
    return mentor[field]


@pytest.fixture
async def north(api: Api, world: World, database: Database) -> str:
    """Chapter north with seven mentors: some paused, of those some with a day of return, two of them the same."""
    with psycopg.connect(database.url) as connection:
        added = [
            add_mentor(connection, name, chapters=[world.north])
            for name in ("Bjørn", "Åse", "zoe", "Carl", "Åse")
        ]
        set_status(connection, world.finn, "paused", reason="other")
    bo = api.as_(world.bo)
    for mentor, days in zip(added[:3], (20, 9, 9), strict=True):
        day = (date.today() + timedelta(days=days)).isoformat()
        body = {"reason": "travel", "expected_return_on": day}
        assert (await bo.post(f"/v1/mentors/{mentor.mentor_id}/pause", json=body)).status_code == 200
    return f"/v1/chapters/{world.north.chapter_id}/mentors"


@pytest.mark.parametrize("order", ORDERS)
async def test_a_chapter_reads_the_same_by_pages_and_at_once_in_every_order(
    api: Api, world: World, north: str, order: str
) -> None:
    bo = api.as_(world.bo)
    for sort in (order, f"-{order}"):
        at_once = (await bo.get(north, params={"sort": sort})).json()["items"]
        assert len({mentor["mentor_id"] for mentor in at_once}) == len(at_once) == 7
        assert await whole(bo, north, sort=sort) == at_once
        keys = [_key(order, mentor) for mentor in at_once]
        known = [key for key in keys if key is not None]
        assert keys == known + [None] * (len(keys) - len(known)), "those without a date come last"
        assert known == sorted(known, reverse=sort.startswith("-"))


async def test_an_order_and_filters_go_together(api: Api, world: World, north: str) -> None:
    bo = api.as_(world.bo)
    paused = await whole(bo, north, sort="-expected_return_on", status="paused")
    assert len(paused) == 4
    assert paused[0]["first_name"] == "Bjørn"
    found = await whole(bo, north, sort="-name", search="åse")
    assert [mentor["first_name"] for mentor in found] == ["Åse", "Åse"]


async def test_a_mentor_who_pauses_between_two_pages_by_name_is_not_missed(
    api: Api, world: World, north: str
) -> None:
    bo = api.as_(world.bo)
    first = (await bo.get(north, params={"limit": 3, "sort": "-name"})).json()
    await bo.post(f"/v1/mentors/{world.ada.mentor_id}/pause", json={"reason": "other"})
    rest = (await bo.get(north, params={"sort": "-name", "cursor": first["next"]})).json()
    assert str(world.ada.mentor_id) in {mentor["mentor_id"] for mentor in rest["items"]}


async def test_a_cursor_of_another_order_is_refused(api: Api, world: World, north: str) -> None:
    bo = api.as_(world.bo)
    cursor = (await bo.get(north, params={"limit": 1, "sort": "status"})).json()["next"]
    refused = await bo.get(north, params={"sort": "-status", "cursor": cursor})
    assert (refused.status_code, refused.json()["errors"][0]["name"]) == (400, "cursor")


async def test_other_chapters_are_refused_in_every_order(api: Api, world: World, north: str) -> None:
    for sort in ORDERS:
        assert (await api.as_(world.cy).get(north, params={"sort": sort})).status_code == 403


async def test_the_history_is_told_by_period_and_kind(api: Api, world: World, database: Database) -> None:
    ada = api.as_(world.ada)
    path = f"/v1/mentors/{world.ada.mentor_id}"
    for reason in ("travel", "illness"):
        await ada.post(f"{path}/pause", json={"reason": reason})
        await ada.post(f"{path}/reactivate")
    with psycopg.connect(database.url) as connection:
        set_status(connection, world.ada, "paused", reason="other")
    newest_first = await whole(ada, f"{path}/history")
    assert len(newest_first) == 6
    assert await whole(ada, f"{path}/history", sort="changed_at") == newest_first[::-1]
    pauses = await whole(ada, f"{path}/history", new_status="paused")
    assert [entry["reason"] for entry in pauses] == ["other", "illness", "travel"]
    assert [e["reason"] for e in await whole(ada, f"{path}/history", reason="illness")] == ["illness"]
    by_ada = await whole(ada, f"{path}/history", by="people")
    assert {entry["changed_by"] for entry in by_ada} == {str(world.ada.user_id)}
    by_system = await whole(ada, f"{path}/history", by="system")
    assert {entry["changed_by"] for entry in by_system} == {None}
    assert len(by_ada) + len(by_system) == 6
    middle = newest_first[3]["changed_at"]
    assert await whole(ada, f"{path}/history", since=middle) == newest_first[:4]
    assert await whole(ada, f"{path}/history", until=middle) == newest_first[4:]
    assert (await api.as_(world.greta).get(f"{path}/history", params={"by": "people"})).status_code == 404
    zoneless = await ada.get(f"{path}/history", params={"since": "2026-01-01T00:00:00"})
    assert (zoneless.status_code, zoneless.json()["errors"][0]["name"]) == (400, "since")


async def test_runs_of_the_check_are_told_by_outcome_and_period(
    api: Api, world: World, database: Database
) -> None:
    service, path = api.as_service(), "/v1/expiry-runs"
    for _ in range(3):
        await service.post(path)
    await api.as_(world.bo).post(path, json={"chapter_ids": [str(world.north.chapter_id)]})
    newest_first = await whole(service, path)
    assert len(newest_first) == 4
    assert await whole(service, path, sort="started_at") == newest_first[::-1]
    assert await whole(service, path, by="hand") == newest_first[:1]
    assert await whole(service, path, by="schedule") == newest_first[1:]
    assert await whole(service, path, status="succeeded") == newest_first
    assert await whole(service, path, status="failed") == []
    third = newest_first[2]["started_at"]
    assert await whole(service, path, since=third) == newest_first[:3]
    assert await whole(service, path, until=third) == newest_first[3:]


async def test_the_inbox_is_told_by_kind_period_and_mentor(
    api: Api, world: World, database: Database
) -> None:
    with psycopg.connect(database.url) as connection:
        for number in range(5):
            mentor = world.ada if number % 2 else world.finn
            event = "mentor_paused" if number < 3 else "mentor_reactivated"
            connection.execute(
                "insert into public.notifications (organisation_id, recipient_id, mentor_id, history_id, event, payload, created_at)"
                " select organisation_id, %s, mentor_id, id, %s, '{}', %s from public.peer_mentor_status_history"
                " where mentor_id = %s order by changed_at desc limit 1",
                (world.bo.user_id, event, datetime(2027, 1, number + 1, tzinfo=UTC), mentor.mentor_id),
            )
            set_status(connection, mentor, "active" if number in (2, 3) else "paused", reason="other")
    bo, path = api.as_(world.bo), "/v1/notifications"
    newest_first = await whole(bo, path)
    assert len(newest_first) == 5
    assert await whole(bo, path, sort="created_at") == newest_first[::-1]
    assert await whole(bo, path, event="mentor_reactivated") == newest_first[:2]
    assert await whole(bo, path, since="2027-01-04T00:00:00Z") == newest_first[:2]
    assert await whole(bo, path, until="2027-01-04T00:00:00Z") == newest_first[2:]
    of_ada = await whole(bo, path, mentor_id=str(world.ada.mentor_id))
    assert of_ada == [newest_first[1], newest_first[3]]


async def test_webhook_endpoints_can_be_told_by_use(api: Api, world: World) -> None:
    dag, path = api.as_(world.dag), f"/v1/organisations/{world.organisation_id}/webhook-endpoints"
    for query in ({"active": "true"}, {"active": "false"}, {"sort": "-created_at"}):
        assert (await dag.get(path, params=query)).json() == []
    assert (await dag.get(path, params={"active": "perhaps"})).status_code == 400
