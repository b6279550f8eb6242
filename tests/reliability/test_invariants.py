"""What watches over the faults sees each kind of damage."""

from __future__ import annotations

import psycopg
import pytest

from tests.audit.recording import tell
from tests.cast import World, build_world
from tests.database.acting import pause, person_session
from tests.reliability.invariants import breaches
from tests.servers import Database


@pytest.fixture
async def world(database: Database) -> World:
    world = build_world(database.url)
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada)
    await tell(database)
    return world


def test_nothing_is_wrong_where_nothing_is(database: Database, world: World) -> None:
    assert breaches(database.url, {world.ada.mentor_id: 1}) == []


def test_a_change_that_was_acknowledged_and_is_not_there_is_seen(database: Database, world: World) -> None:
    assert breaches(database.url, {world.ada.mentor_id: 2})
    assert breaches(database.url, {})


@pytest.mark.parametrize(
    "damage",
    [
        "update public.peer_mentors set status = 'active', pause_at = null, pause_reason = null where status = 'paused'",
        "update public.peer_mentors set updated_at = now() + interval '1 minute' where status = 'paused'",
        "update public.peer_mentor_status_history set told_at = null where previous_status is not null",
        "update public.peer_mentor_status_history set previous_status = 'paused' where new_status = 'paused'",
        "delete from public.notifications",
        "insert into public.notifications select (jsonb_populate_record(n, jsonb_build_object('id', gen_random_uuid()))).*"
        " from public.notifications as n",
        "delete from public.peer_mentor_status_history where previous_status is not null",
    ],
)
def test_damage_is_seen(database: Database, world: World, damage: str) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute("set session_replication_role = replica")
        for constraint in ("history_is_a_legal_move",):
            connection.execute(
                f"alter table public.peer_mentor_status_history drop constraint {constraint}".encode()
            )
        connection.execute(
            "do $$ declare r record; begin for r in select conname from pg_constraint"
            " where conrelid = 'public.notifications'::regclass and contype = 'u' loop"
            " execute format('alter table public.notifications drop constraint %I', r.conname); end loop; end $$"
        )
        connection.execute(
            "do $$ declare r record; begin for r in select indexrelid::regclass as name from pg_index"
            " where indrelid = 'public.notifications'::regclass and indisunique and not indisprimary loop"
            " execute format('drop index %s', r.name); end loop; end $$"
        )
        connection.execute(damage.encode())
    assert breaches(database.url, {world.ada.mentor_id: 1})
