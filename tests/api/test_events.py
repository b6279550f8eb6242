"""Server-sent events: an open page follows what it may see, and misses nothing unnoticed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from peerpause.api.told import Closed, Gap, Told, ToldChanges
from peerpause.auth.tokens import issue_token
from tests.api.serving import SECRET, Api, serving
from tests.cast import World
from tests.servers import Database


@pytest.fixture
async def api(database: Database, world: World) -> AsyncIterator[Api]:
    """With the worker, which tells of changes."""
    async with serving(database.url, with_worker=True) as api:
        yield api


class Reader:
    """An open page: the events of one stream as they come."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()
        self.last_id = ""

    async def next(self) -> tuple[str, Any]:
        """The next event and its data."""
        event, data = "", ""
        async for line in self._lines:
            field, _, value = line.partition(": ")
            if field == "id":
                self.last_id = value
            elif field == "event":
                event = value
            elif field == "data":
                data = value
            elif not line and event:
                return event, json.loads(data)
        return "end", None


@asynccontextmanager
async def page(client: httpx.AsyncClient, **headers: str) -> AsyncIterator[Reader]:
    async with client.stream("GET", "/v1/events", headers=headers) as response:
        assert (response.status_code, response.headers["Content-Type"]) == (
            200,
            "text/event-stream; charset=utf-8",
        )
        yield Reader(response)


async def ready(api: Api, world: World) -> None:
    """Return once the process hears what is told: a change of Greta's reaches Eva's page."""
    async with page(api.as_(world.eva)) as eva:
        await change(api, world, "pause")
        while (await eva.next())[0] != "status":
            pass


async def change(api: Api, world: World, move: str) -> None:
    body = {"reason": "other"} if move == "pause" else {}
    await api.as_(world.greta).post(f"/v1/mentors/{world.greta.mentor_id}/{move}", json=body)


async def pause_ada(api: Api, world: World) -> None:
    changed = await api.as_(world.ada).post(
        f"/v1/mentors/{world.ada.mentor_id}/pause", json={"reason": "illness", "note": "in hospital"}
    )
    assert changed.status_code == 200


async def test_an_open_page_hears_of_a_change_made_elsewhere(api: Api, world: World) -> None:
    await ready(api, world)
    async with page(api.as_(world.bo)) as bo, page(api.as_(world.ada)) as ada, page(api.as_(world.cy)) as cy:
        await pause_ada(api, world)
        for reader in (bo, ada):
            event, data = await reader.next()
            assert (event, data["mentor_id"], data["new_status"]) == (
                "status",
                str(world.ada.mentor_id),
                "paused",
            )
            assert set(data) == {"mentor_id", "previous_status", "new_status", "changed_at"}
        # Cy hears of Finn, who is also in the south, and has heard nothing of Ada.
        await api.as_(world.finn).post(f"/v1/mentors/{world.finn.mentor_id}/pause", json={"reason": "other"})
        assert (await cy.next())[1]["mentor_id"] == str(world.finn.mentor_id)


async def test_a_page_that_was_away_goes_on_where_it_was(api: Api, world: World) -> None:
    await ready(api, world)
    async with page(api.as_(world.eva)) as eva:
        await change(api, world, "reactivate")
        # The pause from before may be told only now.
        while (await eva.next())[1]["new_status"] != "active":
            pass
        seen = eva.last_id
    await change(api, world, "pause")
    async with page(api.as_(world.eva), **{"Last-Event-ID": seen}) as eva:
        assert (await eva.next())[1]["new_status"] == "paused"


async def test_a_page_that_was_away_too_long_is_told_to_load_anew(api: Api, world: World) -> None:
    async with page(api.as_(world.eva), **{"Last-Event-ID": str(uuid4())}) as eva:
        assert await eva.next() == ("reset", {})


async def test_a_stream_ends_with_its_token(api: Api, world: World) -> None:
    short = issue_token(secret=SECRET, sub=world.eva.user_id, expires_in=timedelta(seconds=-5))
    async with page(api.with_headers(Authorization=f"Bearer {short}")) as eva:
        assert await eva.next() == ("end", None)


async def test_a_visitor_follows_nothing(api: Api) -> None:
    assert (await api.as_visitor().get("/v1/events")).status_code == 401


def told(number: int) -> Told:
    return Told(UUID(int=1), UUID(int=number))


def payload(*numbers: int) -> str:
    return ",".join(f"{UUID(int=1)} {UUID(int=number)}" for number in numbers)


async def test_what_is_told_is_numbered_and_remembered() -> None:
    changes = ToldChanges(url="", remembered=3)
    start = changes.position
    changes.hear(payload(1, 2))
    assert await changes.after(start, patience=0) == (told(1), told(2))
    assert changes.position_of(UUID(int=1)) == start + 1
    changes.hear(payload(3, 4))
    assert changes.position_of(UUID(int=1)) is None
    assert await changes.after(start + 1, patience=0) == (told(2), told(3), told(4))
    with pytest.raises(Gap):
        await changes.after(start, patience=0)
    assert await changes.after(changes.position, patience=0) == ()


async def test_a_lost_connection_is_a_gap_for_everybody() -> None:
    changes = ToldChanges(url="")
    changes.hear(payload(1))
    position = changes.position
    changes.lose_track()
    with pytest.raises(Gap):
        await changes.after(position, patience=0)
    assert await changes.after(changes.position, patience=0) == ()


async def test_who_waits_is_woken_by_news_and_by_the_end() -> None:
    changes = ToldChanges(url="")
    waiting = asyncio.create_task(changes.after(0, patience=60))
    await asyncio.sleep(0)
    changes.hear(payload(1))
    assert await waiting == (told(1),)
    waiting = asyncio.create_task(changes.after(1, patience=60))
    await asyncio.sleep(0)
    changes.close()
    with pytest.raises(Closed):
        await waiting
