"""Promises of the migrator, kept on real servers with migrations made for the occasion."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from peerpause.database.ledger import FindingKind
from peerpause.database.migrate import Migrator
from peerpause.errors import MigrationError, Unavailable
from peerpause.sql import Migration
from tests.servers import Database

PLANT = Migration("20260101000000", "peerpause_plant", "create table tree (id int);\n", "drop table tree;\n")
GROW = Migration(
    "20260102000000",
    "peerpause_grow",
    "-- A tree has a height.\nalter table tree add column height int;\n\ninsert into tree values (1, 10);\n",
    "delete from tree;\nalter table tree drop column height;\n",
)
PRUNE = Migration(
    "20260103000000", "peerpause_prune", "update tree set height = 5;\n", "update tree set height = 10;\n"
)
ALL = (PLANT, GROW, PRUNE)


def migrator(database: Database, *migrations: Migration) -> Migrator:
    return Migrator(url=database.url, migrations=migrations or ALL)


def broken(text: str) -> Migration:
    return Migration("20260104000000", "peerpause_broken", text, "select 1;")


async def ask(database: Database, question: str) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as connection:
        return await (await connection.execute(question.encode())).fetchall()


async def run(database: Database, statement: str) -> None:
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as connection:
        await connection.execute(statement.encode())


async def ledger_of(database: Database) -> list[tuple[object, ...]]:
    return await ask(
        database,
        "select version, name, statements from supabase_migrations.schema_migrations order by version",
    )


async def has_table(database: Database, name: str) -> bool:
    return (await ask(database, f"select to_regclass('{name}') is not null")) == [(True,)]


async def wait_until(database: Database, condition: str) -> None:
    """Ask the server again and again; the test's own time limit ends it if that never comes."""
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as watcher:
        while await (await watcher.execute(f"select where {condition}".encode())).fetchone() is None:
            pass


async def test_it_applies_what_is_pending_and_writes_the_ledger(empty_database: Database) -> None:
    assert await migrator(empty_database).up() == ALL
    assert await ledger_of(empty_database) == [
        ("20260101000000", "peerpause_plant", ["create table tree (id int)"]),
        (
            "20260102000000",
            "peerpause_grow",
            [
                "-- A tree has a height.\nalter table tree add column height int",
                "insert into tree values (1, 10)",
            ],
        ),
        ("20260103000000", "peerpause_prune", ["update tree set height = 5"]),
    ]


async def test_it_does_nothing_the_second_time(empty_database: Database) -> None:
    await migrator(empty_database).up()
    before = await ledger_of(empty_database)
    assert await migrator(empty_database).up() == ()
    assert await ledger_of(empty_database) == before


async def test_it_goes_on_where_an_earlier_program_stopped(empty_database: Database) -> None:
    await migrator(empty_database, PLANT).up()
    assert await migrator(empty_database).up() == (GROW, PRUNE)


async def test_it_tells_of_each_migration_once_it_is_committed(empty_database: Database) -> None:
    told: list[Migration] = []
    await replace(migrator(empty_database), on_step=told.append).up()
    assert tuple(told) == ALL


async def test_it_passes_on_what_postgresql_remarks(empty_database: Database) -> None:
    remarks: list[str] = []
    remarking = broken("do $$ begin raise notice 'the tree is kept'; end $$;")
    await replace(migrator(empty_database, remarking), on_notice=remarks.append).up()
    assert "the tree is kept" in remarks


async def test_two_at_once_wait_for_each_other(empty_database: Database) -> None:
    await run(empty_database, "create table gate ()")
    slow = Migration("20260101000000", "peerpause_slow", "lock table gate; create table once ();", None)
    patient = Migrator(
        url=empty_database.url, migrations=[slow, GROW_ONCE], lock_timeout=timedelta(minutes=2)
    )
    async with await psycopg.AsyncConnection.connect(empty_database.url) as gatekeeper:
        await gatekeeper.execute("lock table gate")
        first = asyncio.create_task(patient.up())
        await wait_until(empty_database, _ONE_WAITS_FOR.format(kind="relation"))
        second = asyncio.create_task(patient.up())
        await wait_until(empty_database, _ONE_WAITS_FOR.format(kind="advisory"))
        assert not first.done()
        assert not second.done()
    done = [*await first, *await second]
    assert sorted(each.name for each in done) == ["peerpause_grow_once", "peerpause_slow"]
    assert len(await ledger_of(empty_database)) == 2


