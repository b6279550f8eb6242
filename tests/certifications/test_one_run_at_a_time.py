"""Two triggers at once: one runs. A run that dies leaves nothing that the next one cannot finish."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from typing import Any
from uuid import UUID

import pytest

from peerpause.certifications.expiry import CertificationExpiryJob
from peerpause.database.session import Sessions
from tests.cast import World
from tests.certifications.time_travel import Owner, lapsed_mentors
from tests.database.acting import (
    Session,
    call,
    count,
    moves,
    owner_session,
    person_session,
    service_session,
    status_of,
)
from tests.servers import Database

_PAUSED = [(None, "active"), ("active", "paused")]
_GATE = 4711
_RUN = """
import asyncio, sys
from peerpause.certifications.expiry import CertificationExpiryJob
from peerpause.database.session import Sessions

async def main():
    async with Sessions(url=sys.argv[1], size=2, lock_timeout="0") as sessions:
        print((await CertificationExpiryJob(sessions=sessions, batch=3).run()).status)

asyncio.run(main())
"""


async def test_a_second_run_says_so_while_one_is_under_way(
    database: Database, job: CertificationExpiryJob, world: World, owner: Owner
) -> None:
    lapsed_mentors(owner, world, 3)
    answers = []

    def look(_report: object) -> None:
        with service_session(database) as service, person_session(database, world.bo) as bo:
            answers.append(call(service, "run_certification_expiry")[0]["run_certification_expiry"])
            answers.append(call(bo, "run_certification_expiry")[0]["run_certification_expiry"])

    report = await job.run(progress=look)
    # After the last batch the run is closed, so that the next one may come.
    *during, after_by_service, after_by_bo = answers
    assert {answer["status"] for answer in during} == {"already_running"}
    assert (after_by_service["status"], after_by_bo["status"]) == ("succeeded", "succeeded")
    assert report.paused == 3


async def test_a_second_command_ends_cleanly_while_a_call_in_one_piece_is_under_way(
    database: Database, job: CertificationExpiryJob, world: World, owner: Owner
) -> None:
    (mentor,) = lapsed_mentors(owner, world, 1)
    with service_session(database) as service, service.transaction():
        call(service, "run_certification_expiry")
        report = await job.run()
        assert (report.status, report.job_id) == ("already_running", None)
    assert moves(owner, mentor) == _PAUSED


async def test_the_nightly_run_waits_for_a_coordinators_small_one(
    database: Database, sessions: Sessions, world: World, owner: Owner
) -> None:
    lapsed_mentors(owner, world, 2)
    with person_session(database, world.bo) as bo:
        bo.execute("begin")
        call(bo, "run_certification_expiry")
        naps = []

        async def sleep(seconds: float) -> None:
            naps.append(seconds)
            if len(naps) == 3:
                bo.execute("commit")

        job = CertificationExpiryJob(sessions=sessions, sleep=sleep)
        report = await job.run(patience=120)
    assert (report.status, len(naps)) == ("succeeded", 3)


async def test_its_patience_ends(database: Database, sessions: Sessions, world: World) -> None:
    with person_session(database, world.bo) as bo, bo.transaction():
        call(bo, "run_certification_expiry")
        naps = []

        async def sleep(seconds: float) -> None:
            naps.append(seconds)

        report = await CertificationExpiryJob(sessions=sessions, sleep=sleep).run(patience=10)
    assert report.status == "already_running"
    assert sum(naps) == pytest.approx(10)


async def test_a_run_killed_in_the_middle_is_finished_by_the_next(
    database: Database, job: CertificationExpiryJob, world: World, owner: Owner
) -> None:
    mentors = lapsed_mentors(owner, world, 9)
    owner.execute(
        "create function public.gate() returns trigger language plpgsql as $$"
        f" begin if new.visited >= 6 then perform pg_advisory_xact_lock({_GATE}); end if; return new; end $$"
    )
    owner.execute(
        "create trigger gate before update on public.job_runs for each row execute function public.gate()"
    )
    with owner_session(database) as keeper:
        keeper.execute("select pg_advisory_lock(%s)", (_GATE,))
        process = await asyncio.to_thread(
            subprocess.Popen,
            [sys.executable, "-c", _RUN, database.url],
            env={**os.environ, "PYTHONPATH": "src"},
        )
        _wait_until(owner, "select count(*) from pg_locks where locktype = 'advisory' and not granted")
        process.send_signal(signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL
        # The server learns of the death: what the second batch did is undone.
        owner.execute(
            "select pg_terminate_backend(l.pid) from pg_locks as l where l.locktype = 'advisory' and not l.granted"
        )
    owner.execute("drop trigger gate on public.job_runs")
    assert [status_of(owner, mentor) for mentor in mentors].count("paused") == 3
    dead = _running(owner)

    assert (await job.run()).status == "already_running"
    owner.execute("update public.job_runs set heartbeat_at = heartbeat_at - interval '61 seconds'")
    report = await job.run()
    assert (report.status, report.paused, report.skipped) == ("succeeded", 6, 3)
    assert all(moves(owner, mentor) == _PAUSED for mentor in mentors)
    (row,) = owner.execute("select status, error_code from public.job_runs where id = %s", (dead,)).fetchall()
    assert row == {"status": "failed", "error_code": "lease_expired"}


async def test_a_run_that_was_given_up_for_dead_pauses_nobody_when_it_wakes(
    job: CertificationExpiryJob, world: World, owner: Owner
) -> None:
    lapsed_mentors(owner, world, 5)

    def give_up(_report: object) -> None:
        owner.execute(
            "update public.job_runs set status = 'failed', error_code = 'lease_expired', finished_at = now()"
            " where status = 'running'"
        )

    report = await job.run(progress=give_up)
    assert (report.status, report.error_code, report.paused) == ("failed", "lease_expired", 2)
    assert count(owner, "select count(*) from public.peer_mentors where status = 'paused'") == 2


def test_the_command_shows_its_report_as_json(database: Database, world: World, owner: Owner) -> None:
    lapsed_mentors(owner, world, 2)
    told = [_command(database, "--dry-run"), _command(database), _command(database)]
    assert [code for code, _ in told] == [0, 0, 0]
    assert len(told[0][1]["would_pause"]) == 2
    assert [answer["paused"] for _, answer in told[1:]] == [2, 0]


def test_the_command_ends_with_1_where_a_mentor_could_not_be_paused(
    database: Database, world: World, owner: Owner
) -> None:
    lapsed_mentors(owner, world, 1)
    owner.execute(
        "create function public.burst() returns trigger language plpgsql as $$ begin raise exception 'burst'; end $$"
    )
    owner.execute(
        "create trigger burst before update on public.peer_mentors for each row execute function public.burst()"
    )
    code, answer = _command(database)
    assert (code, answer["errors"]) == (1, 1)


def _command(database: Database, *options: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-c", "from peerpause.cli import main; main()", "expire", "--json", *options],
        env={**os.environ, "PEERPAUSE_DATABASE_URL": database.url},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


def _wait_until(session: Session, statement: str) -> None:
    between_looks = threading.Event()
    for _ in range(3000):
        if count(session, statement):
            return
        between_looks.wait(0.01)
    pytest.fail("it never came to that")


def _running(session: Session) -> UUID:
    (row,) = session.execute("select id from public.job_runs where status = 'running'").fetchall()
    run_id: UUID = row["id"]
    return run_id
