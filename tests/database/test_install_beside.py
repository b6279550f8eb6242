"""PeerPause moves in beside an app that has a directory already, and moves out again, and the app does not notice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from peerpause import sql as our_sql
from peerpause.database.migrate import Migrator
from peerpause.errors import MigrationError
from tests.database.acting import NOT_YOURS, refused
from tests.database.catalogue import catalogue_of, differences
from tests.database.old_app import (
    ADA,
    ADAS_LOGIN,
    BO,
    BOS_LOGIN,
    CHAPTER,
    ORGANISATION,
    TABLES,
    OldApp,
    do_a_days_work,
    everything,
    old_app,
    old_columns,
)
from tests.servers import Database

BOOTSTRAP = our_sql.migrations()[:1]


def migrator(app: OldApp) -> Migrator:
    return Migrator(url=app.database.url)


@pytest.fixture
async def supabase_like(empty_database: Database) -> Database:
    """A database with the roles and functions of Supabase and nothing else."""
    await Migrator(url=empty_database.url, migrations=BOOTSTRAP).up()
    return empty_database


@pytest.fixture(
    params=[(True, False), (False, False), (True, True), (False, True)],
    ids=["policies", "no policies", "policies on tables of its own", "no policies on tables of its own"],
)
async def app(supabase_like: Database, request: pytest.FixtureRequest) -> AsyncIterator[OldApp]:
    """An app with and without row security, whose server owns its tables or has been granted them."""
    row_security, server_owns_tables = request.param
    with old_app(supabase_like, row_security=row_security, server_owns_tables=server_owns_tables) as made:
        yield made


@pytest.fixture
async def app_with_policies(supabase_like: Database) -> AsyncIterator[OldApp]:
    with old_app(supabase_like, row_security=True) as made:
        yield made


@pytest.fixture
async def app_without_policies(supabase_like: Database) -> AsyncIterator[OldApp]:
    with old_app(supabase_like, row_security=False) as made:
        yield made


async def test_the_apps_server_works_as_before_after_up_and_after_down(app: OldApp) -> None:
    do_a_days_work(app)
    await migrator(app).up()
    do_a_days_work(app)
    await migrator(app).down(to=BOOTSTRAP[0].version)
    do_a_days_work(app)


async def test_it_moves_out_and_leaves_everything_as_it_found_it(app: OldApp) -> None:
    catalogue = catalogue_of(app.database.url)
    columns = old_columns(app)
    contents = everything(app, columns)
    await migrator(app).up()
    assert everything(app, columns) == contents
    await migrator(app).down(to=BOOTSTRAP[0].version)
    assert differences(catalogue, catalogue_of(app.database.url)) == []
    assert everything(app, columns) == contents
    await migrator(app).up()
    assert everything(app, columns) == contents


async def test_a_client_that_selects_everything_gets_its_columns_first_and_its_rows_all(
    app_with_policies: OldApp,
) -> None:
    columns = old_columns(app_with_policies)
    await migrator(app_with_policies).up()
    for table, names in old_columns(app_with_policies).items():
        assert names[: len(columns[table])] == columns[table]
    with app_with_policies.as_person(ADAS_LOGIN) as ada:
        rows = ada.execute("select * from public.peer_mentors order by first_name").fetchall()
    assert [(row["first_name"], row["phone"], row["status"]) for row in rows] == [
        ("Ada", "1", "active"),
        ("Bo", "2", "active"),
    ]


async def test_the_apps_own_policies_and_triggers_stay_in_force(app_with_policies: OldApp) -> None:
    await migrator(app_with_policies).up()
    with app_with_policies.as_person(ADAS_LOGIN) as ada:
        assert ada.execute("update public.peer_mentors set phone = '9'").rowcount == 1
        rows = ada.execute("select first_name, phone, changes from public.peer_mentors order by 1").fetchall()
    assert [tuple(row.values()) for row in rows] == [("Ada", "9", 1), ("Bo", "2", 0)]


async def test_old_mentors_are_active_and_can_pause(app: OldApp) -> None:
    await migrator(app).up()
    with app.as_person(ADAS_LOGIN) as ada:
        rows = ada.execute(
            "select * from public.rpc_pause_mentor(p_mentor_id => %s, p_reason => 'illness')", (ADA,)
        ).fetchall()
        assert [row["status"] for row in rows] == ["paused"]
        with refused(NOT_YOURS):
            ada.execute(
                "select * from public.rpc_pause_mentor(p_mentor_id => %s, p_reason => 'illness')", (BO,)
            )


async def test_people_see_by_our_rules_where_the_app_had_none(app_without_policies: OldApp) -> None:
    told: list[str] = []
    await Migrator(url=app_without_policies.database.url, on_notice=told.append).up()
    for table in TABLES:
        assert any(f"public.{table} had no row-level security" in remark for remark in told)
    with app_without_policies.as_person(BOS_LOGIN) as bo:
        rows = bo.execute("select first_name from public.peer_mentors").fetchall()
    assert [row["first_name"] for row in rows] == ["Bo"]


async def test_a_column_that_the_app_adds_later_is_the_apps(app_with_policies: OldApp) -> None:
    await migrator(app_with_policies).up()
    with app_with_policies.as_owner() as owner:
        owner.execute("alter table public.peer_mentors add column shoe_size integer default 40")
    await migrator(app_with_policies).down(to=BOOTSTRAP[0].version)
    with app_with_policies.as_server() as server:
        rows = server.execute("select distinct shoe_size from public.peer_mentors").fetchall()
    assert [row["shoe_size"] for row in rows] == [40]


async def test_what_was_granted_on_columns_is_granted_again_after_down(app_with_policies: OldApp) -> None:
    await migrator(app_with_policies).up()
    await migrator(app_with_policies).down(to=BOOTSTRAP[0].version)
    with app_with_policies.as_person(ADAS_LOGIN) as ada:
        ada.execute("select id, mentor_id from public.certifications")
        with refused(NOT_YOURS):
            ada.execute("select * from public.certifications")


_OBSTACLES: list[tuple[LiteralString, str]] = [
    ("alter table public.peer_mentors drop column first_name", "peer_mentors.first_name (text) is missing"),
    (
        "alter table public.chapter_memberships drop column organisation_id",
        "chapter_memberships.organisation_id (uuid) is missing",
    ),
    ("alter table public.peer_mentors add column status text", "peer_mentors.status (text) exists already"),
    (
        "create type public.mood as enum ('good'); alter table public.peer_mentors add column status public.mood",
        "peer_mentors.status (mood) exists already",
    ),
    (
        "alter table public.peer_mentors add column pause_note text",
        "peer_mentors.pause_note (text) exists already",
    ),
    (
        "alter table public.peer_mentors alter column updated_at type timestamp",
        "peer_mentors.updated_at is timestamp without time zone, not timestamptz",
    ),
    (
        "alter table public.peer_mentors add column languages text",
        "peer_mentors.languages is text, not text[]",
    ),
    (
        "alter table public.peer_mentors alter column organisation_id drop not null",
        "peer_mentors.organisation_id may be null",
    ),
    (
        "alter table public.chapter_memberships drop constraint chapter_memberships_pkey",
        "chapter_memberships has no unique key on (chapter_id, mentor_id)",
    ),
    ("create table public.notifications ()", "public.notifications exists already"),
    ("create view public.people as select 1 as user_id", "public.people is not a table"),
    ("create type public.mentor_status as enum ('on')", "the type public.mentor_status exists already"),
]


@pytest.mark.parametrize("change, obstacle", _OBSTACLES, ids=[obstacle for _, obstacle in _OBSTACLES])
async def test_it_names_what_does_not_fit_and_changes_nothing(
    app_with_policies: OldApp, change: LiteralString, obstacle: str
) -> None:
    with app_with_policies.as_owner() as owner:
        owner.execute(change)
    before = catalogue_of(app_with_policies.database.url)
    with pytest.raises(MigrationError) as refusal:
        await migrator(app_with_policies).up()
    assert obstacle in refusal.value.message
    assert refusal.value.hint is not None
    assert differences(before, catalogue_of(app_with_policies.database.url)) == []


async def test_it_names_all_obstacles_at_once(app_with_policies: OldApp) -> None:
    with app_with_policies.as_owner() as owner:
        for change, _ in _OBSTACLES[:3]:
            owner.execute(change)
    with pytest.raises(MigrationError) as refusal:
        await migrator(app_with_policies).up()
    for _, obstacle in _OBSTACLES[:3]:
        assert obstacle in refusal.value.message


async def test_a_status_column_that_came_in_between_is_named_too(app_with_policies: OldApp) -> None:
    directory = our_sql.migrations()[:2]
    await Migrator(url=app_with_policies.database.url, migrations=directory).up()
    with app_with_policies.as_owner() as owner:
        owner.execute("alter table public.peer_mentors add column status text")
    before = catalogue_of(app_with_policies.database.url)
    with pytest.raises(MigrationError, match=r"peer_mentors\.status \(text\)"):
        await migrator(app_with_policies).up()
    assert differences(before, catalogue_of(app_with_policies.database.url)) == []


async def test_a_hundred_thousand_mentors_move_in_without_being_rewritten(app_with_policies: OldApp) -> None:
    with app_with_policies.as_owner() as owner:
        owner.execute(
            "insert into public.peer_mentors (organisation_id, user_id, display_name, first_name)"
            " select %s, gen_random_uuid(), 'Mentor ' || g, 'Mentor' from generate_series(1, 100000) as g",
            (ORGANISATION,),
        )
        owner.execute(
            "insert into public.chapter_memberships (mentor_id, chapter_id, organisation_id)"
            " select p.id, %s, p.organisation_id from public.peer_mentors as p where p.first_name = 'Mentor'",
            (CHAPTER,),
        )
    before = where_it_lies(app_with_policies)
    await migrator(app_with_policies).up()
    assert where_it_lies(app_with_policies) == before
    with app_with_policies.as_owner() as owner:
        rows = owner.execute(
            "select status::text, count(*) as mentors from public.peer_mentors group by status"
        ).fetchall()
    assert rows == [{"status": "active", "mentors": 100_002}]
    await migrator(app_with_policies).down(to=BOOTSTRAP[0].version)
    assert where_it_lies(app_with_policies) == before
    do_a_days_work(app_with_policies)


def where_it_lies(app: OldApp) -> list[dict[str, object]]:
    """The files of the app's tables: a table that is rewritten gets a new one."""
    with app.as_owner() as owner:
        return owner.execute(
            "select c.relname, c.relfilenode from pg_class as c where c.relname = any(%s) order by 1",
            (list(TABLES),),
        ).fetchall()


async def test_what_older_supabase_projects_open_to_everybody_is_closed(
    supabase_like: Database, database: Database
) -> None:
    """They grant everything in `public` to every client by default, and leave it to row security."""
    with psycopg.connect(supabase_like.url) as owner:
        for things in ("tables", "sequences", "functions"):
            owner.execute(
                sql.SQL(
                    "alter default privileges in schema public grant all on {} to anon, authenticated, service_role"
                ).format(sql.SQL(things))
            )
    await Migrator(url=supabase_like.url).up()
    found = differences(catalogue_of(database.url), catalogue_of(supabase_like.url))
    assert [line for line in found if "default grants" not in line] == []
