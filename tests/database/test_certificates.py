"""A lapsed certificate keeps a mentor from being active and off the public roster, until its renewal or an admin's override."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import sql

from tests.cast import Mentor, World, add_certificate, require_certificate
from tests.database.acting import (
    NOT_A_MOVE,
    NOT_YOURS,
    Row,
    Session,
    assert_whole_trail,
    call,
    count,
    deactivate,
    moves,
    pause,
    person_session,
    reactivate,
    refused,
    service_session,
    status_of,
    trail,
    update_status,
    visitor_session,
)
from tests.servers import Database

_TODAY = date(2027, 3, 15)
_YESTERDAY = _TODAY - timedelta(days=1)
_ISSUED = date(2025, 1, 1)


@pytest.fixture
def certified(database: Database, world: World, owner: Session) -> World:
    """Both of the first organisation's mentors need a certificate; Ada's is valid until yesterday, Finn's until today."""
    set_clock(owner, datetime(2027, 3, 15, 12, tzinfo=UTC))
    with psycopg.connect(database.url) as connection:
        require_certificate(connection, world.organisation_id)
        add_certificate(connection, world.ada, issued_on=_ISSUED, expires_on=_YESTERDAY)
        add_certificate(connection, world.finn, issued_on=_ISSUED, expires_on=_TODAY)
    return world


def set_clock(owner: Session, moment: datetime) -> None:
    """From now on it is this moment for everything that is counted in days."""
    owner.execute(
        sql.SQL(
            "create or replace function peerpause.clock() returns timestamptz"
            " language plpgsql stable parallel safe set search_path = pg_catalog, pg_temp"
            " as $$ begin return {}; end $$"
        ).format(sql.Literal(moment))
    )


def run_check(session: Session, **options: object) -> Row:
    (row,) = call(session, "run_certification_expiry", **options)
    answer: Row = row["run_certification_expiry"]
    return answer


def roster(database: Database, world: World) -> set[str]:
    """First names on the public page of the chapter north, as anybody reads it."""
    with visitor_session(database) as visitor:
        rows = call(visitor, "public_chapter_roster", p_chapter_id=world.north.chapter_id)
    return {str(row["display_name"]).split()[0] for row in rows}


_RETURNS: dict[str, Callable[[Session, World], object]] = {
    "function": lambda session, world: reactivate(session, world.ada),
    "update_mentor_status": lambda session, world: update_status(
        session, world.ada, "active", world.bo, None
    ),
    "plain update": lambda session, world: session.execute(
        "update public.peer_mentors set status = 'active' where id = %s", (world.ada.mentor_id,)
    ),
}


@pytest.mark.parametrize("way", _RETURNS)
def test_nobody_comes_back_while_a_required_certificate_has_lapsed(
    database: Database, certified: World, owner: Session, way: str
) -> None:
    pause(owner, certified.ada)
    with person_session(database, certified.bo) as bo, refused(NOT_A_MOVE) as refusal:
        _RETURNS[way](bo, certified)
    assert refusal.value.diag.message_hint == "certification_expired"
    assert refusal.value.diag.message_detail == f'{{"expired_on": "{_YESTERDAY}"}}'
    assert status_of(owner, certified.ada) == "paused"


@pytest.mark.parametrize("way", _RETURNS)
def test_an_override_lets_a_mentor_come_back_until_its_last_day(
    database: Database, certified: World, owner: Session, way: str
) -> None:
    pause(owner, certified.ada)
    grant_override(owner, certified.ada, until=_TODAY)
    with person_session(database, certified.bo) as bo:
        _RETURNS[way](bo, certified)
    assert status_of(owner, certified.ada) == "active"


def test_an_override_that_has_ended_counts_no_more(certified: World, owner: Session) -> None:
    pause(owner, certified.ada)
    grant_override(owner, certified.ada, until=_YESTERDAY)
    with refused(NOT_A_MOVE):
        reactivate(owner, certified.ada)


def test_the_certificates_last_day_still_counts(certified: World, owner: Session) -> None:
    pause(owner, certified.finn)
    reactivate(owner, certified.finn)
    assert status_of(owner, certified.finn) == "active"


