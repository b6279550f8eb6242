"""Figures: what they count, back through the history, and that nobody's reason can be recognised in them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from peerpause.database.session import Caller, Claims, Sessions
from peerpause.sql import query
from peerpause.status.figures import FEWEST, Figures, months_later, read_figures, told_safely, walked_back
from tests.cast import Mentor, World, add_mentor, build_world, require_certificate
from tests.certifications.time_travel import certify, set_clock
from tests.database.acting import Session, owner_session
from tests.servers import Database

_NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
_JANUARY, _OCTOBER, _NOVEMBER = date(2026, 1, 1), date(2026, 10, 1), date(2026, 11, 1)
_REASONS = ("illness", "travel", "family", "other")


@pytest.fixture
def world(database: Database) -> World:
    world = build_world(database.url)
    with psycopg.connect(database.url) as connection:
        require_certificate(connection, world.organisation_id)
    return world


@pytest.fixture
def owner(database: Database, world: World) -> Iterator[Session]:
    with owner_session(database) as session:
        set_clock(session, _NOW)
        yield session


@pytest.fixture
async def sessions(database: Database) -> AsyncIterator[Sessions]:
    async with Sessions(url=database.url, size=2) as opened:
        yield opened


async def of_north(
    sessions: Sessions, world: World, caller: Caller | None = None, months: int = 12
) -> Figures:
    return await read_figures(
        sessions,
        caller or Claims(world.bo.user_id),
        whole=[],
        chapters=[world.north.chapter_id],
        months=months,
    )


async def test_pauses_are_counted_by_the_month_in_oslo_and_the_first_reason_in_it(
    sessions: Sessions, world: World, owner: Session
) -> None:
    crowd = [add_mentor(owner, f"M{number}", chapters=[world.north]) for number in range(FEWEST)]
    for mentor in crowd:
        live(owner, mentor, "2026-06-01", paused="2026-10-31T23:30Z", reason="travel")  # November in Oslo
    live(
        owner, world.ada, "2026-06-01", paused="2026-10-05T10:00Z", back="2026-10-06T10:00Z", reason="illness"
    )
    live(owner, world.ada, None, paused="2026-10-20T10:00Z", reason="family")
    found = (await of_north(sessions, world)).pauses
    assert found.reasons == ["travel"]
    months = {each.month: each for each in found.months}
    assert (months[_NOVEMBER].total, months[_NOVEMBER].by_reason["travel"]) == (FEWEST, FEWEST)
    assert (months[_OCTOBER].total, months[_OCTOBER].by_reason["travel"]) == (1, None)
    assert len(found.months) == 12


async def test_the_median_is_of_the_pauses_that_ended_in_the_month(
    sessions: Sessions, world: World, owner: Session
) -> None:
    live(owner, world.ada, "2026-01-01", paused="2026-09-01T10:00Z", back="2026-10-01T10:00Z")
    live(owner, world.finn, "2026-01-01", paused="2026-10-01T10:00Z", back="2026-10-11T10:00Z")
    live(owner, world.finn, None, paused="2026-11-01T10:00Z")
    lengths = {each.month: each for each in (await of_north(sessions, world)).lengths}
    assert (lengths[_OCTOBER].ended, lengths[_OCTOBER].median_days) == (2, 20.0)
    assert (lengths[_NOVEMBER].ended, lengths[_NOVEMBER].median_days) == (0, None)


async def test_the_share_of_active_ones_is_walked_back_from_now(
    sessions: Sessions, world: World, owner: Session
) -> None:
    live(owner, world.ada, "2026-01-10", paused="2026-09-15T10:00Z")
    live(owner, world.finn, "2026-10-10")
    standing = {each.month: each for each in (await of_north(sessions, world)).standing}
    assert (standing[_NOVEMBER].active, standing[_NOVEMBER].paused) == (1, 1)
    assert standing[_NOVEMBER].share == 0.5
    assert (standing[date(2026, 9, 1)].active, standing[date(2026, 9, 1)].paused) == (0, 1)
    assert (standing[date(2026, 8, 1)].active, standing[date(2026, 8, 1)].paused) == (1, 0)
    assert standing[date(2025, 12, 1)].share is None


async def test_certificates_ahead_are_the_latest_of_those_who_have_not_left(
    sessions: Sessions, world: World, owner: Session
) -> None:
    certify(owner, world.ada, date(2026, 12, 5))
    certify(owner, world.ada, date(2027, 1, 5))
    certify(owner, world.finn, date(2026, 11, 19))
    found = await of_north(sessions, world)
    assert {each.month: each.people for each in found.expiring if each.people} == {date(2027, 1, 1): 1}
    assert found.expired == 1
    assert len(found.expiring) == 12


async def test_figures_count_whom_the_reader_answers_for_and_nobody_else(
    sessions: Sessions, world: World, owner: Session
) -> None:
    live(owner, world.ada, "2026-01-01", paused="2026-10-01T10:00Z")
    mine = await of_north(sessions, world)
    assert sum(each.total for each in mine.pauses.months) == 1
    for stranger in (world.cy, world.eva):
        theirs = await of_north(sessions, world, Claims(stranger.user_id))
        # Cy sees Finn, who serves in both chapters; Ada's pause is none of his business.
        assert sum(each.total for each in theirs.pauses.months) == 0
        assert sum(each.active + each.paused for each in theirs.standing[-1:]) <= 1
    whole = await read_figures(
        sessions, Claims(world.dag.user_id), whole=[world.organisation_id], chapters=[], months=6
    )
    assert whole.standing[-1].active + whole.standing[-1].paused == 2


async def test_a_chapter_s_figures_are_read_along_indexes(
    sessions: Sessions, world: World, owner: Session
) -> None:
    owner.execute(
        "insert into public.peer_mentors (organisation_id, display_name, first_name)"
        " select %s, 'Crowd ' || n, 'Crowd' from generate_series(1, 20000) as n",
        (world.organisation_id,),
    )
    owner.execute(
        "analyze public.peer_mentors, public.peer_mentor_status_history, public.chapter_memberships"
    )
    parameters = {"whole": [], "chapters": [world.north.chapter_id], "months": 12}
    for name in ("figures_pauses", "figures_lengths", "figures_moves"):
        plan = owner.execute(("explain " + query(name)).encode(), parameters).fetchall()
        text = "\n".join(str(row["QUERY PLAN"]) for row in plan)
        assert "Seq Scan on peer_mentor_status_history" not in text, name
        assert "history_by_mentor" in text, name


@given(st.lists(st.dictionaries(st.sampled_from(_REASONS), st.integers(0, 12)), min_size=1, max_size=4))
def test_no_figure_and_no_subtraction_tells_a_reason_of_few(counted: list[dict[str, int]]) -> None:
    months = [months_later(_JANUARY, number) for number in range(len(counted))]
    rows = [
        (month, reason, people)
        for month, reasons in zip(months, counted, strict=True)
        for reason, people in reasons.items()
    ]
    found = told_safely(months, rows)
    for told, people in zip(found.months, counted, strict=True):
        assert told.total == sum(people.values())
        for reason, shown in told.by_reason.items():
            assert shown is None or shown == people.get(reason, 0) >= FEWEST
        hidden = [reason for reason, shown in told.by_reason.items() if shown is None]
        # What is left of the total may as well be of a reason that has no column: no cell follows from it.
        assert told.others == sum(people.get(reason, 0) for reason in hidden) + sum(
            number for reason, number in people.items() if reason not in found.reasons
        )


def test_months_are_walked_across_years() -> None:
    assert months_later(date(2026, 1, 15), -1) == date(2025, 12, 1)
    assert months_later(date(2026, 11, 1), 14) == date(2028, 1, 1)
    (only,) = walked_back([_NOVEMBER], 3, 1, [])
    assert (only.active, only.paused) == (3, 1)


def live(
    owner: Session,
    mentor: Mentor,
    since: str | None,
    *,
    paused: str | None = None,
    back: str | None = None,
    reason: str = "travel",
) -> None:
    """Write a mentor's history as if it had been so: there since a day, paused at a moment, back at another."""
    moves: list[tuple[str | None, str, str, str | None]] = []
    if since is not None:
        owner.execute("alter table public.peer_mentor_status_history disable trigger user")
        owner.execute(
            "delete from public.peer_mentor_status_history where mentor_id = %s", (mentor.mentor_id,)
        )
        moves.append((None, "active", since, None))
    if paused is not None:
        moves.append(("active", "paused", paused, reason))
    if back is not None:
        moves.append(("paused", "active", back, None))
    for previous, new, moment, why in moves:
        owner.execute(
            "insert into public.peer_mentor_status_history"
            " (organisation_id, mentor_id, previous_status, new_status, changed_at, reason)"
            " values (%s, %s, %s, %s, %s, %s)",
            (mentor.organisation_id, mentor.mentor_id, previous, new, moment, why),
        )
    if since is not None:
        owner.execute("alter table public.peer_mentor_status_history enable trigger user")
    last = moves[-1]
    owner.execute("alter table public.peer_mentors disable trigger user")
    owner.execute(
        "update public.peer_mentors set status = %s, pause_at = %s, pause_reason = %s where id = %s",
        (last[1], last[2] if last[1] == "paused" else None, last[3], mentor.mentor_id),
    )
    owner.execute("alter table public.peer_mentors enable trigger user")
