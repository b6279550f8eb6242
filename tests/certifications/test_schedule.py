"""The schedule in the database: registered twice it is there once, and a job really fires."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from peerpause.certifications import schedule
from peerpause.database.migrate import Migrator
from tests.conftest import not_run
from tests.servers import Database, Server

_JOBS = {
    "peerpause-certificate-check": "0 2 * * *",
    "peerpause-planned-pauses": "* * * * *",
    "peerpause-reminders": "20 * * * *",
    "peerpause-watchdog": "30 2 * * *",
}


@pytest.fixture
async def cron(server: Server) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """The one database of the server that pg_cron works in, migrated, with nothing scheduled."""
    if not server.cron_database:
        if server.id.startswith("pg18-embedded"):
            pytest.skip("the embedded server has no pg_cron")
        not_run("the tests of the schedule (Debian: apt-get install postgresql-15-cron)")
    url = server.url(server.cron_database)
    await Migrator(url=url).up()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("select pg_advisory_lock(42)")  # one test at a time has it
        yield connection
        await schedule.remove(connection)


async def test_it_is_registered_once_however_often_it_is_installed(
    cron: psycopg.AsyncConnection[Any],
) -> None:
    for _ in range(2):
        assert await schedule.install(cron)
    jobs = await schedule.jobs(cron)
    assert jobs is not None
    assert {job.name: job.schedule for job in jobs} == _JOBS


async def test_it_takes_out_its_own_jobs_and_no_others(cron: psycopg.AsyncConnection[Any]) -> None:
    await schedule.install(cron)
    await cron.execute("select cron.schedule('somebody-elses', '0 0 1 1 *', 'select 1')")
    try:
        assert await schedule.remove(cron) == len(_JOBS)
        assert await schedule.jobs(cron) == ()
        cursor = await cron.execute("select jobname from cron.job")
        assert await cursor.fetchall() == [("somebody-elses",)]
    finally:
        await cron.execute("select cron.unschedule('somebody-elses')")


async def test_every_registered_command_runs(cron: psycopg.AsyncConnection[Any]) -> None:
    await schedule.install(cron)
    for job in await schedule.jobs(cron) or ():
        await cron.execute(job.command.encode())


async def test_a_job_really_fires(cron: psycopg.AsyncConnection[Any]) -> None:
    """The planned pauses are looked at every minute, so within a minute or so pg_cron must have run them."""
    await schedule.install(cron)
    await cron.execute("delete from cron.job_run_details")
    async with asyncio.timeout(100):
        while not (fired := await _ended(cron)):
            await cron.execute("select pg_sleep(0.5)")
    assert fired == {"succeeded"}


async def test_without_pg_cron_nothing_is_registered(database: Database) -> None:
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as connection:
        assert not await schedule.install(connection)
        assert await schedule.jobs(connection) is None
        assert await schedule.remove(connection) == 0


def test_the_command_names_what_the_worker_does_where_there_is_no_pg_cron(database: Database) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from peerpause.cli import main; main()", "schedule", "install", "--json"],
        env={**os.environ, "PEERPAUSE_DATABASE_URL": database.url},
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert answer["pg_cron"] is None
    assert answer["worker"]["check_certificates"] == _JOBS["peerpause-certificate-check"]
    assert answer["worker"]["watch_certificates"] == _JOBS["peerpause-watchdog"]


async def _ended(cron: psycopg.AsyncConnection[Any]) -> set[str]:
    return {
        job.last_status
        for job in await schedule.jobs(cron) or ()
        if job.last_status in {"succeeded", "failed"}
    }
