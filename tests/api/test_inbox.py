"""A person's inbox and devices over HTTP: theirs alone."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from peerpause.database.session import Sessions
from peerpause.notifications.outbox import Outbox
from tests.api.serving import Api
from tests.cast import World
from tests.servers import Database


async def tell(database: Database) -> None:
    async with Sessions(url=database.url) as sessions:
        await Outbox(sessions=sessions).tell_changes()


async def change_ada(api: Api, world: World, times: int) -> None:
    ada = api.as_(world.ada)
    for number in range(times):
        move, body = (
            ("pause", {"reason": "illness", "note": "secret"}) if number % 2 == 0 else ("reactivate", {})
        )
        assert (await ada.post(f"/v1/mentors/{world.ada.mentor_id}/{move}", json=body)).status_code == 200


async def test_bo_reads_and_sees_to_what_he_was_told(api: Api, world: World, database: Database) -> None:
    await change_ada(api, world, 2)
    await tell(database)
    bo = api.as_(world.bo)
    inbox = (await bo.get("/v1/notifications")).json()
    assert (inbox["unread"], inbox["next"]) == (2, None)
    assert [entry["event"] for entry in inbox["items"]] == ["mentor_reactivated", "mentor_paused"]
    assert "secret" not in str(inbox)

    newest = inbox["items"][0]["id"]
    read = (await bo.post(f"/v1/notifications/{newest}/read")).json()
    assert read["read_at"] is not None
    assert read["acknowledged_at"] is None
    assert (await bo.post(f"/v1/notifications/{newest}/read")).json() == read
    seen_to = (await bo.post(f"/v1/notifications/{newest}/acknowledge")).json()
    assert (seen_to["read_at"], seen_to["acknowledged_at"] is not None) == (read["read_at"], True)

    unread = (await bo.get("/v1/notifications", params={"only_unread": True})).json()
    assert (unread["unread"], [entry["event"] for entry in unread["items"]]) == (1, ["mentor_paused"])


async def test_an_inbox_pages_by_cursor(api: Api, world: World, database: Database) -> None:
    await change_ada(api, world, 5)
    await tell(database)
    bo = api.as_(world.bo)
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await bo.get("/v1/notifications", params=query)).json()
        seen += [entry["id"] for entry in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert len(seen) == len(set(seen)) == 5
    assert (await bo.get("/v1/notifications", params={"cursor": "W10"})).status_code == 400


async def test_an_inbox_is_its_owners_alone(api: Api, world: World, database: Database) -> None:
    await change_ada(api, world, 1)
    await tell(database)
    entry = (await api.as_(world.bo).get("/v1/notifications")).json()["items"][0]["id"]
    for other in (world.ada, world.cy, world.dag, world.eva, world.hal):
        client = api.as_(other)
        assert (await client.get("/v1/notifications")).json()["items"] == []
        for what in ("read", "acknowledge"):
            missing = await client.post(f"/v1/notifications/{entry}/{what}")
            assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert (await api.as_(world.bo).get("/v1/notifications")).json()["unread"] == 1
    assert (await api.as_(world.bo).post(f"/v1/notifications/{uuid4()}/read")).status_code == 404


async def test_a_device_has_one_owner_who_may_let_it_go(api: Api, world: World, database: Database) -> None:
    path = "/v1/device-tokens/fGx0-1:APA91bE_device"
    for person in (world.ada, world.bo):
        registered = await api.as_(person).put(path, json={"platform": "ios"})
        assert (registered.status_code, registered.content) == (204, b"")
    assert owners(database) == [(world.bo.user_id, "ios", "token")]
    assert (await api.as_(world.ada).delete(path)).status_code == 204
    assert len(owners(database)) == 1
    assert (await api.as_(world.bo).delete(path)).status_code == 204
    assert owners(database) == []


@pytest.mark.parametrize(
    ("token", "body"),
    [
        ("short", {"platform": "ios"}),
        ("long-enough-token", {"platform": "fax"}),
        ("long-enough-token", {}),
        ("a%20b%20c%20d%20e", {"platform": "web"}),
    ],
)
async def test_what_is_no_device_is_refused(api: Api, world: World, token: str, body: dict[str, str]) -> None:
    refused = await api.as_(world.ada).put(f"/v1/device-tokens/{token}", json=body)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_argument")


async def test_a_token_is_in_no_answer_and_no_log(
    api: Api, world: World, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    await api.as_(world.ada).put("/v1/device-tokens/very-secret-device-token", json={"platform": "web"})
    refused = await api.as_(world.ada).put(
        "/v1/device-tokens/very-secret-device-token", json={"platform": "fax"}
    )
    said = capsys.readouterr()
    assert "very-secret" not in refused.text + said.out + said.err + caplog.text
    assert "/v1/device-tokens/{token}" in said.out + said.err + caplog.text


def owners(database: Database) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.url) as connection:
        return connection.execute("select user_id, platform, kind from public.device_tokens").fetchall()
