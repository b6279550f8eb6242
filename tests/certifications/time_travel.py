"""Moves the database's clock, and makes mentors and certificates around it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

import psycopg
from psycopg import sql

from tests.cast import Chapter, Mentor, World, add_certificate, add_mentor

Owner: TypeAlias = psycopg.Connection[Any]
"""The session of the tables' owner; its rows are dictionaries."""

_CLOCK = """
create or replace function peerpause.clock() returns timestamptz language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp as $$ begin return {}; end $$
"""
LONG_AGO = date(2020, 1, 1)


def set_clock(connection: Owner, moment: datetime) -> None:
    """Stop the clock that dates are counted from at this moment (aware)."""
    stopped = sql.SQL("timestamptz {}").format(sql.Literal(moment.isoformat()))
    connection.execute(sql.SQL(_CLOCK).format(stopped))


def move_clock(connection: Owner, ahead: timedelta) -> None:
    """Let the clock that dates are counted from run ahead of the server's."""
    moved = sql.SQL("now() + interval {}").format(sql.Literal(f"{int(ahead.total_seconds())} seconds"))
    connection.execute(sql.SQL(_CLOCK).format(moved))


def certify(connection: Owner, mentor: Mentor, expires_on: date | None, kind: str = "peer_mentor") -> None:
    """Give a mentor a certificate whose last valid day is `expires_on`."""
    add_certificate(connection, mentor, issued_on=LONG_AGO, expires_on=expires_on, kind=kind)


def today_in(connection: Owner, time_zone: str = "Europe/Oslo") -> date:
    """Today's date in a time zone, by the database's clock."""
    cursor = psycopg.ClientCursor(connection)
    row = cursor.execute("select peerpause.today(%s)", (time_zone,)).fetchone()
    assert row is not None
    day = next(iter(row.values())) if isinstance(row, dict) else row[0]
    assert isinstance(day, date)
    return day


def lapsed_mentors(
    connection: Owner, world: World, count: int, *, chapter: Chapter | None = None
) -> list[Mentor]:
    """So many more active mentors whose certificate ran out yesterday, or some days before."""
    today = today_in(connection)
    mentors = []
    for number in range(count):
        mentor = add_mentor(connection, f"Lapsed{number}", chapters=[chapter or world.north])
        certify(connection, mentor, today - timedelta(days=1 + number % 3))
        mentors.append(mentor)
    return mentors
