"""Promises about the shared ledger, judged by the Supabase CLI itself: whoever applied a migration, both say the same of it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psycopg
import pytest

from peerpause import sql
from peerpause.database.migrate import Migrator
from peerpause.sql import Migration
from tests.servers import Database

# What is hard to cut into statements, as far as our own files may ever hold it.
TRICKY = Migration(
    "20270101000000",
    "peerpause_tricky",
    """-- The first; with a semicolon.
create table tricky (id int, "a;b" text default ';''"'); -- behind

/* A block; with a semicolon. */
create function tricky_one() returns int language plpgsql as $body$
begin
  execute $inner$ select 1; $inner$;
  return case when true then 1; else 2 end;
exception when others then return 3;
end
$body$;;

create function tricky_two() returns int language sql
begin atomic
  select case when true then 1 else 2 end;
  select 2;
end;

create function tricky_three(p_a int) returns int language sql return p_a + 1;

do $$ begin perform 1; end $$;
insert into tricky values (1, e'it\\'s; fine');
comment on table tricky is 'æøå; ''quoted''';
-- The end; really.
""".replace("then 1; else", "then 1 else"),
    "drop function tricky_three(int); drop function tricky_two(); drop function tricky_one(); drop table tricky;",
)
ALL = (*sql.migrations(), TRICKY)


class Supabase:
    """The CLI in a project folder of its own that holds our migrations, pointed at one database."""

    def __init__(self, program: Path, folder: Path, database: Database) -> None:
        self._program = program
        self._folder = folder
        self._database = database
        self.migrations = folder / "supabase" / "migrations"
        self.migrations.mkdir(parents=True)
        for migration in ALL:
            (self.migrations / f"{migration.stem}.sql").write_text(migration.text, encoding="utf-8")

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(
            [self._program, *arguments, "--db-url", self._database.url],
            cwd=self._folder,
            env={**os.environ, "HOME": str(self._folder), "DO_NOT_TRACK": "1", "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture
def supabase(supabase_cli: Path, tmp_path: Path, empty_database: Database) -> Supabase:
    return Supabase(supabase_cli, tmp_path, empty_database)


@pytest.fixture
def ours(empty_database: Database) -> Migrator:
    return Migrator(url=empty_database.url, migrations=ALL)


def listed(told: str) -> list[tuple[str, str]]:
    """The columns Local and Remote of `supabase migration list`."""
    rows = [line.replace("`", " ").split("|") for line in told.splitlines() if line.count("|") == 2]
    cells = [(local.strip(), remote.strip()) for local, remote, _ in rows]
    return [(local, remote) for local, remote in cells if (local + remote).isdigit()]


def ledger_of(database: Database) -> list[tuple[object, ...]]:
    with psycopg.connect(database.url) as connection:
        return connection.execute(
            "select version, name, statements from supabase_migrations.schema_migrations order by version"
        ).fetchall()


async def test_supabase_finds_everything_applied_that_we_applied(supabase: Supabase, ours: Migrator) -> None:
    await ours.up()
    assert listed(supabase("migration", "list")) == [(each.version, each.version) for each in ALL]
    assert "Would push" not in supabase("db", "push", "--dry-run")


async def test_we_find_everything_applied_that_supabase_pushed(
    supabase: Supabase, ours: Migrator, empty_database: Database
) -> None:
    supabase("db", "push", "--yes")
    pushed = ledger_of(empty_database)
    assert await ours.verify() == ()
    assert await ours.up() == ()
    await ours.down(to="0")
    await ours.up()
    assert ledger_of(empty_database) == pushed


async def test_each_goes_on_where_the_other_stopped(supabase: Supabase, ours: Migrator) -> None:
    await Migrator(url=ours.url, migrations=ALL[:1]).up()
    told = supabase("db", "push", "--dry-run")
    assert [each.version for each in ALL if each.version in told] == [each.version for each in ALL[1:]]
    supabase("db", "push", "--yes")
    assert await ours.down() == (TRICKY,)
    assert listed(supabase("migration", "list"))[-1] == (TRICKY.version, "")


async def test_the_customers_own_migrations_live_beside_ours(supabase: Supabase, ours: Migrator) -> None:
    await ours.up()
    (supabase.migrations / "20280101000000_theirs.sql").write_text(
        "create table theirs ();", encoding="utf-8"
    )
    supabase("db", "push", "--yes")
    assert [row.name for row in (await ours.status()).foreign] == ["theirs"]
    assert await ours.up() == ()
    assert await ours.verify() == ()
