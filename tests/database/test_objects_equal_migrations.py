"""`objects/`, the present tense that people read, and `migrations/`, which machines apply, make the same database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from peerpause import sql
from tests.database.catalogue import catalogue_of, differences, read_catalogue
from tests.project.sources import PACKAGE
from tests.servers import Database

_OBJECTS = PACKAGE / "sql" / "objects"
# Policies and grants name what must be there already, and close what was made open: they come when everything else stands.
_LAST = "policies"


def test_objects_and_migrations_make_the_same_database(database: Database, empty_database: Database) -> None:
    build_from_objects(empty_database.url)
    found = differences(catalogue_of(database.url), catalogue_of(empty_database.url))
    assert not found, "objects differ from migrations (expected: the migrations):\n" + "\n".join(found)


def build_from_objects(url: str) -> None:
    """Make in an empty database what the objects say, on top of what Supabase has and the bootstrap makes up for."""
    files = sorted(_OBJECTS.rglob("*.sql"))
    with psycopg.connect(url) as connection:
        connection.execute(sql.migrations()[0].text.encode())
        _apply_in_some_order(connection, [file for file in files if file.parent.name != _LAST])
        _apply_in_some_order(connection, [file for file in files if file.parent.name == _LAST])


def _apply_in_some_order(connection: psycopg.Connection, files: Sequence[Path]) -> None:
    """Apply all files; one that needs another is tried again after it."""
    waiting = list(files)
    while waiting:
        refusals = {file: refusal for file in waiting if (refusal := _refusal(connection, file))}
        if len(refusals) == len(waiting):
            told = "\n".join(f"{file.relative_to(_OBJECTS)}: {refusal}" for file, refusal in refusals.items())
            pytest.fail(f"these objects cannot be made:\n{told}")
        waiting = list(refusals)


def _refusal(connection: psycopg.Connection, file: Path) -> str | None:
    try:
        with connection.transaction():
            connection.execute(file.read_bytes())
    except psycopg.Error as error:
        return str(error)
    return None


@pytest.fixture
def trial(module_database: Database) -> Iterator[psycopg.Connection]:
    """A connection whose changes nobody keeps."""
    with psycopg.connect(module_database.url) as connection:
        yield connection
        connection.rollback()


@pytest.mark.parametrize(
    "drift",
    [
        "create table public.surplus ()",
        "drop view public.mentor_status_history",
        "alter view public.peer_mentor_status set (security_invoker = false)",
        "alter table public.chapters add column surplus text",
        "alter table public.chapters alter column name drop not null",
        "alter table public.chapters alter column name set default 'x'",
        "alter table public.chapters alter column name type varchar(50)",
        "comment on column public.peer_mentors.pause_note is 'x'",
        "comment on table public.peer_mentors is null",
        "alter table public.people drop constraint people_language_is_known",
        "alter table public.job_runs drop constraint job_runs_status_is_known, add constraint job_runs_status_is_known check (true)",
        "drop index public.history_untold",
        "create index on public.chapters (name)",
        "alter table public.peer_mentors disable trigger zzz_peerpause_guard",
        "drop trigger peerpause_append_only on public.peer_mentor_status_history",
        "alter table public.people disable row level security",
        "alter table public.people no force row level security",
        'alter policy "people see themselves" on public.people using (true)',
        'alter policy "people see themselves" on public.people to anon',
        'drop policy "people see themselves" on public.people',
        "alter function peerpause.clock() volatile",
        "alter function peerpause.authorise(uuid) security invoker",
        "alter function peerpause.authorise(uuid) reset search_path",
        "comment on function peerpause.clock() is 'x'",
        "create or replace function peerpause.clock() returns timestamptz language sql stable return now()",
        "grant execute on function peerpause.lapsed_mentors(uuid[], uuid, integer) to public",
        "grant select on public.people to anon",
        "revoke select on public.people from service_role",
        "grant update (first_name) on public.people to authenticated",
        "grant create on schema peerpause to anon",
        "alter type public.mentor_status add value 'retired'",
        "alter default privileges in schema public grant select on tables to anon",
        "create domain public.surplus as text",
    ],
)
def test_the_comparison_sees_it_when(trial: psycopg.Connection, drift: str) -> None:
    before = read_catalogue(trial)
    trial.execute(drift.encode())
    assert differences(before, read_catalogue(trial))
    assert differences(read_catalogue(trial), before)


def test_the_comparison_says_what_is_missing_too_much_and_different() -> None:
    expected = {"table a": "one", "table b": "two", "table c": "three"}
    actual = {"table b": "two", "table c": "four", "table d": "five"}
    assert differences(expected, expected) == []
    missing, surplus, changed = differences(expected, actual)
    assert missing == "missing: table a"
    assert surplus == "too much: table d"
    assert changed.startswith("not as expected: table c\n")
    assert "-three" in changed
    assert "+four" in changed
