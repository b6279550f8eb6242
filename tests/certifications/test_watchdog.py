"""The watchdog: what it sees, whom it tells, and that it says each thing once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import psycopg
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from peerpause.certifications.expiry import CertificationExpiryJob
from peerpause.certifications.watchdog import CertificationWatchdog
from peerpause.database.session import Claims, Sessions
from peerpause.notifications.alerts import AlertPayload
from peerpause.notifications.outbox import Outbox
from peerpause.telemetry import Metrics
from tests.cast import World, require_certificate
from tests.certifications.time_travel import Owner, certify, lapsed_mentors, move_clock, set_clock, today_in
from tests.database.acting import NOT_YOURS, call, count, person_session, refused
from tests.servers import Database


@pytest.fixture
def watchdog(sessions: Sessions) -> CertificationWatchdog:
    """The watchdog."""
    return CertificationWatchdog(sessions=sessions)


@pytest.fixture
async def healthy(job: CertificationExpiryJob, sessions: Sessions, world: World) -> None:
    """The nightly run has come and gone well, and everybody has been told."""
    await job.run()
    await Outbox(sessions=sessions).tell_changes()


async def test_all_is_well_after_a_run(watchdog: CertificationWatchdog, healthy: None) -> None:
    report = await watchdog.look()
    assert (report.ok, report.codes) == (True, frozenset())
    assert report.answer["expired_but_active"] == 0


async def test_it_misses_a_run_that_never_came(watchdog: CertificationWatchdog, world: World) -> None:
    assert (await watchdog.look()).codes == {"run_missing"}


@pytest.mark.parametrize(
    ("at", "due"),
    [(time(2, 29, 59), 19), (time(2, 30), 20), (time(23, 59), 20)],
    ids=["a second before its half hour is over", "half an hour after", "at night"],
)
def test_a_run_is_due_at_two_and_has_half_an_hour(world: World, owner: Owner, at: time, due: int) -> None:
    moment = datetime.combine(date(2026, 11, 20), at, UTC)
    (row,) = owner.execute("select peerpause.last_due_run(%s) as due", (moment,)).fetchall()
    assert row["due"] == datetime(2026, 11, due, 2, tzinfo=UTC)


async def test_a_run_of_last_night_does_not_count_tonight(
    watchdog: CertificationWatchdog, healthy: None, owner: Owner
) -> None:
    # The run was a moment ago: it counts for the night that is due already, or for the half hour that is just going on.
    (row,) = owner.execute("select peerpause.last_due_run(now() + interval '30 minutes') as due").fetchall()
    set_clock(owner, row["due"] + timedelta(days=1, minutes=29))
    assert "run_missing" not in (await watchdog.look()).codes
    set_clock(owner, row["due"] + timedelta(days=1, minutes=30))
    assert "run_missing" in (await watchdog.look()).codes


async def test_it_counts_and_names_who_is_active_without_a_certificate(
    watchdog: CertificationWatchdog, healthy: None, world: World, owner: Owner
) -> None:
    certify(owner, world.ada, today_in(owner) - timedelta(days=2))
    report = await watchdog.look()
    assert report.codes == {"expired_but_active"}
    (problem,) = report.problems
    assert (problem["mentors"], problem["mentor_ids"]) == (1, [str(world.ada.mentor_id)])


async def test_who_lapses_between_midnight_and_the_run_is_no_alarm(
    watchdog: CertificationWatchdog, world: World, owner: Owner
) -> None:
    certify(owner, world.ada, date(2026, 11, 19))
    for moment in (datetime(2026, 11, 19, 23, 30, tzinfo=UTC), datetime(2026, 11, 20, 2, 29, tzinfo=UTC)):
        set_clock(owner, moment)
        assert "expired_but_active" not in (await watchdog.look()).codes
    set_clock(owner, datetime(2026, 11, 20, 2, 30, tzinfo=UTC))
    assert "expired_but_active" in (await watchdog.look()).codes


async def test_who_was_renewed_since_is_no_alarm(
    watchdog: CertificationWatchdog, healthy: None, world: World, owner: Owner
) -> None:
    today = today_in(owner)
    certify(owner, world.ada, today - timedelta(days=2))
    owner.execute(
        "insert into public.certifications (organisation_id, mentor_id, issued_on) values (%s, %s, %s)",
        (world.organisation_id, world.ada.mentor_id, today),
    )
    assert (await watchdog.look()).ok


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ("status = 'failed', error_code = 'XX000'", "run_failed"),
        ("status = 'running', finished_at = null, started_at = now() - interval '31 minutes'", "run_stuck"),
        ("status = 'running', finished_at = null, heartbeat_at = now() - interval '6 minutes'", "run_stuck"),
    ],
    ids=["failed", "takes too long", "fell silent"],
)
async def test_it_sees_a_run_that_did_not_end_well(
    watchdog: CertificationWatchdog, healthy: None, owner: Owner, columns: str, code: str
) -> None:
    owner.execute(f"update public.job_runs set {columns}".encode())
    assert code in (await watchdog.look()).codes


async def test_it_sees_that_nobody_is_being_told(
    database: Database, watchdog: CertificationWatchdog, healthy: None, world: World, owner: Owner
) -> None:
    with person_session(database, world.ada) as ada:
        ada.execute("select public.rpc_pause_mentor(%s, 'travel')", (world.ada.mentor_id,))
    assert (await watchdog.look()).ok
    move_clock(owner, timedelta(minutes=16))
    assert "outbox_stuck" in (await watchdog.look()).codes


async def test_admins_hear_of_a_problem_once_and_once_more_when_it_is_over(
    watchdog: CertificationWatchdog, job: CertificationExpiryJob, world: World, owner: Owner
) -> None:
    lapsed_mentors(owner, world, 2)
    with capture_logs() as logs:
        reports = [await watchdog.watch(), await watchdog.watch()]
        await job.run()
        reports += [await watchdog.watch(), await watchdog.watch()]
    assert [len(report.answer["opened"]) for report in reports] == [2, 0, 0, 0]
    assert [len(report.answer["cleared"]) for report in reports] == [0, 0, 2, 0]
    inbox = owner.execute(
        "select recipient_id, event, payload from public.notifications order by id"
    ).fetchall()
    told = {(row["recipient_id"], row["event"], row["payload"]["code"]) for row in inbox}
    assert told == {
        (world.dag.user_id, event, code)
        for event in ("watchdog_alert", "watchdog_clear")
        for code in ("expired_but_active", "run_missing")
    }
    assert len(inbox) == 4
    assert {AlertPayload.from_json(row["payload"]).code for row in inbox} == {
        "expired_but_active",
        "run_missing",
    }
    assert [line["event"] for line in logs].count("watchdog.alert") == 4
    assert [line["event"] for line in logs].count("watchdog.clear") == 2


async def test_open_pages_of_its_admins_hear_when_it_begins_and_when_it_is_over(
    watchdog: CertificationWatchdog,
    job: CertificationExpiryJob,
    world: World,
    owner: Owner,
    database: Database,
    sessions: Sessions,
) -> None:
    lapsed_mentors(owner, world, 1)
    with psycopg.connect(database.url, autocommit=True) as listener:
        listener.execute("listen peerpause_told")
        await watchdog.watch()
        begun = {each.payload for each in listener.notifies(timeout=10, stop_after=1)}
        await job.run()
        await watchdog.watch()
        over = {each.payload for each in listener.notifies(timeout=10, stop_after=1)}
    assert begun == over
    organisations, ids = zip(*(payload.split() for payload in begun), strict=True)
    news = {"organisations": [*organisations], "ids": [*ids]}
    concerned = {
        person.first_name: bool(await sessions.call(Claims(person.user_id), "read_told_news", news))
        for person in (world.dag, world.hal, world.bo, world.ada, world.eva)
    }
    assert concerned == {"Dag": True, "Hal": True, "Bo": False, "Ada": False, "Eva": False}


async def test_an_admin_hears_of_the_own_organisation_only(
    watchdog: CertificationWatchdog, world: World, owner: Owner, database: Database
) -> None:
    require_certificate(owner, world.other_organisation_id)
    certify(owner, world.greta, today_in(owner) - timedelta(days=2))
    await watchdog.watch()
    rows = owner.execute(
        "select recipient_id from public.notifications where payload ->> 'code' = 'expired_but_active'"
    ).fetchall()
    assert [row["recipient_id"] for row in rows] == [world.eva.user_id]
    with person_session(database, world.dag) as dag, person_session(database, world.eva) as eva:
        seen = [
            call(session, "certification_watchdog")[0]["certification_watchdog"] for session in (dag, eva)
        ]
        assert (
            count(dag, "select count(*) from public.watchdog_incidents where code = 'expired_but_active'")
            == 0
        )
        assert (
            count(eva, "select count(*) from public.watchdog_incidents where code = 'expired_but_active'")
            == 1
        )
    assert [report["expired_but_active"] for report in seen] == [0, 1]


@pytest.mark.parametrize("who", ["ada", "bo"])
def test_it_is_for_admins(database: Database, world: World, who: str) -> None:
    with person_session(database, getattr(world, who)) as session, refused(NOT_YOURS):
        call(session, "certification_watchdog")


async def test_the_metric_is_raised_and_lowered(
    sessions: Sessions, job: CertificationExpiryJob, world: World
) -> None:
    registry = CollectorRegistry()
    watchdog = CertificationWatchdog(sessions=sessions, found=Metrics(registry).watchdog_found)
    values = []
    for _ in range(2):
        await watchdog.look()
        values.append(registry.get_sample_value("peerpause_watchdog_problem", {"code": "run_missing"}))
        await job.run()
    assert values == [1.0, 0.0]


def test_the_command_ends_with_1_and_a_report_then_with_0(database: Database, world: World) -> None:
    code, report = _monitor(database)
    assert (code, report["ok"], report["problems"][0]["code"]) == (1, False, "run_missing")
    subprocess.run(_command("expire"), env=_environment(database), check=True, capture_output=True)
    code, report = _monitor(database)
    assert (code, report["ok"]) == (0, True)


def _monitor(database: Database) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        _command("monitor", "--json"), env=_environment(database), capture_output=True, text=True, check=False
    )
    return done.returncode, json.loads(done.stdout)


def _command(*words: str) -> list[str]:
    return [sys.executable, "-c", "from peerpause.cli import main; main()", *words]


def _environment(database: Database) -> dict[str, str]:
    return {**os.environ, "PEERPAUSE_DATABASE_URL": database.url}