def test_the_last_day_ends_at_midnight_where_the_organisation_is(certified: World, owner: Session) -> None:
    pause(owner, certified.finn)
    set_clock(owner, datetime(2027, 3, 15, 22, 59, tzinfo=UTC))
    with owner.transaction(force_rollback=True):
        reactivate(owner, certified.finn)
    set_clock(owner, datetime(2027, 3, 15, 23, 0, tzinfo=UTC))
    with refused(NOT_A_MOVE):
        reactivate(owner, certified.finn)


@pytest.mark.parametrize(
    "certificate, comes_back",
    [
        ({"issued_on": _TODAY, "expires_on": _TODAY}, True),
        ({"issued_on": _ISSUED, "expires_on": None}, True),
        ({"issued_on": _TODAY + timedelta(days=1), "expires_on": _TODAY + timedelta(days=365)}, False),
        ({"issued_on": _ISSUED, "expires_on": _TODAY, "kind": "first_aid"}, False),
    ],
)
def test_a_renewal_counts_from_the_day_it_was_issued_and_for_its_kind(
    database: Database, certified: World, owner: Session, certificate: dict[str, Any], comes_back: bool
) -> None:
    pause(owner, certified.ada)
    with psycopg.connect(database.url) as connection:
        add_certificate(connection, certified.ada, **certificate)
    if comes_back:
        reactivate(owner, certified.ada)
    else:
        with refused(NOT_A_MOVE):
            reactivate(owner, certified.ada)


def test_of_several_required_kinds_each_must_be_valid(
    database: Database, certified: World, owner: Session
) -> None:
    owner.execute("update public.organisations set required_certification_kinds = '{peer_mentor, first_aid}'")
    with psycopg.connect(database.url) as connection:
        add_certificate(
            connection, certified.finn, kind="first_aid", issued_on=_ISSUED, expires_on=_YESTERDAY
        )
    pause(owner, certified.finn)
    with refused(NOT_A_MOVE):
        reactivate(owner, certified.finn)


def test_an_organisation_that_asks_for_no_certificate_minds_none_that_lapsed(
    certified: World, owner: Session
) -> None:
    owner.execute("update public.organisations set required_certification_kinds = '{}'")
    pause(owner, certified.ada)
    reactivate(owner, certified.ada)
    assert status_of(owner, certified.ada) == "active"


def test_a_mentor_with_a_lapsed_certificate_may_still_leave(
    database: Database, certified: World, owner: Session
) -> None:
    pause(owner, certified.ada)
    with person_session(database, certified.ada) as ada:
        deactivate(ada, certified.ada)
    assert moves(owner, certified.ada)[2:] == [("paused", "active"), ("active", "inactive")]


def test_the_check_pauses_the_lapsed_and_says_why(
    database: Database, certified: World, owner: Session
) -> None:
    with service_session(database) as service:
        answer = run_check(service)
    assert (answer["status"], answer["paused"], answer["errors"]) == ("succeeded", 1, 0)
    assert status_of(owner, certified.ada) == "paused"
    assert status_of(owner, certified.finn) == "active"
    row = owner.execute(
        "select * from public.peer_mentor_status_history where new_status = 'paused'"
    ).fetchone()
    assert row is not None
    assert (row["reason"], row["certification_expires_at"], str(row["job_run_id"]), row["changed_by"]) == (
        "certification_expired",
        _YESTERDAY,
        answer["job_id"],
        None,
    )
    assert_whole_trail(owner, certified.ada)


def test_running_the_check_twice_does_nothing_the_second_time(
    database: Database, certified: World, owner: Session
) -> None:
    with service_session(database) as service:
        run_check(service)
        before = trail(owner, certified.ada)
        again = run_check(service)
    assert (again["status"], again["paused"], again["skipped"], again["errors"]) == ("succeeded", 0, 1, 0)
    assert trail(owner, certified.ada) == before
    assert count(owner, "select count(*) from public.job_runs where status = 'succeeded'") == 2


def test_the_paused_and_the_departed_are_skipped(
    database: Database, certified: World, owner: Session
) -> None:
    deactivate(owner, certified.ada)
    with service_session(database) as service:
        answer = run_check(service)
    assert (answer["paused"], answer["errors"]) == (0, 0)
    assert status_of(owner, certified.ada) == "inactive"


