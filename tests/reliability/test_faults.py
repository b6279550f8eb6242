"""Things break while people change statuses: what was acknowledged is there once, nothing else is, and everybody is told.

`make torture` does the same for as long as one likes.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack

import psycopg
import pytest

from peerpause.database.session import Claims, Sessions
from peerpause.errors import Unavailable
from peerpause.worker.schema import ensure_schema
from tests.cast import Mentor, World, add_mentor, build_world
from tests.reliability.invariants import holds_in_the_end
from tests.reliability.load import acknowledged, load
from tests.reliability.proxy import Network, Proxy, proxy
from tests.reliability.serving import free_port, migrated, served
from tests.servers import Database, Server, kill_server, resume_server

_MINUTES = float(os.environ.get("PEERPAUSE_TORTURE", "0"))
_NAME = "faults"
pytestmark = pytest.mark.timeout(300 + _MINUTES * 60)


def rounds(at_least: int) -> Iterator[int]:
    """So many rounds, and more for as long as torture was asked for."""
    end = time.monotonic() + _MINUTES * 60
    number = 0
    while number < at_least or time.monotonic() < end:
        yield number
        number += 1


@pytest.fixture
async def killable(own_server: Server) -> AsyncIterator[Database]:
    """A database on a server of this module's own."""
    database = await migrated(own_server, _NAME)
    await ensure_schema(database.url)
    yield database
    with psycopg.connect(own_server.url(), autocommit=True) as connection:
        connection.execute(f"drop database {_NAME} with (force)".encode())


def populated(database: Database) -> tuple[World, Sequence[Mentor]]:
    world = build_world(database.url)
    with psycopg.connect(database.url) as connection:
        return world, [add_mentor(connection, f"M{number}", chapters=[world.north]) for number in range(24)]


async def test_postgresql_killed_under_load(killable: Database) -> None:
    world, mentors = populated(killable)
    async with served(killable) as (_, url):
        async with load(url, world.dag, mentors) as ledger:
            for _ in rounds(2):
                await acknowledged(ledger, more=20)
                await asyncio.to_thread(kill_server, killable.server)
                await asyncio.to_thread(resume_server, killable.server)
            await acknowledged(ledger, more=20)
        assert ledger.repeated > 0
        await holds_in_the_end(killable.url, ledger.acknowledged)


async def test_the_api_and_its_worker_killed_under_load(database: Database) -> None:
    world, mentors = populated(database)
    await ensure_schema(database.url)
    port = free_port()
    async with AsyncExitStack() as servers:
        process, url = await servers.enter_async_context(served(database, port=port))
        async with load(url, world.dag, mentors) as ledger:
            for _ in rounds(2):
                await acknowledged(ledger, more=20)
                process.kill()
                await process.wait()
                process, _ = await servers.enter_async_context(served(database, port=port))
            await acknowledged(ledger, more=20)
        assert ledger.repeated > 0
        await holds_in_the_end(database.url, ledger.acknowledged)


@pytest.mark.parametrize("trouble", [Network.CUT, Network.SLOW])
async def test_the_network_to_the_database_spoilt_under_load(database: Database, trouble: Network) -> None:
    world, mentors = populated(database)
    await ensure_schema(database.url)
    async with proxy(database.server.port) as network, served(database, through=network.port) as (_, url):
        async with load(url, world.dag, mentors) as ledger:
            for _ in rounds(2):
                await acknowledged(ledger, more=20)
                spoil(network, trouble)
                await asyncio.sleep(1)
                network.network = Network.WELL
            await acknowledged(ledger, more=20)
        await holds_in_the_end(database.url, ledger.acknowledged)


async def test_a_network_that_swallows_everything_is_given_up_and_comes_back(database: Database) -> None:
    world = build_world(database.url)
    async with proxy(database.server.port) as network:
        address = database.server.url(database.name, user="authenticator")
        through = address.replace(f":{database.server.port}/", f":{network.port}/")
        async with Sessions(url=through, size=2, patience=2, answer_within=0.5) as sessions:
            ada = Claims(world.ada.user_id)
            asked = {"mentor_id": world.ada.mentor_id}
            assert await sessions.call(ada, "read_mentor_status", asked)
            network.network = Network.SWALLOWS
            with pytest.raises(Unavailable):
                await sessions.call(ada, "read_mentor_status", asked)
            with pytest.raises(Unavailable):
                async with sessions.as_user(ada) as connection:
                    await connection.execute("select 1")
            network.network = Network.WELL
            async with asyncio.timeout(60):
                while not await answers(sessions, ada, asked):  # noqa: ASYNC110  nobody tells when it is back
                    await asyncio.sleep(0.1)


def spoil(network: Proxy, trouble: Network) -> None:
    if trouble is Network.CUT:
        network.cut()
    network.network = trouble


async def answers(sessions: Sessions, caller: Claims, asked: Mapping[str, object]) -> bool:
    try:
        return bool(await sessions.call(caller, "read_mentor_status", asked))
    except Unavailable:
        return False
