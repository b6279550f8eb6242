"""A pause may start later: planned, replaced, taken back, and begun exactly once when its time has come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

from tests.cast import World, add_chapter, add_mentor, add_organisation
from tests.database.acting import (
    BAD_ARGUMENT,
    NOT_A_MOVE,
    NOT_YOURS,
    Row,
    Session,
    assert_whole_trail,
    call,
    count,
    deactivate,
    mentor_row,
    moves,
    pause,
    person_session,
    refused,
    service_session,
    status_of,
    trail,
)
from tests.servers import Database


@pytest.fixture
def ada(database: Database, world: World) -> Iterator[Session]:
    with person_session(database, world.ada) as session:
        yield session


@pytest.fixture
def worker(database: Database) -> Iterator[Session]:
    with service_session(database) as session:
        yield session


def later(days: int = 3) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def plans(owner: Session) -> list[Row]:
    """The planned pauses, oldest first."""
    return owner.execute("select * from public.scheduled_status_changes order by id").fetchall()


def cancel(session: Session, world: World) -> bool:
    (row,) = call(session, "rpc_cancel_scheduled_pause", p_mentor_id=world.ada.mentor_id)
    return bool(row["rpc_cancel_scheduled_pause"])


def begin_due(worker: Session) -> tuple[int, int]:
    row = worker.execute("select * from peerpause.apply_scheduled_changes(100)").fetchone()
    assert row is not None
    return row["o_applied"], row["o_skipped"]


def make_due(owner: Session) -> None:
    owner.execute("update public.scheduled_status_changes set effective_at = now() where settled_at is null")


def test_a_pause_that_lies_ahead_is_planned_and_changes_nothing_yet(
    world: World, ada: Session, owner: Session
) -> None:
    moment = later()
    before = mentor_row(owner, world.ada)
    (answer,) = pause(ada, world.ada, "travel", p_pause_at=moment, p_note="away")
    assert answer["status"] == "active"
    # A plan is part of what clients see: who saw the mentor without it has seen an older state.
    after = mentor_row(owner, world.ada)
    assert after["updated_at"] == answer["updated_at"] > before["updated_at"]
    assert after | {"updated_at": before["updated_at"]} == before
    assert moves(owner, world.ada) == [(None, "active")]
    (plan,) = plans(owner)
    assert (plan["effective_at"], plan["reason"], plan["note"], plan["requested_by"], plan["outcome"]) == (
        moment,
        "travel",
        "away",
        world.ada.user_id,
        None,
    )
    (status,) = call(ada, "get_mentor_status", p_mentor_id=world.ada.mentor_id)
    assert status["scheduled_pause_at"] == moment


def test_a_new_plan_replaces_the_old_one(world: World, ada: Session, owner: Session) -> None:
    pause(ada, world.ada, "travel", p_pause_at=later(3))
    pause(ada, world.ada, "family", p_pause_at=later(9))
    first, second = plans(owner)
    assert (first["outcome"], first["settled_by"]) == ("superseded", world.ada.user_id)
    assert (second["outcome"], second["reason"]) == (None, "family")


def test_a_plan_is_taken_back(world: World, ada: Session, owner: Session, worker: Session) -> None:
    pause(ada, world.ada, p_pause_at=later())
    assert cancel(ada, world) is True
    assert cancel(ada, world) is False
    (plan,) = plans(owner)
    assert (plan["outcome"], plan["settled_by"]) == ("cancelled", world.ada.user_id)
    make_due(owner)
    assert begin_due(worker) == (0, 0)
    assert status_of(owner, world.ada) == "active"


def test_a_coordinator_may_plan_and_take_back_but_a_stranger_may_not(
    database: Database, world: World, ada: Session, owner: Session
) -> None:
    pause(ada, world.ada, p_pause_at=later())
    with person_session(database, world.cy) as cy:
        with refused(NOT_YOURS):
            cancel(cy, world)
        with refused(NOT_YOURS):
            pause(cy, world.ada, p_pause_at=later())
        assert cy.execute("select mentor_id from public.scheduled_status_changes").fetchall() == []
    with person_session(database, world.bo) as bo:
        assert len(bo.execute("select mentor_id from public.scheduled_status_changes").fetchall()) == 1
        assert cancel(bo, world) is True
    assert plans(owner)[0]["settled_by"] == world.bo.user_id


def test_a_due_pause_begins_once_in_the_name_of_who_asked_for_it(
    world: World, ada: Session, owner: Session, worker: Session
) -> None:
    back = date.today() + timedelta(days=20)
    pause(ada, world.ada, "travel", p_pause_at=later(), p_note="away", p_expected_return_on=back)
    assert begin_due(worker) == (0, 0)
    make_due(owner)
    assert begin_due(worker) == (1, 0)
    assert begin_due(worker) == (0, 0)
    row = mentor_row(owner, world.ada)
    assert (row["status"], row["pause_reason"], row["pause_note"], row["expected_return_on"]) == (
        "paused",
        "travel",
        "away",
        back,
    )
    assert trail(owner, world.ada)[-1].changed_by == world.ada.user_id
    assert plans(owner)[0]["outcome"] == "applied"
    assert_whole_trail(owner, world.ada)


@pytest.mark.parametrize("status", ["paused", "inactive"])
def test_a_due_pause_of_a_mentor_who_is_not_active_is_skipped(
    world: World, ada: Session, owner: Session, worker: Session, status: str
) -> None:
    pause(ada, world.ada, p_pause_at=later())
    if status == "paused":
        pause(ada, world.ada)
    else:
        deactivate(ada, world.ada)
    before = trail(owner, world.ada)
    make_due(owner)
    assert begin_due(worker) == (0, 1)
    assert plans(owner)[0]["outcome"] == "skipped"
    assert trail(owner, world.ada) == before


def test_the_one_who_asked_may_have_lost_the_right_meanwhile_but_the_plan_stands(
    database: Database, world: World, owner: Session, worker: Session
) -> None:
    with person_session(database, world.bo) as bo:
        pause(bo, world.ada, p_pause_at=later())
    owner.execute("update public.coordinator_roles set active = false")
    make_due(owner)
    assert begin_due(worker) == (1, 0)


def test_a_worker_takes_no_more_than_it_is_told_to_and_the_earliest_first(
    world: World, owner: Session, worker: Session
) -> None:
    pause(owner, world.finn, p_pause_at=later(1))
    pause(owner, world.ada, p_pause_at=later(2))
    owner.execute(
        "update public.scheduled_status_changes set effective_at = effective_at - interval '9 days'"
    )
    assert worker.execute("select * from peerpause.apply_scheduled_changes(1)").fetchone() == {
        "o_applied": 1,
        "o_skipped": 0,
    }
    assert [status_of(owner, mentor) for mentor in (world.finn, world.ada)] == ["paused", "active"]


@pytest.mark.parametrize("status", ["paused", "inactive"])
def test_a_pause_cannot_be_planned_for_a_mentor_who_is_not_active(
    world: World, ada: Session, owner: Session, status: str
) -> None:
    if status == "paused":
        pause(ada, world.ada)
    else:
        deactivate(ada, world.ada)
    with refused(NOT_A_MOVE):
        pause(ada, world.ada, p_pause_at=later())
    assert plans(owner) == []


def test_a_moment_long_past_is_a_mistake_and_a_recent_one_means_now(
    world: World, ada: Session, owner: Session
) -> None:
    with refused(BAD_ARGUMENT):
        pause(ada, world.ada, p_pause_at=datetime.now(UTC) - timedelta(minutes=6))
    (answer,) = pause(ada, world.ada, p_pause_at=datetime.now(UTC) - timedelta(minutes=4))
    assert answer["paused_at"] == answer["updated_at"]


def test_a_return_before_the_pause_begins_is_refused(world: World, ada: Session, owner: Session) -> None:
    with refused(BAD_ARGUMENT):
        pause(ada, world.ada, p_expected_return_on=date.today() - timedelta(days=2))
    begins = later(10)
    with refused(BAD_ARGUMENT):
        pause(ada, world.ada, p_pause_at=begins, p_expected_return_on=begins.date() - timedelta(days=2))
    assert plans(owner) == []
    pause(ada, world.ada, p_pause_at=begins, p_expected_return_on=begins.date() + timedelta(days=2))
    assert len(plans(owner)) == 1


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Oslo"])
def test_the_first_day_is_told_by_the_organisations_calendar(
    database: Database, world: World, owner: Session, zone: str
) -> None:
    """On Kiritimati it is tomorrow already when it is still yesterday on Pago Pago."""
    with psycopg.connect(database.url) as connection:
        organisation_id = add_organisation(connection, "Far away", time_zone=zone)
        chapter = add_chapter(connection, organisation_id, "island")
        ida = add_mentor(connection, "Ida", chapters=[chapter])
    begins = (datetime.now(UTC) + timedelta(days=5)).replace(hour=10, minute=30)
    first_day = begins.astimezone(ZoneInfo(zone)).date()
    with refused(BAD_ARGUMENT) as refusal:
        pause(owner, ida, p_pause_at=begins, p_expected_return_on=first_day - timedelta(days=1))
    assert str(first_day) in (refusal.value.diag.message_hint or "")
    pause(owner, ida, p_pause_at=begins, p_expected_return_on=first_day)
    assert count(owner, "select count(*) from public.scheduled_status_changes") == 1
