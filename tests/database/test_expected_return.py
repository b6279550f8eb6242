"""A paused mentor is expected back on another day: the pause goes on, the change is recorded beside the history, and pages hear of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from tests.cast import World, add_certificate, require_certificate
from tests.database.acting import (
    BAD_ARGUMENT,
    NO_SUCH_MENTOR,
    NOT_A_MOVE,
    NOT_YOURS,
    Row,
    Session,
    call,
    mentor_row,
    moves,
    outcome_of,
    pause,
    person_session,
    reactivate,
    refused,
    service_session,
)
from tests.servers import Database

# The organisation's day, which begins an hour or two before UTC's.
TODAY = datetime.now(ZoneInfo("Europe/Oslo")).date()
SOON = TODAY + timedelta(days=14)
LATER = TODAY + timedelta(days=60)


@pytest.fixture
def ada(database: Database, world: World) -> Iterator[Session]:
    with person_session(database, world.ada) as session:
        yield session


def move(session: Session, world: World, day: date | None, **options: object) -> list[Row]:
    return call(
        session,
        "update_expected_return",
        p_mentor_id=world.ada.mentor_id,
        p_expected_return_on=day,
        **options,
    )


def changes(owner: Session) -> list[tuple[Any, ...]]:
    rows = owner.execute("select * from public.expected_return_changes order by changed_at").fetchall()
    return [(row["previous_return_on"], row["expected_return_on"], row["changed_by"]) for row in rows]


def test_each_change_is_recorded_beside_the_history(
    database: Database, world: World, owner: Session, ada: Session
) -> None:
    pause(ada, world.ada, p_expected_return_on=SOON)
    move(ada, world, LATER)
    with person_session(database, world.bo) as bo:
        move(bo, world, None)
    with service_session(database) as service:
        move(service, world, SOON)
    assert changes(owner) == [
        (SOON, LATER, world.ada.user_id),
        (LATER, None, world.bo.user_id),
        (None, SOON, None),
    ]
    row = mentor_row(owner, world.ada)
    assert (row["status"], row["expected_return_on"]) == ("paused", SOON)
    assert moves(owner, world.ada) == [(None, "active"), ("active", "paused")]


def test_the_day_that_was_expected_already_changes_nothing(
    world: World, owner: Session, ada: Session
) -> None:
    pause(ada, world.ada, p_expected_return_on=SOON)
    before = mentor_row(owner, world.ada)["updated_at"]
    (answer,) = move(ada, world, SOON)
    assert answer["updated_at"] == before == mentor_row(owner, world.ada)["updated_at"]
    assert changes(owner) == []


def test_who_saw_an_older_row_changes_nothing(world: World, owner: Session, ada: Session) -> None:
    (seen,) = pause(ada, world.ada, p_expected_return_on=SOON)
    move(ada, world, LATER, p_expected_updated_at=seen["updated_at"])
    assert move(ada, world, None, p_expected_updated_at=seen["updated_at"]) == []
    assert mentor_row(owner, world.ada)["expected_return_on"] == LATER


def test_a_request_sent_twice_changes_once(world: World, owner: Session, ada: Session) -> None:
    pause(ada, world.ada, p_expected_return_on=SOON)
    first = move(ada, world, LATER, p_idempotency_key="k")
    move(ada, world, None)
    assert move(ada, world, LATER, p_idempotency_key="k") == first
    assert mentor_row(owner, world.ada)["expected_return_on"] is None
    with refused(BAD_ARGUMENT):
        move(ada, world, SOON, p_idempotency_key="k")


def test_what_makes_no_sense_is_refused(world: World, owner: Session, ada: Session) -> None:
    with refused(NOT_A_MOVE):
        move(ada, world, LATER)
    pause(ada, world.ada)
    with refused(BAD_ARGUMENT):
        move(ada, world, TODAY - timedelta(days=2))
    reactivate(ada, world.ada)
    with refused(NOT_A_MOVE):
        move(ada, world, LATER)
    assert changes(owner) == []


def test_it_is_for_those_who_may_change_the_mentor(database: Database, world: World, ada: Session) -> None:
    pause(ada, world.ada)
    for who in (world.cy, world.eva, world.finn, world.greta, world.stranger_id):
        with person_session(database, who) as session, refused(NOT_YOURS):
            move(session, world, LATER)
    for who in (world.ada, world.bo, world.dag, world.hal):
        with person_session(database, who) as session, session.transaction(force_rollback=True):
            assert move(session, world, LATER)


def test_the_record_stays_as_it_is(world: World, owner: Session, ada: Session) -> None:
    pause(ada, world.ada)
    move(ada, world, LATER)
    for statement in (
        "update public.expected_return_changes set changed_by = null",
        "delete from public.expected_return_changes",
        "truncate public.expected_return_changes",
    ):
        with refused(NOT_YOURS):
            owner.execute(statement.encode())


def test_open_pages_hear_of_it_and_nobody_is_notified(
    database: Database, world: World, owner: Session, ada: Session
) -> None:
    pause(ada, world.ada)
    with psycopg.connect(database.url, autocommit=True) as listener:
        listener.execute("listen peerpause_told")
        move(ada, world, LATER)
        (heard,) = listener.notifies(timeout=10, stop_after=1)
    (change,) = owner.execute("select id from public.expected_return_changes").fetchall()
    assert heard.payload == f"{world.organisation_id} {change['id']}"
    assert owner.execute("select from public.mentor_notices").fetchall() == []


def test_a_mentors_standing_is_for_those_who_may_change_the_mentor(database: Database, world: World) -> None:
    for function in ("standing_of_mentor", "chapters_of_mentor"):
        for who in (world.ada, world.bo, world.dag):
            with person_session(database, who) as session:
                assert ask(session, function, world.ada.mentor_id)
        for who in (world.cy, world.finn, world.eva):
            with person_session(database, who) as session, refused(NOT_YOURS):
                ask(session, function, world.ada.mentor_id)
        with service_session(database) as service:
            assert outcome_of(lambda: ask(service, function, world.stranger_id)) == NO_SUCH_MENTOR  # noqa: B023 - called at once


def test_a_standing_says_what_keeps_a_mentor_off_the_public_page(
    world: World, owner: Session, ada: Session
) -> None:
    assert standing(ada, world)["is_public"] is True
    require_certificate(owner, world.organisation_id)
    bare = standing(ada, world)
    assert (bare["is_certified"], bare["is_public"], bare["blocking_lapse"]) == (False, False, None)
    last_day = TODAY - timedelta(days=3)
    add_certificate(owner, world.ada, issued_on=last_day - timedelta(days=300), expires_on=last_day)
    assert standing(ada, world)["blocking_lapse"] == last_day
    owner.execute(
        "insert into public.certification_overrides (organisation_id, mentor_id, justification, valid_until)"
        " values (%s, %s, 'the course was moved', %s)",
        (world.organisation_id, world.ada.mentor_id, LATER),
    )
    covered = standing(ada, world)
    assert (covered["blocking_lapse"], covered["covered_until"], covered["is_public"]) == (None, LATER, False)
    add_certificate(owner, world.ada, issued_on=last_day, expires_on=LATER)
    assert standing(ada, world)["is_public"] is True
    owner.execute("update public.peer_mentors set listed = false where id = %s", (world.ada.mentor_id,))
    assert standing(ada, world)["is_public"] is False


def test_a_chapter_knows_whether_anybody_else_is_active_there(
    database: Database, world: World, ada: Session
) -> None:
    with person_session(database, world.finn) as finn:
        rows = ask(finn, "chapters_of_mentor", world.finn.mentor_id)
        assert [(row["name"], row["has_others_active"]) for row in rows] == [
            ("north", True),
            ("south", False),
        ]
        pause(ada, world.ada)
        rows = ask(finn, "chapters_of_mentor", world.finn.mentor_id)
        assert [row["has_others_active"] for row in rows] == [False, False]


def standing(session: Session, world: World) -> Row:
    (row,) = ask(session, "standing_of_mentor", world.ada.mentor_id)
    return row


def ask(session: Session, function: str, mentor_id: object) -> list[Row]:
    return session.execute(f"select * from peerpause.{function}(%s)".encode(), (mentor_id,)).fetchall()