GROW_ONCE = Migration("20260102000000", "peerpause_grow_once", "alter table once add column n int;", None)
_ONE_WAITS_FOR = (
    "exists (select from pg_locks join pg_stat_activity using (pid) where not granted and locktype = '{kind}'"
    " and datname = current_database() and application_name = 'peerpause migrate')"
)


async def test_it_gives_up_on_another_migrator_that_never_ends(empty_database: Database) -> None:
    async with await psycopg.AsyncConnection.connect(empty_database.url) as other:
        await other.execute("select pg_advisory_xact_lock(hashtextextended('peerpause.migrate', 0))")
        hurried = replace(migrator(empty_database), statement_timeout=timedelta(milliseconds=50))
        with pytest.raises(MigrationError, match="Another migrator has been at work"):
            await hurried.up()


async def test_a_failing_migration_leaves_nothing_behind_and_earlier_ones_stay(
    empty_database: Database,
) -> None:
    failing = broken("create table half ();\n\n-- Now it goes wrong.\nselect 1,\n  no_such_column;\n")
    with pytest.raises(MigrationError) as caught:
        await migrator(empty_database, *ALL, failing).up()
    assert caught.value.detail == {
        "file": "20260104000000_peerpause_broken.sql",
        "line": 5,
        "sqlstate": "42703",
        "kept": [each.stem for each in ALL],
    }
    assert "20260104000000_peerpause_broken.sql line 5: " in caught.value.message
    assert not await has_table(empty_database, "half")
    assert [row[0] for row in await ledger_of(empty_database)] == [each.version for each in ALL]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("select 1;\nslect 2;", 2),
        ("select 1;\n-- why\ncreate table tree ();\ncreate table tree ();", 4),
        ("select 1;\ndo $$\nbegin\n  perform 1 / 0;\nend\n$$;", 4),
        ("select 1;\ndo $body$\nbegin\n  execute 'select 1 /\n 0';\nend\n$body$;", 4),
    ],
)
async def test_it_names_the_line_that_failed(empty_database: Database, text: str, line: int) -> None:
    with pytest.raises(MigrationError) as caught:
        await migrator(empty_database, broken(text)).up()
    assert caught.value.detail["line"] == line


async def test_it_keeps_rows_out_of_its_error(empty_database: Database) -> None:
    failing = broken("create table person (name text unique); insert into person values ('Ada'), ('Ada');")
    with pytest.raises(MigrationError) as caught:
        await migrator(empty_database, failing).up()
    assert "Ada" not in f"{caught.value} {caught.value.hint} {caught.value.detail}"


async def test_a_constraint_that_fails_at_commit_is_a_failed_migration_too(empty_database: Database) -> None:
    late = broken(
        "create table a (id int primary key);"
        "create table b (id int references a deferrable initially deferred); insert into b values (1);"
    )
    with pytest.raises(MigrationError, match="23503"):
        await migrator(empty_database, late).up()
    assert not await has_table(empty_database, "b")


@pytest.mark.parametrize("word", ["commit", "begin", "rollback", "end"])
async def test_it_refuses_a_migration_that_ends_its_transaction(empty_database: Database, word: str) -> None:
    with pytest.raises(MigrationError, match="line 2: a migration may not"):
        await migrator(empty_database, broken(f"create table half ();\n{word};")).up()
    assert not await has_table(empty_database, "half")


async def test_it_does_not_wait_long_for_a_table_that_others_use(empty_database: Database) -> None:
    await migrator(empty_database, PLANT).up()
    async with await psycopg.AsyncConnection.connect(empty_database.url) as reader:
        await reader.execute("select from tree")
        hurried = replace(migrator(empty_database), lock_timeout=timedelta(milliseconds=50))
        with pytest.raises(MigrationError) as caught:
            await hurried.up()
    assert caught.value.detail["sqlstate"] == "55P03"
    assert "pg_blocking_pids" in (caught.value.hint or "")
    assert await migrator(empty_database).up() == (GROW, PRUNE)


async def test_it_ends_a_statement_that_takes_too_long(empty_database: Database) -> None:
    hurried = replace(
        migrator(empty_database, broken("select pg_sleep(600);")),
        statement_timeout=timedelta(milliseconds=100),
    )
    with pytest.raises(MigrationError) as caught:
        await hurried.up()
    assert caught.value.detail["sqlstate"] == "57014"
    assert "--statement-timeout" in (caught.value.hint or "")


