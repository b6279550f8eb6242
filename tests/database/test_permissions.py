"""Every cell of the table "who may do what": what each kind of person sees and may change, and what nobody else does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from tests.cast import World, add_certificate, add_device, build_world
from tests.database.acting import (
    NO_SUCH_MENTOR,
    NOT_YOURS,
    Session,
    call,
    count,
    deactivate,
    outcome_of,
    owner_session,
    pause,
    person_session,
    refused,
    service_session,
    update_status,
    visitor_session,
)
from tests.servers import Database

_MENTORS = ("ada", "finn", "greta")
# Whose mentors' status, history and certificates each of them reads and, by the functions, whose status they change.
_ANSWERS_FOR = {
    "ada": {"ada"},
    "finn": {"finn"},
    "greta": {"greta"},
    "bo": {"ada", "finn"},
    "cy": {"finn"},
    "dag": {"ada", "finn"},
    "eva": {"greta"},
    "hal": {"ada", "finn", "greta"},
    "stranger": set(),
    "service": {"ada", "finn", "greta"},
}
_OWN_CHAPTERS = {
    "bo": {"north"},
    "cy": {"south"},
    "dag": {"north", "south"},
    "eva": {"elsewhere"},
    "hal": {"north", "south", "elsewhere"},
    "service": {"north", "south", "elsewhere"},
}

each_person = pytest.mark.parametrize("who", _ANSWERS_FOR)


@pytest.fixture(scope="module")
def place(module_database: Database) -> World:
    """The cast, every mentor with a certificate, an override, a planned pause and a device."""
    world = build_world(module_database.url)
    mentors = (world.ada, world.finn, world.greta)
    with psycopg.connect(module_database.url) as connection:
        for mentor in mentors:
            add_certificate(
                connection, mentor, issued_on=date.today(), expires_on=date.today() + timedelta(days=300)
            )
            connection.execute(
                "insert into public.certification_overrides (organisation_id, mentor_id, justification, valid_until)"
                " values (%s, %s, 'the course was moved', current_date)",
                (mentor.organisation_id, mentor.mentor_id),
            )
            add_device(connection, mentor, f"token-of-{mentor.first_name}")
            connection.execute(
                "insert into public.expected_return_changes (organisation_id, mentor_id, expected_return_on, changed_at)"
                " values (%s, %s, '2099-01-01', now())",
                (mentor.organisation_id, mentor.mentor_id),
            )
    with owner_session(module_database) as owner:
        for mentor in mentors:
            pause(owner, mentor, p_pause_at="2099-01-01")
    return world


@contextmanager
def acting_as(database: Database, world: World, who: str) -> Iterator[Session]:
    """A session of one of the cast whose changes are all taken back at the end."""
    if who == "service":
        session = service_session(database)
    elif who == "stranger":
        session = person_session(database, world.stranger_id)
    else:
        session = person_session(database, getattr(world, who))
    with session, session.transaction(force_rollback=True):
        yield session


def person_id(world: World, who: str) -> UUID | None:
    """Whom `p_actor_id` must name."""
    if who == "service":
        return None
    return world.stranger_id if who == "stranger" else getattr(world, who).user_id


def seen(session: Session, world: World, table: LiteralString, column: LiteralString) -> set[str]:
    """Of which mentors of the cast a table shows a row."""
    names = {getattr(world, name).mentor_id: name for name in _MENTORS}
    rows = session.execute(
        sql.SQL("select distinct {} as id from {}").format(sql.SQL(column), sql.SQL(table))
    ).fetchall()
    return {names[row["id"]] for row in rows}


@pytest.mark.parametrize(
    "table, column",
    [
        ("public.peer_mentors", "id"),
        ("public.peer_mentor_status", "mentor_id"),
        ("public.peer_mentor_status_history", "mentor_id"),
        ("public.mentor_status_history", "mentor_id"),
        ("public.certifications", "mentor_id"),
        ("public.certification_overrides", "mentor_id"),
        ("public.scheduled_status_changes", "mentor_id"),
        ("public.chapter_memberships", "mentor_id"),
        ("public.expected_return_changes", "mentor_id"),
    ],
)
@each_person
def test_a_table_shows_the_mentors_one_answers_for_and_no_others(
    module_database: Database, place: World, who: str, table: LiteralString, column: LiteralString
) -> None:
    with acting_as(module_database, place, who) as session:
        assert seen(session, place, table, column) == _ANSWERS_FOR[who]


@each_person
def test_the_reading_functions_know_no_mentors_but_those(
    module_database: Database, place: World, who: str
) -> None:
    with acting_as(module_database, place, who) as session:
        for name in _MENTORS:
            mentor_id = getattr(place, name).mentor_id
            for function in ("get_mentor_status", "get_mentor_status_history"):
                with session.transaction(force_rollback=True):
                    answer = outcome_of(lambda: call(session, function, p_mentor_id=mentor_id))  # noqa: B023 - called at once
                if name in _ANSWERS_FOR[who]:
                    assert isinstance(answer, list)
                    assert len(answer) == 1
                else:
                    assert answer == NO_SUCH_MENTOR


_CHANGES: dict[str, Callable[[Session, World, str, str], object]] = {
    "pause": lambda session, world, who, name: pause(session, getattr(world, name)),
    "planned pause": lambda session, world, who, name: pause(
        session, getattr(world, name), p_pause_at="2098-01-01"
    ),
    "update": lambda session, world, who, name: update_status(
        session, getattr(world, name), "paused", person_id(world, who), "illness"
    ),
    "deactivate": lambda session, world, who, name: deactivate(session, getattr(world, name)),
    "cancel": lambda session, world, who, name: call(
        session, "rpc_cancel_scheduled_pause", p_mentor_id=getattr(world, name).mentor_id
    ),
}


@pytest.mark.parametrize("change", _CHANGES)
@each_person
def test_a_status_is_changed_by_those_who_answer_for_it_and_nobody_else(
    module_database: Database, place: World, who: str, change: str
) -> None:
    with acting_as(module_database, place, who) as session:
        for name in _MENTORS:
            with session.transaction(force_rollback=True):
                answer = outcome_of(lambda: _CHANGES[change](session, place, who, name))  # noqa: B023 - called at once
            if name in _ANSWERS_FOR[who]:
                assert answer not in ([], None)
                assert not isinstance(answer, str)
            else:
                assert answer == NOT_YOURS


@each_person
def test_a_plain_update_is_for_coordinators_and_admins(
    module_database: Database, place: World, who: str
) -> None:
    with acting_as(module_database, place, who) as session:
        changed = session.execute(
            "update public.peer_mentors set status = 'paused', pause_reason = 'illness' returning id"
        ).fetchall()
    expected = set() if who in _MENTORS else _ANSWERS_FOR[who]
    assert {row["id"] for row in changed} == {getattr(place, name).mentor_id for name in expected}


@each_person
def test_a_chapters_list_is_for_its_coordinators_and_admins(
    module_database: Database, place: World, who: str
) -> None:
    with acting_as(module_database, place, who) as session:
        for name in ("north", "south", "elsewhere"):
            chapter_id = getattr(place, name).chapter_id
            with session.transaction(force_rollback=True):
                answer = outcome_of(lambda: call(session, "list_chapter_mentors", p_chapter_id=chapter_id))  # noqa: B023 - called at once
            if name in _OWN_CHAPTERS.get(who, set()):
                assert isinstance(answer, list)
                assert answer
            else:
                assert answer == NOT_YOURS


@pytest.mark.parametrize(
    "who, chapters, organisations, roles, admins",
    [
        ("ada", {"north"}, 1, 0, 0),
        ("finn", {"north", "south"}, 1, 0, 0),
        ("bo", {"north"}, 1, 1, 0),
        ("cy", {"south"}, 1, 1, 0),
        ("dag", {"north", "south"}, 1, 2, 1),
        ("eva", {"elsewhere"}, 1, 1, 1),
        ("hal", {"north", "south", "elsewhere"}, 2, 3, 2),
        ("stranger", set(), 0, 0, 0),
    ],
)
def test_the_directory_shows_ones_own_corner(
    module_database: Database,
    place: World,
    who: str,
    chapters: set[str],
    organisations: int,
    roles: int,
    admins: int,
) -> None:
    with acting_as(module_database, place, who) as session:
        rows = session.execute("select name from public.chapters").fetchall()
        assert {row["name"] for row in rows} == chapters
        assert count(session, "select count(*) from public.organisations") == organisations
        assert count(session, "select count(*) from public.coordinator_roles") == roles
        assert count(session, "select count(*) from public.organisation_admins") == admins
        # Of people, and of devices, everybody sees their own.
        assert count(session, "select count(*) from public.people") == (0 if who == "stranger" else 1)
        assert count(session, "select count(*) from public.device_tokens") == (who in _MENTORS)


@pytest.mark.parametrize(
    "function, arguments",
    [
        ("update_mentor_status", "null, 'paused', null, 'illness'"),
        ("rpc_pause_mentor", "null, 'illness'"),
        ("rpc_reactivate_mentor", "null"),
        ("rpc_deactivate_mentor", "null, 'resigned'"),
        ("rpc_cancel_scheduled_pause", "null"),
        ("update_expected_return", "null, null"),
        ("get_mentor_status", "null"),
        ("get_mentor_status_history", "null"),
        ("list_chapter_mentors", "null"),
        ("register_device_token", "'some-device-token', 'web'"),
        ("release_device_token", "'some-device-token'"),
        ("run_certification_expiry", ""),
        ("certification_watchdog", ""),
    ],
)
def test_a_visitor_calls_nothing_but_the_public_roster(
    module_database: Database, place: World, function: LiteralString, arguments: LiteralString
) -> None:
    with visitor_session(module_database) as visitor:
        with refused(NOT_YOURS):
            visitor.execute(sql.SQL("select public.{}({})").format(sql.SQL(function), sql.SQL(arguments)))
        assert len(call(visitor, "public_chapter_roster", p_chapter_id=place.north.chapter_id)) == 2


def test_the_watchdog_is_for_admins_and_the_service(module_database: Database, place: World) -> None:
    for who in ("ada", "bo", "cy", "stranger"):
        with acting_as(module_database, place, who) as session, refused(NOT_YOURS):
            call(session, "certification_watchdog")
    for who in ("dag", "eva", "hal", "service"):
        with acting_as(module_database, place, who) as session:
            (row,) = call(session, "certification_watchdog")
            assert "ok" in row["certification_watchdog"]


def test_people_mark_their_own_inbox_and_nothing_else_in_it(
    database: Database, world: World, owner: Session
) -> None:
    (history,) = owner.execute(
        "select id from public.peer_mentor_status_history where mentor_id = %s", (world.ada.mentor_id,)
    ).fetchall()
    with service_session(database) as service:
        for recipient in (world.bo, world.dag):
            service.execute(
                "insert into public.notifications (organisation_id, recipient_id, mentor_id, history_id, event, payload)"
                " values (%s, %s, %s, %s, 'paused', '{}')",
                (world.organisation_id, recipient.user_id, world.ada.mentor_id, history["id"]),
            )
    with person_session(database, world.bo) as bo:
        assert count(bo, "select count(*) from public.notifications") == 1
        assert bo.execute("update public.notifications set read_at = now()").rowcount == 1
        for column in ("payload = '{}'", "recipient_id = gen_random_uuid()", "event = 'x'"):
            with refused(NOT_YOURS):
                bo.execute(f"update public.notifications set {column}".encode())
    with person_session(database, world.cy) as cy:
        assert count(cy, "select count(*) from public.notifications") == 0
    assert count(owner, "select count(*) from public.notifications where read_at is null") == 1
