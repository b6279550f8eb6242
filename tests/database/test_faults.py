"""Something breaks in the middle: a connection dies, the history cannot be written, one mentor of many is broken. Nothing is left half done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from typing import LiteralString

import psycopg
import pytest

from tests.cast import Mentor, World, add_certificate, add_mentor, require_certificate
from tests.database.acting import (
    Row,
    Session,
    assert_whole_trail,
    call,
    count,
    deactivate,
    mentor_row,
    moves,
    outcome_of,
    pause,
    person_session,
    reactivate,
    refused,
    service_session,
    status_of,
    trail,
    update_status,
    wait_until_blocked,
)
from tests.servers import Database

_BROKEN = "XX001"
_ADMIN_SHUTDOWN = "57P01"
_DOOR = 4711  # an advisory lock that stands for "not yet"


@pytest.fixture
def ada(database: Database, world: World) -> Iterator[Session]:
    with person_session(database, world.ada) as session:
        yield session


def plain_pause(session: Session, mentor: Mentor) -> object:
    return session.execute(
        "update public.peer_mentors set status = 'paused', pause_reason = 'illness' where id = %s",
        (mentor.mentor_id,),
    ).rowcount


def bulk_pause(session: Session, mentor: Mentor) -> object:
    return session.execute(
        "update public.peer_mentors set status = 'paused', pause_reason = 'illness' where organisation_id = %s",
        (mentor.organisation_id,),
    ).rowcount


def kill(owner: Session, session: Session) -> None:
    owner.execute("select pg_terminate_backend(%s, 5000)", (session.info.backend_pid,))


@pytest.mark.parametrize("change", [pause, plain_pause, bulk_pause])
def test_a_connection_killed_between_the_update_and_the_commit_changes_neither_table(
    database: Database, world: World, owner: Session, change: Callable[[Session, Mentor], object]
) -> None:
    before = mentor_row(owner, world.ada)
    with person_session(database, world.bo) as bo:
        bo.execute("begin")
        change(bo, world.ada)
        kill(owner, bo)
        with refused(_ADMIN_SHUTDOWN):
            bo.execute("commit")
    assert mentor_row(owner, world.ada) == before
    assert moves(owner, world.ada) == [(None, "active")]


def test_a_connection_killed_between_the_update_and_its_history_row_changes_neither_table(
    database: Database, world: World, owner: Session, ada: Session
) -> None:
    hold_history_back(owner)
    before = mentor_row(owner, world.ada)
    with psycopg.connect(database.url, autocommit=True) as keeper, ThreadPoolExecutor() as threads:
        keeper.execute("select pg_advisory_lock(%s)", (_DOOR,))
        running = threads.submit(outcome_of, partial(pause, ada, world.ada))
        wait_until_blocked(owner, ada, by=keeper)  # type: ignore[arg-type]  # only its process id is asked for
        kill(owner, ada)
        assert running.result() == _ADMIN_SHUTDOWN
    assert mentor_row(owner, world.ada) == before
    assert moves(owner, world.ada) == [(None, "active")]


def test_a_killed_connection_leaves_no_lock_and_no_key_behind(
    database: Database, world: World, owner: Session, ada: Session
) -> None:
    with person_session(database, world.ada) as doomed:
        doomed.execute("begin")
        pause(doomed, world.ada, p_idempotency_key="break")
        kill(owner, doomed)
        with refused(_ADMIN_SHUTDOWN):
            doomed.execute("commit")
    ada.execute("set lock_timeout = '5s'")
    assert pause(ada, world.ada, p_idempotency_key="break")[0]["status"] == "paused"
    assert_whole_trail(owner, world.ada)


_CHANGES: dict[str, Callable[[Session, World], object]] = {
    "pause": lambda session, world: pause(session, world.finn),
    "reactivate": lambda session, world: reactivate(session, world.ada),
    "deactivate": lambda session, world: deactivate(session, world.finn),
    "resign while paused": lambda session, world: deactivate(session, world.ada),
    "update": lambda session, world: update_status(session, world.ada, "active", world.bo, None),
    "plain update": lambda session, world: plain_pause(session, world.finn),
    "bulk update": lambda session, world: bulk_pause(session, world.finn),
}


@pytest.mark.parametrize("change", _CHANGES)
def test_a_history_that_cannot_be_written_leaves_the_status_as_it_was(
    database: Database, world: World, owner: Session, change: str
) -> None:
    pause(owner, world.ada)
    break_history(owner)
    before = owner.execute("select * from public.peer_mentors order by id").fetchall()
    rows = count(owner, "select count(*) from public.peer_mentor_status_history")
    with person_session(database, world.bo) as bo, refused(_BROKEN):
        _CHANGES[change](bo, world)
    assert owner.execute("select * from public.peer_mentors order by id").fetchall() == before
    assert count(owner, "select count(*) from public.peer_mentor_status_history") == rows


def test_a_failed_change_frees_its_key(world: World, owner: Session, ada: Session) -> None:
    break_history(owner)
    with refused(_BROKEN):
        pause(ada, world.ada, p_idempotency_key="break")
    assert count(owner, "select count(*) from public.idempotency_keys") == 0
    owner.execute("drop trigger broken on public.peer_mentor_status_history")
    assert pause(ada, world.ada, p_idempotency_key="break")[0]["status"] == "paused"


def test_resigning_from_a_pause_takes_both_steps_or_none(world: World, owner: Session, ada: Session) -> None:
    pause(ada, world.ada)
    break_rows(owner, "public.peer_mentor_status_history", "insert", "new.new_status = 'inactive'")
    with refused(_BROKEN):
        deactivate(ada, world.ada)
    assert status_of(owner, world.ada) == "paused"
    assert moves(owner, world.ada) == [(None, "active"), ("active", "paused")]


@pytest.fixture
def lapsed(database: Database, world: World) -> list[Mentor]:
    """Twelve active mentors of the chapter north whose required certificate has run out, Ada not among them."""
    with psycopg.connect(database.url) as connection:
        require_certificate(connection, world.organisation_id)
        mentors = [add_mentor(connection, f"Ida{number}", chapters=[world.north]) for number in range(12)]
        for mentor in mentors:
            add_certificate(connection, mentor, issued_on=date(2020, 1, 1), expires_on=date(2020, 12, 31))
    return mentors


def test_one_broken_mentor_is_named_and_the_check_goes_on_with_the_rest(
    database: Database, world: World, owner: Session, lapsed: list[Mentor]
) -> None:
    broken = lapsed[4]
    break_rows(owner, "public.peer_mentors", "update", f"new.id = '{broken.mentor_id}'")
    warnings: list[str] = []
    with service_session(database) as service:
        service.add_notice_handler(lambda notice: warnings.append(notice.message_primary or ""))
        answer = run_check(service)
    assert {name: answer[name] for name in ("status", "queried", "paused", "skipped", "errors")} == {
        "status": "succeeded",
        "queried": 12,
        "paused": 11,
        "skipped": 0,
        "errors": 1,
    }
    run = owner.execute("select * from public.job_runs where id = %s", (answer["job_id"],)).fetchone()
    assert run is not None
    assert run["failures"] == [{"mentor_id": str(broken.mentor_id), "sqlstate": _BROKEN}]
    (warning,) = warnings
    assert str(broken.mentor_id) in warning
    assert _BROKEN in warning
    for mentor in lapsed:
        assert status_of(owner, mentor) == ("active" if mentor is broken else "paused")
        assert_whole_trail(owner, mentor)


def test_the_next_check_takes_the_mentor_that_was_broken(
    world: World, owner: Session, lapsed: list[Mentor]
) -> None:
    break_rows(owner, "public.peer_mentors", "update", f"new.id = '{lapsed[0].mentor_id}'")
    run_check(owner)
    owner.execute("drop trigger broken on public.peer_mentors")
    answer = run_check(owner)
    assert (answer["paused"], answer["skipped"], answer["errors"]) == (1, 11, 0)


def test_a_mentor_held_by_somebody_else_is_left_for_the_next_check(
    database: Database, owner: Session, lapsed: list[Mentor]
) -> None:
    with person_session(database, lapsed[0]) as mentor, service_session(database) as service:
        service.execute("set lock_timeout = '5s'")
        with mentor.transaction(force_rollback=True):
            pause(mentor, lapsed[0])
            answer = run_check(service)
        assert (answer["paused"], answer["skipped"]) == (11, 1)
        assert status_of(owner, lapsed[0]) == "active"
        assert run_check(service)["paused"] == 1


def test_a_check_that_dies_midway_has_done_nothing_and_the_next_does_it_all(
    database: Database, owner: Session, lapsed: list[Mentor]
) -> None:
    with service_session(database) as doomed:
        doomed.execute("begin")
        assert run_check(doomed)["paused"] == 12
        kill(owner, doomed)
        with refused(_ADMIN_SHUTDOWN):
            doomed.execute("commit")
    assert count(owner, "select count(*) from public.peer_mentors where status = 'paused'") == 0
    with service_session(database) as service:
        assert run_check(service)["paused"] == 12


def test_a_planned_pause_that_cannot_begin_is_named_stays_due_and_holds_up_nobody(
    database: Database, world: World, owner: Session
) -> None:
    for mentor in (world.ada, world.finn):
        pause(owner, mentor, p_pause_at="2099-01-01")
    owner.execute("update public.scheduled_status_changes set effective_at = now()")
    break_rows(owner, "public.peer_mentors", "update", f"new.id = '{world.ada.mentor_id}'")
    warnings: list[str] = []
    with service_session(database) as worker:
        worker.add_notice_handler(lambda notice: warnings.append(notice.message_primary or ""))
        assert apply_scheduled(worker) == {"o_applied": 1, "o_skipped": 0}
        assert warnings == [
            f"the planned pause of mentor {world.ada.mentor_id} could not begin (SQLSTATE {_BROKEN})"
        ]
        assert [status_of(owner, mentor) for mentor in (world.ada, world.finn)] == ["active", "paused"]
        owner.execute("drop trigger broken on public.peer_mentors")
        assert apply_scheduled(worker) == {"o_applied": 1, "o_skipped": 0}
    assert status_of(owner, world.ada) == "paused"


def test_a_statement_that_takes_too_long_changes_nothing(
    database: Database, world: World, owner: Session, ada: Session
) -> None:
    hold_history_back(owner)
    with psycopg.connect(database.url, autocommit=True) as keeper:
        keeper.execute("select pg_advisory_lock(%s)", (_DOOR,))
        ada.execute("set statement_timeout = '200ms'")
        with refused("57014"):
            pause(ada, world.ada)
    assert moves(owner, world.ada) == [(None, "active")]
    assert status_of(owner, world.ada) == "active"


def test_a_change_undone_by_a_savepoint_leaves_no_row(world: World, owner: Session, ada: Session) -> None:
    with ada.transaction():
        with ada.transaction(force_rollback=True):
            pause(ada, world.ada, "illness")
        pause(ada, world.ada, "travel")
    assert [change.reason for change in trail(owner, world.ada)] == [None, "travel"]
    assert_whole_trail(owner, world.ada)


def break_history(owner: Session) -> None:
    break_rows(owner, "public.peer_mentor_status_history", "insert", "true")


def break_rows(owner: Session, table: LiteralString, operation: LiteralString, condition: str) -> None:
    """From now on this operation on such a row of the table fails."""
    owner.execute(
        "create function public.broken() returns trigger language plpgsql as"
        f" $$ begin raise exception 'broken on purpose' using errcode = '{_BROKEN}'; end $$".encode()
    )
    owner.execute(
        f"create trigger broken before {operation} on {table} for each row when ({condition})"
        " execute function public.broken()".encode()
    )


def hold_history_back(owner: Session) -> None:
    """From now on a history row waits until nobody holds the door."""
    owner.execute(
        "create function public.wait_at_the_door() returns trigger language plpgsql as"
        f" $$ begin perform pg_advisory_xact_lock_shared({_DOOR}); return new; end $$".encode()
    )
    owner.execute(
        "create trigger waits before insert on public.peer_mentor_status_history"
        " for each row execute function public.wait_at_the_door()"
    )


def run_check(session: Session) -> Row:
    (row,) = call(session, "run_certification_expiry")
    answer: Row = row["run_certification_expiry"]
    return answer


def apply_scheduled(session: Session) -> Row:
    row = session.execute("select * from peerpause.apply_scheduled_changes(100)").fetchone()
    assert row is not None
    return row
