"""The certificate check: whom it pauses, what it writes, and what it leaves alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from peerpause.certifications.expiry import CertificationExpiryJob, ExpiryReport
from peerpause.errors import DatabaseFault, InvalidArgument
from tests.cast import (
    Mentor,
    World,
    add_chapter,
    add_mentor,
    add_organisation,
    require_certificate,
    set_status,
)
from tests.certifications.time_travel import Owner, certify, lapsed_mentors, set_clock, today_in
from tests.database.acting import (
    NOT_YOURS,
    call,
    count,
    mentor_row,
    moves,
    person_session,
    refused,
    service_session,
    status_of,
)
from tests.servers import Database

_NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
_TODAY = date(2026, 11, 20)
_PAUSED = [(None, "active"), ("active", "paused")]


@pytest.fixture
def noon(owner: Owner, world: World) -> datetime:
    """The clock stands at noon of a day in November."""
    set_clock(owner, _NOON)
    return _NOON


async def test_it_pauses_a_mentor_the_day_after_the_last_valid_day(
    job: CertificationExpiryJob, world: World, owner: Owner
) -> None:
    certify(owner, world.ada, _TODAY)
    set_clock(owner, datetime(2026, 11, 20, 22, 59, tzinfo=UTC))
    assert (await job.run()).queried == 0
    assert status_of(owner, world.ada) == "active"

    set_clock(owner, datetime(2026, 11, 20, 23, 0, tzinfo=UTC))  # midnight in Oslo
    report = await job.run()
    assert (report.status, report.queried, report.paused) == ("succeeded", 1, 1)
    row = mentor_row(owner, world.ada)
    assert (row["status"], row["pause_reason"]) == ("paused", "certification_expired")


async def test_today_is_the_organisations_own(
    job: CertificationExpiryJob, world: World, owner: Owner
) -> None:
    mentors = []
    for zone in ("Pacific/Kiritimati", "Europe/Oslo", "Pacific/Midway"):
        organisation_id = add_organisation(owner, zone, time_zone=zone, required_kinds=["peer_mentor"])
        mentor = add_mentor(owner, "Zoe", chapters=[add_chapter(owner, organisation_id, "home")])
        certify(owner, mentor, _TODAY)
        mentors.append(mentor)
    paused = []
    for hour in (9, 10, 22, 23, 34, 35):
        set_clock(owner, datetime(2026, 11, 20, tzinfo=UTC) + timedelta(hours=hour))
        await job.run()
        paused.append([status_of(owner, mentor) for mentor in mentors].count("paused"))
    assert paused == [0, 1, 1, 2, 2, 3]


async def test_it_writes_who_what_and_why_into_the_history(
    job: CertificationExpiryJob, world: World, owner: Owner, noon: datetime
) -> None:
    certify(owner, world.ada, date(2026, 11, 3))
    report = await job.run()
    row = owner.execute(
        "select changed_by, reason, certification_expires_at, job_run_id from public.peer_mentor_status_history"
        " where mentor_id = %s and new_status = 'paused'",
        (world.ada.mentor_id,),
    ).fetchone()
    assert row == {
        "changed_by": None,
        "reason": "certification_expired",
        "certification_expires_at": date(2026, 11, 3),
        "job_run_id": report.job_id,
    }


async def test_only_required_kinds_count_and_the_latest_of_each_decides(
    job: CertificationExpiryJob, world: World, owner: Owner, noon: datetime
) -> None:
    owner.execute(
        "update public.organisations set required_certification_kinds = '{peer_mentor,first_aid}' where id = %s",
        (world.organisation_id,),
    )
    yesterday, later = _TODAY - timedelta(days=1), _TODAY + timedelta(days=400)
    renewed, endless, other_kind, one_of_two, both = (
        add_mentor(owner, name, chapters=[world.north]) for name in ("Re", "En", "Ot", "On", "Bo")
    )
    certify(owner, renewed, yesterday)
    certify(owner, renewed, later)
    certify(owner, endless, yesterday)
    certify(owner, endless, None)
    certify(owner, other_kind, later)
    certify(owner, other_kind, yesterday, "swimming")
    certify(owner, one_of_two, later)
    certify(owner, one_of_two, yesterday, "first_aid")
    certify(owner, both, yesterday)
    certify(owner, both, yesterday, "first_aid")
    report = await job.run()
    assert (report.queried, report.paused) == (2, 2)
    statuses = [status_of(owner, each) for each in (renewed, endless, other_kind, one_of_two, both)]
    assert statuses == ["active", "active", "active", "paused", "paused"]


async def test_an_organisation_that_requires_nothing_is_left_alone(
    job: CertificationExpiryJob, world: World, owner: Owner, noon: datetime
) -> None:
    certify(owner, world.greta, _TODAY - timedelta(days=9))
    assert (await job.run()).visited == 0
    assert status_of(owner, world.greta) == "active"


async def test_running_it_twice_changes_nothing_the_second_time(
    job: CertificationExpiryJob, world: World, owner: Owner
) -> None:
    mentors = lapsed_mentors(owner, world, 5)
    first, second = await job.run(), await job.run()
    assert (first.queried, first.paused, first.skipped) == (5, 5, 0)
    assert (second.queried, second.paused, second.skipped) == (5, 0, 5)
    assert all(moves(owner, mentor) == _PAUSED for mentor in mentors)


async def test_paused_and_gone_mentors_get_no_second_row(
    job: CertificationExpiryJob, world: World, owner: Owner
) -> None:
    away, gone = lapsed_mentors(owner, world, 2)
    with owner.transaction():
        set_status(owner, away, "paused", reason="travel")
        set_status(owner, gone, "inactive", reason="resigned")
    report = await job.run()
    assert (report.queried, report.paused, report.skipped) == (2, 0, 2)
    assert mentor_row(owner, away)["pause_reason"] == "travel"
    assert moves(owner, gone) == [(None, "active"), ("active", "inactive")]


async def test_one_bad_row_is_named_and_the_rest_go_on(
    job: CertificationExpiryJob, world: World, owner: Owner
) -> None:
    mentors = lapsed_mentors(owner, world, 6)
    owner.execute(
        "create function public.burst() returns trigger language plpgsql as $$"
        " begin if new.first_name = 'Lapsed3' then raise exception 'burst' using errcode = 'XX001'; end if; return new; end $$"
    )
    owner.execute(
        "create trigger burst before update on public.peer_mentors for each row execute function public.burst()"
    )
    with capture_logs() as logs:
        report = await job.run()
    assert (report.status, report.paused, report.errors) == ("succeeded", 5, 1)
    assert [status_of(owner, mentor) for mentor in mentors].count("paused") == 5
    bad = str(mentors[3].mentor_id)
    (run,) = owner.execute("select errors, failures from public.job_runs").fetchall()
    assert run == {"errors": 1, "failures": [{"mentor_id": bad, "sqlstate": "XX001"}]}
    assert [(line["mentor_id"], line["error"]) for line in logs if line["event"] == "job_error"] == [
        (bad, "XX001")
    ]


async def test_it_passes_over_a_mentor_whom_somebody_holds(
    database: Database, job: CertificationExpiryJob, world: World, owner: Owner
) -> None:
    held, free = lapsed_mentors(owner, world, 2)
    with service_session(database) as other, other.transaction():
        other.execute("select from public.peer_mentors where id = %s for update", (held.mentor_id,))
        report = await job.run()
        assert (report.paused, report.skipped) == (1, 1)
    assert (await job.run()).paused == 1
    assert status_of(owner, free) == status_of(owner, held) == "paused"


async def test_an_override_holds_to_its_last_day_and_not_a_night_longer(
    job: CertificationExpiryJob, world: World, owner: Owner, noon: datetime
) -> None:
    certify(owner, world.ada, _TODAY - timedelta(days=5))
    owner.execute(
        "insert into public.certification_overrides (organisation_id, mentor_id, justification, valid_until)"
        " values (%s, %s, 'course booked for next week', %s)",
        (world.organisation_id, world.ada.mentor_id, _TODAY),
    )
    assert (await job.run()).queried == 0
    set_clock(owner, noon + timedelta(days=1))
    assert (await job.run()).paused == 1
    assert status_of(owner, world.ada) == "paused"


async def test_it_tells_how_far_it_has_come(job: CertificationExpiryJob, world: World, owner: Owner) -> None:
    lapsed_mentors(owner, world, 5)
    seen: list[ExpiryReport] = []
    await job.run(progress=seen.append)
    assert [(each.visited, each.expected, each.status) for each in seen] == [
        (2, 5, "running"),
        (4, 5, "running"),
        (5, 5, "running"),
        (5, 5, "succeeded"),
    ]


async def test_its_log_has_a_start_and_an_end_with_the_same_id(
    job: CertificationExpiryJob, world: World, owner: Owner
) -> None:
    lapsed_mentors(owner, world, 3)
    with capture_logs() as logs:
        report = await job.run()
    start, end = logs
    assert (start["event"], end["event"]) == ("job_start", "job_complete")
    assert start["job_id"] == end["job_id"] == str(report.job_id)
    assert {key: end[key] for key in ("queried", "paused", "skipped", "errors")} == report.counts()
    assert end["duration_ms"] >= 0


async def test_a_dry_run_names_them_and_changes_nothing(
    job: CertificationExpiryJob, world: World, owner: Owner
) -> None:
    lapsed = lapsed_mentors(owner, world, 3)
    named = {each.mentor_id for each in await job.would_pause()}
    assert named == {mentor.mentor_id for mentor in lapsed}
    assert await job.would_pause(chapter_ids=[world.south.chapter_id]) == ()
    assert all(status_of(owner, mentor) == "active" for mentor in lapsed)
    assert count(owner, "select count(*) from public.job_runs") == 0


async def test_a_run_over_chapters_keeps_to_them(
    job: CertificationExpiryJob, world: World, owner: Owner
) -> None:
    (north,) = lapsed_mentors(owner, world, 1)
    (south,) = lapsed_mentors(owner, world, 1, chapter=world.south)
    report = await job.run(chapter_ids=[world.south.chapter_id])
    assert (report.queried, report.paused) == (1, 1)
    assert (status_of(owner, north), status_of(owner, south)) == ("active", "paused")


async def test_an_unknown_chapter_is_refused(job: CertificationExpiryJob, world: World) -> None:
    with pytest.raises(InvalidArgument):
        await job.run(chapter_ids=[world.stranger_id])


async def test_a_run_that_breaks_is_closed_as_failed(
    job: CertificationExpiryJob, world: World, owner: Owner
) -> None:
    lapsed_mentors(owner, world, 3)
    break_the_check(owner)
    with capture_logs() as logs, pytest.raises(DatabaseFault):
        await job.run()
    (run,) = owner.execute(
        "select status, error_code, finished_at is not null as ended from public.job_runs"
    ).fetchall()
    assert run == {"status": "failed", "error_code": "database_fault", "ended": True}
    assert [line["event"] for line in logs] == ["job_start", "job_error"]


def test_the_call_in_one_piece_says_that_it_failed_and_leaves_the_row(
    database: Database, world: World, owner: Owner
) -> None:
    lapsed_mentors(owner, world, 3)
    break_the_check(owner)
    with service_session(database) as service:
        (answer,) = call(service, "run_certification_expiry")
    report = answer["run_certification_expiry"]
    assert (report["status"], report["error_code"], report["paused"]) == ("failed", "XX002", 0)
    assert count(owner, "select count(*) from public.job_runs where status = 'failed'") == 1


def test_a_coordinator_checks_the_own_chapters_and_no_others(
    database: Database, world: World, owner: Owner
) -> None:
    (north,) = lapsed_mentors(owner, world, 1)
    (south,) = lapsed_mentors(owner, world, 1, chapter=world.south)
    with person_session(database, world.bo) as bo:
        with refused(NOT_YOURS):
            call(bo, "run_certification_expiry", p_chapter_ids=[world.south.chapter_id])
        with refused(NOT_YOURS):
            call(
                bo,
                "run_certification_expiry",
                p_chapter_ids=[world.north.chapter_id, world.elsewhere.chapter_id],
            )
        (answer,) = call(bo, "run_certification_expiry")
    assert answer["run_certification_expiry"]["paused"] == 1
    assert (status_of(owner, north), status_of(owner, south)) == ("paused", "active")


@pytest.fixture
def greta(owner: Owner, world: World) -> Mentor:
    """The other organisation requires a certificate too, and Greta's has lapsed."""
    require_certificate(owner, world.other_organisation_id)
    certify(owner, world.greta, today_in(owner) - timedelta(days=1))
    return world.greta


def test_an_admin_checks_the_own_organisation_and_sees_its_runs_only(
    database: Database, world: World, owner: Owner, greta: Mentor
) -> None:
    lapsed_mentors(owner, world, 2)
    with person_session(database, world.dag) as dag, person_session(database, world.eva) as eva:
        (answer,) = call(dag, "run_certification_expiry")
        assert count(dag, "select count(*) from public.job_runs") == 1
        assert count(eva, "select count(*) from public.job_runs") == 0
    assert answer["run_certification_expiry"]["paused"] == 2
    assert status_of(owner, greta) == "active"


@pytest.mark.parametrize("who", ["ada", "stranger_id"])
def test_nobody_else_starts_it(database: Database, world: World, who: str) -> None:
    person = getattr(world, who)
    with person_session(database, person) as session, refused(NOT_YOURS):
        call(session, "run_certification_expiry")


def break_the_check(owner: Owner) -> None:
    """Let the check trip over something that is not a mentor's row."""
    owner.execute(
        "create or replace function peerpause.pause_lapsed(p_run_id uuid, p_mentor_ids uuid[], p_expired_on jsonb)"
        " returns jsonb language plpgsql as $$ begin raise exception 'broken' using errcode = 'XX002'; end $$"
    )