async def test_a_lost_connection_rolls_the_migration_back(empty_database: Database) -> None:
    await run(empty_database, "create table gate ()")
    slow = broken("create table half (); lock table gate;")
    patient = replace(migrator(empty_database, slow), lock_timeout=timedelta(minutes=2))
    async with await psycopg.AsyncConnection.connect(empty_database.url) as gatekeeper:
        await gatekeeper.execute("lock table gate")
        working = asyncio.create_task(patient.up())
        await wait_until(empty_database, _ONE_WAITS_FOR.format(kind="relation"))
        await ask(
            empty_database,
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'peerpause migrate' and datname = current_database()",
        )
        with pytest.raises(Unavailable, match="connection to the database was lost"):
            await working
    assert not await has_table(empty_database, "half")


async def test_it_says_that_the_database_does_not_answer() -> None:
    with pytest.raises(Unavailable, match="does not answer") as caught:
        await Migrator(url="postgresql://postgres:secret@127.0.0.1:1/x").up()
    assert "secret" not in f"{caught.value} {caught.value.hint}"


async def test_it_says_that_the_ledger_is_closed_to_this_login(empty_database: Database) -> None:
    await migrator(empty_database, PLANT).up()
    closed = Migrator(url=empty_database.url_as("authenticator"), migrations=ALL)
    with pytest.raises(MigrationError, match="42501") as caught:
        await closed.up()
    assert "database's owner" in (caught.value.hint or "")


async def test_an_older_program_refuses_a_newer_database(empty_database: Database) -> None:
    await migrator(empty_database).up()
    before = await ledger_of(empty_database)
    older = migrator(empty_database, PLANT, GROW)
    with pytest.raises(
        MigrationError, match="newer than this program: it holds 20260103000000_peerpause_prune"
    ):
        await older.up()
    with pytest.raises(MigrationError, match="newer than this program"):
        await older.down()
    assert await ledger_of(empty_database) == before
    assert [row.version for row in (await older.status()).unknown] == ["20260103000000"]


async def test_migrations_of_somebody_else_do_not_hinder(empty_database: Database) -> None:
    await migrator(empty_database, PLANT).up()
    await run(
        empty_database,
        "insert into supabase_migrations.schema_migrations (version, name, statements) values"
        " ('20250101000000', 'their_start', '{select 1}'), ('20990101000000', 'their_future', null)",
    )
    assert await migrator(empty_database).up() == (GROW, PRUNE)
    assert await migrator(empty_database).verify() == ()
    assert await migrator(empty_database).down(to="0") == (PRUNE, GROW, PLANT)
    assert [row[1] for row in await ledger_of(empty_database)] == ["their_start", "their_future"]


async def test_it_refuses_a_version_that_somebody_else_has_taken(empty_database: Database) -> None:
    await migrator(empty_database, PLANT).up()
    await run(
        empty_database,
        "insert into supabase_migrations.schema_migrations (version, name) values ('20260102000000', 'theirs')",
    )
    with pytest.raises(MigrationError, match="cannot be told from 20260102000000_theirs"):
        await migrator(empty_database).up()


async def test_it_keeps_a_ledger_without_our_columns_and_adds_them(empty_database: Database) -> None:
    await run(
        empty_database,
        "create schema supabase_migrations;"
        "create table supabase_migrations.schema_migrations (version text not null primary key);"
        "insert into supabase_migrations.schema_migrations values ('20250101000000')",
    )
    await migrator(empty_database, PLANT).up()
    assert await ledger_of(empty_database) == [
        ("20250101000000", None, None),
        ("20260101000000", "peerpause_plant", ["create table tree (id int)"]),
    ]


async def test_it_takes_back_the_newest(empty_database: Database) -> None:
    await migrator(empty_database).up()
    assert await migrator(empty_database).down() == (PRUNE,)
    assert await ask(empty_database, "select height from tree") == [(10,)]
    assert [row[0] for row in await ledger_of(empty_database)] == [PLANT.version, GROW.version]


@pytest.mark.parametrize(
    ("steps", "to", "expected"),
    [(2, None, (PRUNE, GROW)), (9, None, (PRUNE, GROW, PLANT)), (None, PLANT.version, (PRUNE, GROW))],
)
async def test_it_takes_back_as_many_as_it_is_told(
    empty_database: Database, steps: int | None, to: str | None, expected: Sequence[Migration]
) -> None:
    await migrator(empty_database).up()
    assert await migrator(empty_database).down(steps=steps, to=to) == expected


async def test_up_down_up_comes_out_the_same(empty_database: Database) -> None:
    await migrator(empty_database).up()
    before = await ledger_of(empty_database), await ask(empty_database, "table tree")
    await migrator(empty_database).down(to="0")
    assert not await has_table(empty_database, "tree")
    await migrator(empty_database).up()
    assert (await ledger_of(empty_database), await ask(empty_database, "table tree")) == before


