"""Who talks to the database in a test, what they ask of it, and whether the trail they leave holds together.

A session commits each statement by itself unless a test opens a transaction. Refusals are told by their SQLSTATE.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from tests.cast import Mentor, Person
from tests.servers import Database

NOT_A_MOVE = "P0001"
NOT_YOURS = "42501"
NO_SUCH_MENTOR = "PT404"
BAD_ARGUMENT = "22023"

Row: TypeAlias = dict[str, Any]
Session: TypeAlias = psycopg.Connection[Row]


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the history."""

    previous_status: str | None
    new_status: str
    changed_by: UUID | None
    changed_at: datetime
    reason: str | None


def person_session(database: Database, person: Person | UUID) -> Session:
    """The session of a signed-in person."""
    user_id = person.user_id if isinstance(person, Person) else person
    return _connect(database.url_as("authenticated", sub=user_id))


def visitor_session(database: Database) -> Session:
    """The session of somebody without a token."""
    return _connect(database.url_as("anon"))


def service_session(database: Database) -> Session:
    """The session of the service role, which jobs use."""
    return _connect(database.url_as("service_role"))


def owner_session(database: Database) -> Session:
    """The session of the tables' owner, a superuser at a prompt."""
    return _connect(database.url)


def call(session: Session, function: str, **arguments: object) -> list[Row]:
    """The rows that a function of the schema public answers to named arguments."""
    named = [sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in arguments]
    statement = sql.SQL("select * from public.{}({})").format(
        sql.Identifier(function), sql.SQL(", ").join(named)
    )
    return session.execute(statement, arguments).fetchall()


def pause(session: Session, mentor: Mentor, reason: str = "illness", **options: object) -> list[Row]:
    """What `rpc_pause_mentor` answers."""
    return call(session, "rpc_pause_mentor", p_mentor_id=mentor.mentor_id, p_reason=reason, **options)


def reactivate(session: Session, mentor: Mentor, **options: object) -> list[Row]:
    """What `rpc_reactivate_mentor` answers."""
    return call(session, "rpc_reactivate_mentor", p_mentor_id=mentor.mentor_id, **options)


def deactivate(session: Session, mentor: Mentor, reason: str = "resigned", **options: object) -> list[Row]:
    """What `rpc_deactivate_mentor` answers."""
    return call(session, "rpc_deactivate_mentor", p_mentor_id=mentor.mentor_id, p_reason=reason, **options)


def update_status(
    session: Session,
    mentor: Mentor,
    new_status: str,
    actor: Person | UUID | None,
    reason: str | None,
    **options: object,
) -> Row | None:
    """What `update_mentor_status` answers; None for a conflict."""
    actor_id = actor.user_id if isinstance(actor, Person) else actor
    arguments = {
        "p_mentor_id": mentor.mentor_id,
        "p_new_status": new_status,
        "p_actor_id": actor_id,
        "p_reason": reason,
    }
    (row,) = call(session, "update_mentor_status", **arguments, **options)
    answer: Row | None = row["update_mentor_status"]
    return answer


def count(session: Session, statement: str, *arguments: object) -> int:
    """The one number a query answers."""
    row = session.execute(statement.encode(), arguments or None).fetchone()
    assert row is not None
    (number,) = row.values()
    return int(number)


def mentor_row(session: Session, mentor: Mentor) -> Row:
    """The mentor's row as the table holds it."""
    row = session.execute("select * from public.peer_mentors where id = %s", (mentor.mentor_id,)).fetchone()
    assert row is not None
    return row


def status_of(session: Session, mentor: Mentor) -> str:
    """The mentor's status as the table holds it."""
    return str(mentor_row(session, mentor)["status"])


def trail(session: Session, mentor: Mentor) -> list[Change]:
    """The mentor's history, oldest first."""
    rows = session.execute(
        "select previous_status, new_status, changed_by, changed_at, reason"
        " from public.peer_mentor_status_history where mentor_id = %s order by changed_at",
        (mentor.mentor_id,),
    ).fetchall()
    return [Change(**row) for row in rows]


def moves(session: Session, mentor: Mentor) -> list[tuple[str | None, str]]:
    """The mentor's history as pairs of statuses, oldest first."""
    return [(change.previous_status, change.new_status) for change in trail(session, mentor)]


def assert_whole_trail(session: Session, mentor: Mentor) -> None:
    """Fail unless the history leads, gap by gap closed, from the mentor's beginning to the row as it stands."""
    row = mentor_row(session, mentor)
    changes = trail(session, mentor)
    assert changes[0].previous_status is None
    for earlier, later in itertools.pairwise(changes):
        assert later.previous_status == earlier.new_status
        assert later.changed_at > earlier.changed_at
    assert changes[-1].new_status == row["status"]
    assert changes[-1].changed_at == row["updated_at"]


@contextmanager
def refused(sqlstate: str) -> Iterator[pytest.ExceptionInfo[psycopg.Error]]:
    """Fail unless the block is refused with this SQLSTATE."""
    with pytest.raises(psycopg.Error) as caught:
        yield caught
    assert caught.value.sqlstate == sqlstate, caught.value


def outcome_of(action: Callable[[], object]) -> object:
    """What an action answers, or the SQLSTATE with which the database refused it."""
    try:
        return action()
    except psycopg.Error as error:
        return error.sqlstate


def wait_until_blocked(watcher: Session, blocked: Session, *, by: Session) -> None:
    """Return when one session waits for a lock the other holds; fail if it never does."""
    pids = (by.info.backend_pid, blocked.info.backend_pid)
    pause_between_looks = threading.Event()
    for _ in range(1000):
        if count(watcher, "select (%s = any(pg_blocking_pids(%s)))::int", *pids):
            return
        pause_between_looks.wait(0.01)
    pytest.fail("the second session never waited for the first")


def _connect(url: str) -> Session:
    return psycopg.connect(url, autocommit=True, row_factory=dict_row)
