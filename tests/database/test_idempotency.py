"""A request repeated with its key is answered as it was the first time, and done once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.cast import World
from tests.database.acting import (
    BAD_ARGUMENT,
    NOT_A_MOVE,
    NOT_YOURS,
    Row,
    Session,
    count,
    deactivate,
    mentor_row,
    moves,
    pause,
    person_session,
    reactivate,
    refused,
    service_session,
    status_of,
    update_status,
)
from tests.servers import Database

_KEY = {"p_idempotency_key": "3f7c"}


@pytest.fixture
def ada(database: Database, world: World) -> Iterator[Session]:
    with person_session(database, world.ada) as session:
        yield session


_REQUESTS: dict[str, Callable[[Session, World, Row], object]] = {
    "pause": lambda session, world, options: pause(session, world.ada, **options),
    "planned pause": lambda session, world, options: pause(
        session, world.ada, p_pause_at="2099-01-01 12:00+00", **options
    ),
    "deactivate": lambda session, world, options: deactivate(session, world.ada, **options),
    "update": lambda session, world, options: update_status(
        session, world.ada, "paused", world.ada, "illness", **options
    ),
}


@pytest.mark.parametrize("request_name", _REQUESTS)
def test_the_same_request_is_done_once_and_answered_twice(
    world: World, ada: Session, owner: Session, request_name: str
) -> None:
    send = _REQUESTS[request_name]
    first = send(ada, world, _KEY)
    before = owner.execute("select * from public.peer_mentor_status_history order by id").fetchall()
    assert send(ada, world, _KEY) == first
    assert owner.execute("select * from public.peer_mentor_status_history order by id").fetchall() == before
    assert count(owner, "select count(*) from public.idempotency_keys") == 1


def test_a_repeated_return_is_done_once(world: World, ada: Session, owner: Session) -> None:
    pause(ada, world.ada)
    first = reactivate(ada, world.ada, **_KEY)
    assert reactivate(ada, world.ada, **_KEY) == first
    assert len(moves(owner, world.ada)) == 3


def test_the_first_answer_stands_even_when_the_mentor_has_moved_on(
    world: World, ada: Session, owner: Session
) -> None:
    first = pause(ada, world.ada, **_KEY)
    reactivate(ada, world.ada)
    assert pause(ada, world.ada, **_KEY) == first
    assert status_of(owner, world.ada) == "active"


def test_a_conflict_is_repeated_as_a_conflict(world: World, ada: Session, owner: Session) -> None:
    seen = mentor_row(owner, world.ada)["updated_at"]
    owner.execute("update public.peer_mentors set listed = false")
    assert pause(ada, world.ada, p_expected_updated_at=seen, **_KEY) == []
    assert pause(ada, world.ada, p_expected_updated_at=seen, **_KEY) == []
    assert status_of(owner, world.ada) == "active"
    other = {"p_idempotency_key": "9b1d"}
    assert (
        update_status(ada, world.ada, "paused", world.ada, "illness", p_expected_updated_at=seen, **other)
        is None
    )
    assert (
        update_status(ada, world.ada, "paused", world.ada, "illness", p_expected_updated_at=seen, **other)
        is None
    )


@pytest.mark.parametrize(
    "options",
    [
        {"reason": "travel"},
        {"p_note": "other words"},
        {"p_expected_return_on": date.today() + timedelta(days=10)},
        {"p_pause_at": datetime.now(UTC) + timedelta(days=1)},
        {"p_expected_updated_at": datetime.now(UTC)},
    ],
)
def test_the_same_key_for_other_arguments_is_refused(
    world: World, ada: Session, owner: Session, options: Row
) -> None:
    pause(ada, world.ada, **_KEY)
    with refused(BAD_ARGUMENT):
        pause(ada, world.ada, **{**_KEY, **options})
    assert len(moves(owner, world.ada)) == 2


def test_the_same_key_for_another_function_or_mentor_is_refused(
    database: Database, world: World, owner: Session
) -> None:
    with person_session(database, world.bo) as bo:
        pause(bo, world.ada, **_KEY)
        with refused(BAD_ARGUMENT):
            reactivate(bo, world.ada, **_KEY)
        with refused(BAD_ARGUMENT):
            deactivate(bo, world.ada, **_KEY)
        with refused(BAD_ARGUMENT):
            pause(bo, world.finn, **_KEY)
    assert status_of(owner, world.finn) == "active"


def test_the_same_moment_written_in_another_time_zone_is_the_same_request(
    world: World, ada: Session, owner: Session
) -> None:
    seen = mentor_row(owner, world.ada)["updated_at"]
    ada.execute("set timezone = 'Europe/Oslo'")
    first = pause(ada, world.ada, p_expected_updated_at=seen, **_KEY)
    ada.execute("set timezone = 'Asia/Tokyo'")
    assert pause(ada, world.ada, p_expected_updated_at=seen, **_KEY) == first


def test_a_late_repetition_is_answered_though_it_could_not_be_asked_anew(
    world: World, ada: Session, owner: Session
) -> None:
    moment = datetime.now(UTC) - timedelta(minutes=4, seconds=50)
    first = pause(ada, world.ada, p_pause_at=moment, **_KEY)
    owner.execute(
        "create or replace function peerpause.clock() returns timestamptz"
        " language plpgsql stable parallel safe set search_path = pg_catalog, pg_temp"
        " as $$ begin return now() + interval '3 days'; end $$"
    )
    assert pause(ada, world.ada, p_pause_at=moment, **_KEY) == first


def test_a_planned_pause_is_answered_again_after_it_has_begun(
    world: World, ada: Session, owner: Session
) -> None:
    with ada.transaction():
        row = ada.execute("select now() + interval '1 microsecond' as soon").fetchone()
        assert row is not None
        first = pause(ada, world.ada, p_pause_at=row["soon"], **_KEY)
    assert pause(ada, world.ada, p_pause_at=row["soon"], **_KEY) == first
    assert count(owner, "select count(*) from public.scheduled_status_changes") == 1


def test_two_people_may_use_the_same_key(database: Database, world: World, owner: Session) -> None:
    with (
        person_session(database, world.ada) as ada,
        person_session(database, world.bo) as bo,
        service_session(database) as service,
    ):
        pause(ada, world.ada, **_KEY)
        with refused(NOT_A_MOVE):
            pause(bo, world.ada, **_KEY)
        reactivate(bo, world.ada, **_KEY)
        pause(service, world.ada, **_KEY)
        assert pause(service, world.ada, **_KEY)[0]["status"] == "paused"
    assert len(moves(owner, world.ada)) == 4


def test_a_refused_request_frees_its_key(world: World, ada: Session, owner: Session) -> None:
    with refused(NOT_A_MOVE):
        reactivate(ada, world.ada, **_KEY)
    with refused(BAD_ARGUMENT):
        pause(ada, world.ada, "no reason at all", **_KEY)
    pause(ada, world.ada, **_KEY)
    assert status_of(owner, world.ada) == "paused"


def test_a_key_is_forgotten_after_a_day(world: World, ada: Session, owner: Session) -> None:
    pause(ada, world.ada, **_KEY)
    reactivate(ada, world.ada)
    owner.execute("update public.idempotency_keys set created_at = now() - interval '23 hours 59 minutes'")
    pause(ada, world.ada, **_KEY)
    assert status_of(owner, world.ada) == "active"
    owner.execute("update public.idempotency_keys set created_at = now() - interval '24 hours 1 minute'")
    pause(ada, world.ada, **_KEY)
    assert status_of(owner, world.ada) == "paused"


def test_a_key_does_not_open_a_door(database: Database, world: World, ada: Session) -> None:
    """Rights are looked at before the kept answer is: a coordinator removed meanwhile learns nothing from it."""
    with person_session(database, world.bo) as bo, service_session(database) as service:
        pause(bo, world.ada, **_KEY)
        service.execute("update public.coordinator_roles set active = false")
        with refused(NOT_YOURS):
            pause(bo, world.ada, **_KEY)


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_has_1_to_255_characters(world: World, ada: Session, key: str) -> None:
    with refused(BAD_ARGUMENT):
        pause(ada, world.ada, p_idempotency_key=key)
    pause(ada, world.ada, p_idempotency_key="x" * 255)


def test_no_note_is_kept_beside_a_key(world: World, ada: Session, owner: Session) -> None:
    pause(ada, world.ada, p_note="my knee hurts", **_KEY)
    (row,) = owner.execute("select k::text as kept from public.idempotency_keys as k").fetchall()
    assert "knee" not in row["kept"]


def test_nobody_reads_the_kept_answers(database: Database, world: World, ada: Session) -> None:
    pause(ada, world.ada, **_KEY)
    for person in (world.ada, world.dag, world.hal):
        with person_session(database, person) as session, refused(NOT_YOURS):
            session.execute("select * from public.idempotency_keys")