async def test_it_stops_going_down_when_somebody_else_was_faster(empty_database: Database) -> None:
    await migrator(empty_database).up()
    async with await psycopg.AsyncConnection.connect(empty_database.url) as faster:
        await faster.execute("select pg_advisory_xact_lock(hashtextextended('peerpause.migrate', 0))")
        late = asyncio.create_task(migrator(empty_database).down())
        await wait_until(empty_database, _ONE_WAITS_FOR.format(kind="advisory"))
        await faster.execute(
            "delete from supabase_migrations.schema_migrations where version = '20260103000000'"
        )
        await faster.commit()
        with pytest.raises(MigrationError, match="Somebody else migrates this database"):
            await late
    assert [row[0] for row in await ledger_of(empty_database)] == [PLANT.version, GROW.version]


async def test_it_takes_back_nothing_where_a_way_back_is_missing(empty_database: Database) -> None:
    stuck = (replace(PLANT, rollback=None), GROW, PRUNE)
    await migrator(empty_database, *stuck).up()
    with pytest.raises(MigrationError, match=r"no rollbacks/20260101000000_peerpause_plant\.sql"):
        await migrator(empty_database, *stuck).down(to="0")
    assert len(await ledger_of(empty_database)) == 3


async def test_a_failing_rollback_leaves_its_migration_applied(empty_database: Database) -> None:
    failing = (PLANT, GROW, replace(PRUNE, rollback="delete from tree;\nselect 1 / 0;"))
    await migrator(empty_database, *failing).up()
    with pytest.raises(MigrationError, match=r"rollbacks/20260103000000_peerpause_prune\.sql line 2"):
        await migrator(empty_database, *failing).down()
    assert await ask(empty_database, "select height from tree") == [(5,)]
    assert len(await ledger_of(empty_database)) == 3


async def test_it_refuses_to_go_down_to_a_version_that_is_not_there(empty_database: Database) -> None:
    await migrator(empty_database, PLANT).up()
    with pytest.raises(
        MigrationError, match="does not hold a migration of ours with the version 20260102000000"
    ):
        await migrator(empty_database).down(to="20260102000000")


async def test_status_changes_nothing_in_an_empty_database(empty_database: Database) -> None:
    status = await migrator(empty_database).status()
    assert (status.applied, status.pending) == ((), ALL)
    assert await ask(empty_database, "select to_regnamespace('supabase_migrations') is null") == [(True,)]


async def test_verify_finds_an_edited_file_and_its_line(empty_database: Database) -> None:
    await migrator(empty_database).up()
    edited = replace(GROW, text=GROW.text.replace("10", "11"))
    findings = await migrator(empty_database, PLANT, edited, PRUNE).verify()
    assert [(each.kind, each.version) for each in findings] == [(FindingKind.EDITED, GROW.version)]
    assert "line 4" in findings[0].message


@pytest.mark.parametrize(
    ("edited", "line"),
    [(GROW.text + "select 1;\n", 5), (GROW.text.split("\n\n")[0], 2)],
)
async def test_verify_finds_statements_added_and_taken_away(
    empty_database: Database, edited: str, line: int
) -> None:
    await migrator(empty_database).up()
    findings = await migrator(empty_database, PLANT, replace(GROW, text=edited), PRUNE).verify()
    assert [each.kind for each in findings] == [FindingKind.EDITED]
    assert f"at line {line}." in findings[0].message


async def test_verify_finds_what_is_missing_unknown_unrecorded_and_taken(empty_database: Database) -> None:
    await migrator(empty_database, PLANT, GROW).up()
    await run(
        empty_database,
        "update supabase_migrations.schema_migrations set statements = null where version = '20260101000000';"
        "update supabase_migrations.schema_migrations set name = 'theirs' where version = '20260102000000';"
        "insert into supabase_migrations.schema_migrations (version, name) values ('20250101000000', 'peerpause_lost')",
    )
    assert [(each.kind, each.version) for each in await migrator(empty_database).verify()] == [
        (FindingKind.UNKNOWN, "20250101000000"),
        (FindingKind.UNRECORDED, PLANT.version),
        (FindingKind.TAKEN, GROW.version),
        (FindingKind.NOT_APPLIED, PRUNE.version),
    ]


async def test_verify_is_content_with_what_was_applied_as_written(empty_database: Database) -> None:
    await migrator(empty_database).up()
    assert await migrator(empty_database).verify() == ()
