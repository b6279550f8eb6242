"""What load balancers ask: whether the process is ready, and if not, what an operator should do about it."""

from __future__ import annotations

import psycopg

from peerpause.sql import migrations
from peerpause.worker.schema import ensure_schema
from tests.api.serving import Api
from tests.cast import World
from tests.servers import Database


async def test_a_migration_that_is_pending_is_seen_whatever_it_does(api: Api, database: Database) -> None:
    """The newest makes no function that clients call by name, perhaps; its name is missing in the ledger all the same."""
    for migration in (migrations()[-1], migrations()[0]):
        with psycopg.connect(database.url) as connection:
            connection.execute(
                "delete from supabase_migrations.schema_migrations where version = %s", (migration.version,)
            )
        answer = await api.as_visitor().get("/readyz")
        ready = answer.json()
        assert (answer.status_code, ready["ready"], ready["migrations"]) == (503, False, "pending")
        problem = next(each for each in ready["problems"] if each["check"] == "migrations")
        assert migration.stem in problem["detail"]
        assert "peerpause migrate up" in problem["hint"]
        assert answer.headers["Retry-After"]


async def test_a_database_that_is_newer_serves_older_programs(api: Api, database: Database) -> None:
    """While a new version is rolled out, the old processes go on: migrations only add."""
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "insert into supabase_migrations.schema_migrations (version, name) values ('29991231235959', 'peerpause_later')"
        )
    assert (await api.as_visitor().get("/readyz")).status_code == 200


async def test_a_database_without_anything_in_it_is_told_what_it_needs(
    api: Api, database: Database, world: World
) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute("drop function peerpause.applied_migrations()")
    ready = (await api.as_visitor().get("/readyz")).json()
    assert (ready["ready"], ready["database"], ready["migrations"]) == (False, "ok", "pending")


async def test_a_worker_that_is_missing_is_named_but_turns_nobody_away(api: Api, database: Database) -> None:
    await ensure_schema(database.url)
    answer = await api.as_visitor().get("/readyz")
    assert (answer.status_code, answer.json()["worker"]) == (200, "missing")
    (problem,) = answer.json()["problems"]
    assert problem["check"] == "worker"
    assert "peerpause worker" in problem["hint"]
    with psycopg.connect(database.url) as connection:
        connection.execute("insert into procrastinate.procrastinate_workers (last_heartbeat) values (now())")
    alive = (await api.as_visitor().get("/readyz")).json()
    assert (alive["ready"], alive["worker"], alive["problems"]) == (True, "alive", [])
