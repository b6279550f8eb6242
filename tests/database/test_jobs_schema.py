"""Procrastinate's tables: made once, in a schema of their own, for the service role alone."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from peerpause.worker.schema import ensure_schema
from tests.servers import Database


async def test_it_makes_them_once(database: Database) -> None:
    assert await ensure_schema(database.url)
    assert not await ensure_schema(database.url)


async def test_two_at_once_wait_for_each_other(database: Database) -> None:
    made = await asyncio.gather(ensure_schema(database.url), ensure_schema(database.url))
    assert sorted(made) == [False, True]


async def test_they_are_out_of_the_way_of_clients(database: Database) -> None:
    await ensure_schema(database.url)
    look = "select count(*) from procrastinate.procrastinate_jobs"
    with psycopg.connect(database.url_as("service_role")) as connection:
        assert connection.execute(look).fetchone() == (0,)
    for role in ("anon", "authenticated"):
        with (
            psycopg.connect(database.url_as(role)) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(look)
    with psycopg.connect(database.url) as connection:
        strays = connection.execute(
            "select count(*) from pg_class where relname like 'procrastinate%' "
            "and relnamespace <> 'procrastinate'::regnamespace"
        ).fetchone()
    assert strays == (0,)
