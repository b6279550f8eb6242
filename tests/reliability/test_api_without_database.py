"""The API and its worker started before the database is there, and through a restart of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import pytest

from tests.api.serving import Api, serving
from tests.cast import World, build_world
from tests.servers import Database


@pytest.fixture
def world(database: Database) -> World:
    return build_world(database.url)


def close_doors(database: Database) -> None:
    """The database as it is while its server restarts: everybody is thrown out and nobody comes in."""
    with psycopg.connect(database.server.url(), autocommit=True) as connection:
        connection.execute(f'alter database "{database.name}" allow_connections false')
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (database.name,)
        )


def open_doors(database: Database) -> None:
    with psycopg.connect(database.server.url(), autocommit=True) as connection:
        connection.execute(f'alter database "{database.name}" allow_connections true')


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    while not await holds():  # noqa: ASYNC110  what is waited for happens in another process
        await asyncio.sleep(0.1)


async def test_it_starts_before_the_database_and_tells_once_it_is_there(
    database: Database, world: World
) -> None:
    close_doors(database)
    async with serving(database.url, with_worker=True) as api:
        assert (await api.as_(world.bo).get("/v1/notifications")).status_code == 503
        open_doors(database)
        await bo_hears_of_ada(api, world)


async def test_after_a_restart_of_the_database_everybody_is_told_again(
    database: Database, world: World
) -> None:
    async with serving(database.url, with_worker=True) as api:
        await until(lambda: answers(api, world))
        close_doors(database)
        assert (await api.as_(world.bo).get("/v1/notifications")).status_code == 503
        open_doors(database)
        await bo_hears_of_ada(api, world)


async def bo_hears_of_ada(api: Api, world: World) -> None:
    await until(lambda: answers(api, world))
    paused = await api.as_(world.ada).post(
        f"/v1/mentors/{world.ada.mentor_id}/pause", json={"reason": "other"}
    )
    assert paused.status_code == 200
    await until(lambda: has_unread(api, world))


async def answers(api: Api, world: World) -> bool:
    return (await api.as_(world.bo).get("/v1/notifications")).status_code == 200


async def has_unread(api: Api, world: World) -> bool:
    inbox = await api.as_(world.bo).get("/v1/notifications")
    return inbox.status_code == 200 and inbox.json()["unread"] == 1