def test_the_check_honours_an_override(database: Database, certified: World, owner: Session) -> None:
    grant_override(owner, certified.ada, until=_TODAY)
    with service_session(database) as service:
        assert run_check(service)["paused"] == 0
        set_clock(owner, datetime(2027, 3, 16, 12, tzinfo=UTC))
        assert run_check(service)["paused"] == 2


def test_a_coordinator_checks_the_own_chapters_only(
    database: Database, certified: World, owner: Session
) -> None:
    with person_session(database, certified.cy) as cy:
        with refused(NOT_YOURS):
            run_check(cy, p_chapter_ids=[certified.north.chapter_id])
        with refused(NOT_YOURS):
            run_check(cy, p_chapter_ids=[certified.south.chapter_id, certified.north.chapter_id])
        assert run_check(cy)["paused"] == 0
    assert status_of(owner, certified.ada) == "active"
    with person_session(database, certified.bo) as bo:
        assert run_check(bo, p_chapter_ids=[certified.north.chapter_id])["paused"] == 1
    assert status_of(owner, certified.ada) == "paused"
    assert count(owner, "select count(*) from public.job_runs where started_by is not null") == 2


@pytest.mark.parametrize("chapters", [None, [], [None]])
def test_a_mentor_or_a_stranger_runs_no_check(
    database: Database, certified: World, owner: Session, chapters: list[None] | None
) -> None:
    for person in (certified.ada.user_id, certified.stranger_id):
        with person_session(database, person) as session, refused(NOT_YOURS):
            run_check(session, p_chapter_ids=chapters)
    assert count(owner, "select count(*) from public.job_runs") == 0


def test_an_admin_checks_the_whole_organisation_and_no_other(
    database: Database, certified: World, owner: Session
) -> None:
    with person_session(database, certified.eva) as eva:
        with refused(NOT_YOURS):
            run_check(eva, p_chapter_ids=[certified.north.chapter_id])
        assert run_check(eva)["paused"] == 0
    with person_session(database, certified.dag) as dag:
        assert run_check(dag)["paused"] == 1


def test_the_roster_is_computed_at_the_moment_of_reading(
    database: Database, certified: World, owner: Session
) -> None:
    """No job has run: the lapsed are off the page all the same."""
    assert roster(database, certified) == {"Finn"}
    set_clock(owner, datetime(2027, 3, 14, 12, tzinfo=UTC))
    assert roster(database, certified) == {"Ada", "Finn"}
    set_clock(owner, datetime(2027, 3, 15, 23, tzinfo=UTC))
    assert roster(database, certified) == set()
    assert status_of(owner, certified.ada) == "active"


_OFF_THE_PAGE: dict[str, LiteralString] = {
    "paused": "update public.peer_mentors set status = 'paused', pause_reason = 'illness' where id = %s",
    "not listed by their own wish": "update public.peer_mentors set listed = false where id = %s",
    "no longer of the chapter": "delete from public.chapter_memberships where mentor_id = %s",
    "never certified": "delete from public.certifications where mentor_id = %s",
}


@pytest.mark.parametrize("because", _OFF_THE_PAGE)
def test_the_roster_leaves_out_who_should_not_be_there(
    database: Database, certified: World, owner: Session, because: str
) -> None:
    owner.execute(_OFF_THE_PAGE[because], (certified.finn.mentor_id,))
    assert roster(database, certified) == set()


def test_the_roster_tells_a_visitor_no_more_than_the_page_needs(database: Database, certified: World) -> None:
    with visitor_session(database) as visitor:
        (row,) = call(visitor, "public_chapter_roster", p_chapter_id=certified.north.chapter_id)
    assert set(row) == {"mentor_id", "display_name", "languages", "presentation", "contact"}


def grant_override(owner: Session, mentor: Mentor, *, until: date) -> None:
    owner.execute(
        "insert into public.certification_overrides (organisation_id, mentor_id, justification, valid_until)"
        " values (%s, %s, 'the course was moved', %s)",
        (mentor.organisation_id, mentor.mentor_id, until),
    )
