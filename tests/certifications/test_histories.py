"""Random histories of certificates, pauses, renewals, overrides and runs: the database and a small model never disagree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peerpause.certifications.rules import Certificate, is_certified, is_covered, lapsed_on
from tests.cast import Mentor, World, add_mentor, build_world
from tests.certifications.time_travel import LONG_AGO, Owner, set_clock
from tests.database.acting import Session, call, mentor_row, owner_session, trail, visitor_session
from tests.servers import Database

_FIRST_DAY = date(2026, 1, 10)
_KINDS = ("peer_mentor", "first_aid")
_OSLO = ZoneInfo("Europe/Oslo")

# Few days and few kinds, so that histories often meet at the last valid day.
_days = st.sampled_from((-1, 0, 1, 2))
_kinds = st.sampled_from((*_KINDS, *_KINDS, "swimming"))
_steps = st.one_of(
    st.tuples(st.just("certify"), _kinds, _days),
    st.tuples(st.just("renew"), _kinds, st.integers(0, 2)),
    st.tuples(st.just("override"), st.just(""), st.integers(0, 2)),
    st.tuples(st.just("pause"), st.just(""), st.just(0)),
    st.tuples(st.just("reactivate"), st.just(""), st.just(0)),
    st.tuples(st.just("leave"), st.just(""), st.just(0)),
    st.tuples(st.just("run"), st.just(""), st.just(0)),
    st.tuples(st.just("run"), st.just(""), st.just(0)),
    st.tuples(st.just("sleep"), st.just(""), st.integers(1, 2)),
)


@dataclass
class Model:
    """One mentor, as a person with paper and pencil would keep them."""

    today: date = _FIRST_DAY
    status: str = "active"
    reason: str | None = None
    certificates: list[Certificate] = field(default_factory=list)
    overrides: list[date] = field(default_factory=list)
    changes: int = 0

    @property
    def lapsed(self) -> date | None:
        """The last valid day of what has lapsed."""
        return lapsed_on(self.certificates, _KINDS, self.today)

    @property
    def blocked(self) -> bool:
        """Whether the mentor may not be active today."""
        return self.lapsed is not None and not is_covered(self.overrides, self.today)

    def move(self, status: str, reason: str | None = None) -> None:
        """Change the status."""
        self.status, self.reason = status, reason
        self.changes += 1

    def renew(self, kind: str, days: int) -> None:
        """Record a renewal that holds so many days more."""
        self.certificates.append(Certificate(kind, self.today, self.today + timedelta(days=days)))
        if self.reason == "certification_expired" and self.lapsed is None:
            self.move("active")

    def run(self) -> None:
        """Let the check run."""
        if self.status == "active" and self.blocked:
            self.move("paused", "certification_expired")


@pytest.fixture(scope="module")
def world(module_database: Database) -> World:
    """The cast; their organisation requires both kinds."""
    world = build_world(module_database.url)
    with psycopg.connect(module_database.url) as connection:
        connection.execute(
            "update public.organisations set required_certification_kinds = %s where id = %s",
            (list(_KINDS), world.organisation_id),
        )
    return world


@settings(
    max_examples=70,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(_steps, min_size=3, max_size=14))
def test_the_database_and_the_model_agree_after_every_step(
    module_database: Database, world: World, steps: list[tuple[str, str, int]]
) -> None:
    with (
        owner_session(module_database) as owner,
        visitor_session(module_database) as visitor,
        _rolled_back(owner),
    ):
        # One transaction as the owner, so that every history starts from the same world; the roster is read in it too.
        mentor = add_mentor(owner, "Max", chapters=[world.north])
        model = Model()
        _sleep_until(owner, model.today)
        for step in steps:
            _take(owner, mentor, model, *step)
            row = mentor_row(owner, mentor)
            assert (row["status"], row["pause_reason"]) == (model.status, model.reason), step
            assert len(trail(owner, mentor)) == model.changes + 1, step
            on_the_list = model.status == "active" and is_certified(model.certificates, _KINDS, model.today)
            assert _is_listed(owner, world, mentor) == on_the_list, step
        assert not _is_listed(visitor, world, mentor)  # others see nothing before it is committed


def _take(owner: Owner, mentor: Mentor, model: Model, step: str, kind: str, days: int) -> None:
    match step:
        case "certify":
            certificate = Certificate(kind, LONG_AGO, model.today + timedelta(days=days))
            model.certificates.append(certificate)
            owner.execute(
                "insert into public.certifications (organisation_id, mentor_id, kind, issued_on, expires_on)"
                " values (%s, %s, %s, %s, %s)",
                (
                    mentor.organisation_id,
                    mentor.mentor_id,
                    kind,
                    certificate.issued_on,
                    certificate.expires_on,
                ),
            )
        case "renew":
            model.renew(kind, days)
            owner.execute(
                "select public.record_renewal(%s, %s, %s, p_kind => %s)",
                (mentor.mentor_id, model.today, model.today + timedelta(days=days), kind),
            )
        case "override":
            model.overrides.append(model.today + timedelta(days=days))
            owner.execute(
                "select public.grant_certification_override(%s, 'a course is booked', %s)",
                (mentor.mentor_id, model.overrides[-1]),
            )
        case "pause":
            with _allowed(owner, model.status == "active"):
                owner.execute("select public.rpc_pause_mentor(%s, 'travel')", (mentor.mentor_id,))
                model.move("paused", "travel")
        case "reactivate":
            with _allowed(owner, model.status == "paused" and not model.blocked):
                owner.execute("select public.rpc_reactivate_mentor(%s)", (mentor.mentor_id,))
                model.move("active")
        case "leave":
            with _allowed(owner, model.status == "active"):
                owner.execute(
                    "select public.update_mentor_status(%s, 'inactive', null, 'resigned')",
                    (mentor.mentor_id,),
                )
                model.move("inactive")
        case "run":
            model.run()
            owner.execute("select public.run_certification_expiry()")
        case _:
            model.today += timedelta(days=days)
            _sleep_until(owner, model.today)


def _sleep_until(owner: Owner, day: date) -> None:
    set_clock(owner, datetime.combine(day, time(12), _OSLO))


def _is_listed(session: Session, world: World, mentor: Mentor) -> bool:
    rows = call(session, "public_chapter_roster", p_chapter_id=world.north.chapter_id)
    return mentor.mentor_id in {row["mentor_id"] for row in rows}


@contextmanager
def _rolled_back(owner: Owner) -> Iterator[None]:
    owner.execute("begin")
    try:
        yield
    finally:
        owner.execute("rollback")


@contextmanager
def _allowed(owner: Owner, allowed: bool) -> Iterator[None]:
    """Fail unless the database allows the block exactly where the model does."""
    owner.execute("savepoint step")
    try:
        yield
    except psycopg.errors.RaiseException:
        owner.execute("rollback to step")
        assert not allowed
    else:
        assert allowed
