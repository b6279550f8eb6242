"""A real hot standby, fed by streaming replication: public rosters are read from it, and it takes over when the primary is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from tests import servers
from tests.api.serving import Api, serving
from tests.cast import World, build_world
from tests.database.acting import assert_whole_trail, status_of
from tests.reliability.serving import migrated
from tests.servers import Server

DATABASE = "replicated"


@pytest.fixture
async def world(own_server: Server) -> World:
    return build_world((await migrated(own_server, DATABASE)).url)


@pytest.fixture
def standby(own_server: Server, world: World, run_folder: Path) -> Iterator[Server]:
    copy = servers.start_standby(own_server, run=run_folder)
    yield copy
    servers.stop_server(copy)


def serving_from(server: Server) -> AbstractAsyncContextManager[Api]:
    return serving(server.url(DATABASE, user="authenticator"))


async def page_of(api: Api, world: World) -> httpx.Response:
    return await api.as_visitor().get(f"/public/chapters/{world.north.chapter_id}/mentors.html")


async def pause_of(api: Api, world: World) -> httpx.Response:
    return await api.as_(world.ada).post(
        f"/v1/mentors/{world.ada.mentor_id}/pause", json={"reason": "travel"}
    )


@pytest.mark.timeout(300)
async def test_rosters_are_read_from_it_and_it_takes_over(
    own_server: Server, standby: Server, world: World
) -> None:
    async with serving_from(own_server) as api, serving_from(standby) as reading:
        assert "Ada" in (await page_of(reading, world)).text

        refused = await pause_of(reading, world)
        assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)

        assert (await pause_of(api, world)).status_code == 200
        async with asyncio.timeout(60):
            while "Ada" in (await page_of(reading, world)).text:  # noqa: ASYNC110  replication tells nobody
                await asyncio.sleep(0.05)

    # The primary is lost for good. Who spoke to the standby goes on, and may now change things, without a restart.
    async with serving_from(standby) as taking_over:
        servers.kill_server(own_server)
        servers.promote_server(standby)
        back = await taking_over.as_(world.ada).post(f"/v1/mentors/{world.ada.mentor_id}/reactivate", json={})
        assert back.status_code == 200
        assert "Ada" in (await page_of(taking_over, world)).text
    with psycopg.connect(standby.url(DATABASE), row_factory=dict_row) as owner:
        assert status_of(owner, world.ada) == "active"
        assert_whole_trail(owner, world.ada)
