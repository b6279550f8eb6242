"""What the catalogue says of our tables and functions: row security on each, and no right that was not written out."""

from __future__ import annotations

import asyncio
from typing import LiteralString

from psycopg import sql

from peerpause.database.migrate import Migrator
from tests.cast import World
from tests.database.acting import (
    NOT_YOURS,
    Session,
    count,
    owner_session,
    refused,
    service_session,
    visitor_session,
)
from tests.servers import Database


def test_a_visitor_reads_no_table_and_no_view(database: Database, owner: Session) -> None:
    with visitor_session(database) as visitor:
        for name in our_tables(owner):
            with refused(NOT_YOURS):
                visitor.execute(sql.SQL("select from {}").format(sql.SQL(name)))


def test_the_service_role_writes_the_tables_it_works_with(database: Database, world: World) -> None:
    with service_session(database) as service:
        service.execute(
            "insert into public.certification_overrides (organisation_id, mentor_id, justification, valid_until)"
            " values (%s, %s, 'the course was moved', current_date)",
            (world.organisation_id, world.ada.mentor_id),
        )
        service.execute("insert into public.job_runs (job) values ('certification_watchdog')")
        service.execute(
            "insert into public.scheduled_status_changes (organisation_id, mentor_id, effective_at, reason)"
            " values (%s, %s, now(), 'travel')",
            (world.organisation_id, world.ada.mentor_id),
        )
        service.execute(
            "insert into public.webhook_endpoints (organisation_id, url, secret) values (%s, 'https://example.org', 'x')",
            (world.organisation_id,),
        )
        assert count(service, "select count(*) from public.webhook_endpoints where secret = 'x'") == 1


def our_tables(owner: Session) -> list[LiteralString]:
    """Every table and view of the schemas public and peerpause."""
    rows = owner.execute(
        "select c.oid::regclass::text as name from pg_class as c"
        " where c.relnamespace in ('public'::regnamespace, 'peerpause'::regnamespace) and c.relkind in ('r', 'p', 'v', 'm')"
    ).fetchall()
    assert len(rows) > 18
    return [row["name"] for row in rows]


def test_every_table_of_ours_has_row_security_that_binds_its_owner_too(owner: Session) -> None:
    rows = owner.execute(
        "select c.relname from pg_class as c"
        " where c.relnamespace in ('public'::regnamespace, 'peerpause'::regnamespace) and c.relkind in ('r', 'p')"
        " and not (c.relrowsecurity and c.relforcerowsecurity)"
    ).fetchall()
    assert rows == []


def test_every_view_of_ours_reads_with_the_rights_of_its_reader(owner: Session) -> None:
    rows = owner.execute(
        "select c.relname from pg_class as c where c.relnamespace = 'public'::regnamespace and c.relkind = 'v'"
        " and not coalesce('security_invoker=true' = any(c.reloptions), false)"
    ).fetchall()
    assert rows == []


_PRIVILEGES = (
    "select r.role, c.oid::regclass::text as name, p.privilege"
    " from pg_class as c, unnest('{anon, authenticated}'::text[]) as r (role),"
    " unnest('{select, insert, update, delete, truncate, references, trigger}'::text[]) as p (privilege)"
    " where c.relnamespace in ('public'::regnamespace, 'peerpause'::regnamespace) and c.relkind in ('r', 'p', 'v')"
    " and has_table_privilege(r.role, c.oid, p.privilege)"
    " order by 1, 2, 3"
)


def test_clients_hold_no_right_to_a_whole_table_but_to_read(owner: Session) -> None:
    rows = owner.execute(_PRIVILEGES).fetchall()
    assert {(row["role"], row["privilege"]) for row in rows} == {("authenticated", "select")}


def test_a_database_that_gives_new_tables_to_everyone_does_not_open_ours(
    database: Database, empty_database: Database, owner: Session
) -> None:
    """Supabase projects made before 2026 do so: `alter default privileges … grant all on tables to anon, authenticated`."""
    with owner_session(empty_database) as generous:
        for kind in ("tables", "functions", "sequences"):
            generous.execute(
                f"alter default privileges in schema public grant all on {kind} to anon, authenticated, service_role".encode()
            )
        asyncio.run(Migrator(url=empty_database.url).up())
        assert generous.execute(_PRIVILEGES).fetchall() == owner.execute(_PRIVILEGES).fetchall()
        assert generous.execute(_FUNCTIONS).fetchall() == owner.execute(_FUNCTIONS).fetchall()


_FUNCTIONS = (
    "select r.role, p.oid::regprocedure::text as name, p.proname"
    " from pg_proc as p, unnest('{anon, authenticated}'::text[]) as r (role)"
    " where p.pronamespace in ('public'::regnamespace, 'peerpause'::regnamespace)"
    " and has_function_privilege(r.role, p.oid, 'execute')"
    " order by 1, 2"
)


def test_a_visitor_may_call_what_is_public_by_name_and_nothing_else(owner: Session) -> None:
    rows = owner.execute(_FUNCTIONS).fetchall()
    open_to_all = {row["proname"] for row in rows if row["role"] == "anon"}
    assert "public_chapter_roster" in open_to_all
    assert {name for name in open_to_all if not name.startswith("public_")} == set()
