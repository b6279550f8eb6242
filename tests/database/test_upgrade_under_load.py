"""The database is upgraded while apps of before go on: no call of theirs changes its shape, none waits long, none is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import psycopg
import pytest

from peerpause import sql
from peerpause.database.migrate import Migrator
from peerpause.errors import MigrationError, Unavailable
from tests.cast import Mentor, World, add_mentor, build_world
from tests.servers import Database

_RELEASED = "20261101000800"
"""The newest migration of the release that apps were written against."""

_CHANGE = "select * from public.{}(%s{})"


@pytest.fixture
async def before(empty_database: Database) -> Database:
    """A database as the last release left it."""
    old = [each for each in sql.migrations() if each.version <= _RELEASED]
    assert old[-1].version == _RELEASED
    assert len(old) < len(sql.migrations())
    await Migrator(url=empty_database.url, migrations=old).up()
    with psycopg.connect(empty_database.url) as connection:
        connection.execute("alter role authenticator login")
    return empty_database


async def test_apps_go_on_while_the_database_is_upgraded(before: Database) -> None:
    world = build_world(before.url)
    with psycopg.connect(before.url) as connection:
        mentors = [add_mentor(connection, f"M{number}", chapters=[world.north]) for number in range(12)]
    made, stop = Counter[UUID](), asyncio.Event()
    async with asyncio.TaskGroup() as apps:
        for share in (mentors[:6], mentors[6:]):
            apps.create_task(app(before, world, share, made, stop))
        await until(made, more=30)
        await upgrade(before)
        await until(made, more=30)
        stop.set()
    with psycopg.connect(before.url) as connection:
        rows = connection.execute(
            "select mentor_id, count(*) from public.peer_mentor_status_history where previous_status is not null group by 1"
        ).fetchall()
    assert dict(rows) == dict(made)


async def app(
    database: Database, world: World, mentors: Sequence[Mentor], made: Counter[UUID], stop: asyncio.Event
) -> None:
    """Pauses mentors and brings them back by the functions of before, as a coordinator, each on a connection that stays."""
    url = database.url_as("authenticated", sub=world.bo.user_id)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while not stop.is_set():
            for mentor in mentors:
                await change(connection, "rpc_pause_mentor", ", 'travel'", mentor)
                await change(connection, "rpc_reactivate_mentor", "", mentor)
                made[mentor.mentor_id] += 2


async def change(
    connection: psycopg.AsyncConnection[tuple[object, ...]], function: str, more: str, mentor: Mentor
) -> None:
    cursor = await connection.execute(_CHANGE.format(function, more).encode(), (mentor.mentor_id,))
    row = await cursor.fetchone()
    assert row is not None
    names = [column.name for column in cursor.description or ()]
    assert names == ["mentor_id", "status", "pause_reason", "paused_at", "reactivated_at", "updated_at"]
    assert row[0] == mentor.mentor_id


async def upgrade(database: Database) -> None:
    """As an operator does it: once more where a lock could not be had in time."""
    for _ in range(20):
        try:
            await Migrator(url=database.url).up()
        except (MigrationError, Unavailable):
            continue
        return
    raise AssertionError("the upgrade did not come through")


async def until(made: Counter[UUID], *, more: int) -> None:
    goal = made.total() + more
    async with asyncio.timeout(60):
        while made.total() < goal:  # noqa: ASYNC110  a counter tells nobody
            await asyncio.sleep(0.02)
