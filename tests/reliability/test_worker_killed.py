"""Workers killed with SIGKILL wherever it hurts: afterwards everybody has been told, the inbox once, the phone so that it shows it once.

Each test watches for the moment it wants from outside (a call that arrived, a row that is taken, a lock that is waited for), kills
the process, lets the lease run out by moving it in the database, and starts another worker.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from peerpause.demo import fcm_answers as answers
from peerpause.demo.fcm_standin import Arrival, FcmStandin
from peerpause.worker.schema import ensure_schema
from tests.cast import (
    Mentor,
    World,
    add_chapter,
    add_coordinator,
    add_device,
    add_mentor,
    build_world,
    set_status,
)
from tests.database.acting import Session, count, owner_session
from tests.servers import Database

BOS_PHONE, CYS_PHONE = "bos-phone", "cys-phone"
PENDING = "select count(*) from public.notification_deliveries where channel = 'push' and state = 'pending'"
TAKEN = f"{PENDING} and attempts > 0"
UNTOLD = "select count(*) from public.peer_mentor_status_history where told_at is null"
OTHERS = "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
LOCKED_OUT = f"{OTHERS} and wait_event_type = 'Lock'"
WAITING_FOR_A_LOCK = f"select count(*) {LOCKED_OUT}"


@pytest.fixture
async def world(database: Database) -> World:
    await ensure_schema(database.url)
    world = build_world(database.url)
    with owner_session(database) as session:
        add_device(session, world.bo, BOS_PHONE)
        add_device(session, world.cy, CYS_PHONE)
    return world


@pytest.fixture
def owner(database: Database) -> Iterator[Session]:
    with owner_session(database) as session:
        yield session


@pytest.fixture
async def standin() -> AsyncIterator[FcmStandin]:
    async with FcmStandin() as running:
        yield running


@asynccontextmanager
async def worker(database: Database, standin: FcmStandin) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker in a process of its own; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from peerpause.cli import main; main()",
        "worker",
        env={
            **os.environ,
            "PEERPAUSE_DATABASE_URL": database.url,
            "PEERPAUSE_FCM_CREDENTIALS": standin.credentials,
            "PEERPAUSE_FCM_ENDPOINT": standin.endpoint,
            "PEERPAUSE_LOG_LEVEL": "ERROR",
        },
        stdin=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def kill(process: asyncio.subprocess.Process) -> None:
    process.kill()
    assert await process.wait() == -signal.SIGKILL


async def hang_up(owner: Session) -> None:
    """Take the connections of a worker that was killed along with it: the server would do what it has been sent, and take more for it."""
    owner.execute(f"select pg_terminate_backend(pid) {OTHERS}".encode())
    await until(owner, f"select count(*) {OTHERS}", at_most=0)


async def until(owner: Session, question: str, *, at_least: int = 0, at_most: int | None = None) -> None:
    """Wait for the database to say so."""
    async with asyncio.timeout(60):
        while True:
            found = await asyncio.to_thread(count, owner, question)
            if at_least <= found and (at_most is None or found <= at_most):
                return
            await asyncio.sleep(0.02)


async def calls_to(standin: FcmStandin, phone: str, arrivals: AsyncIterator[Arrival]) -> None:
    async with asyncio.timeout(60):
        while (await anext(arrivals)).target != phone:
            pass


def let_leases_end(owner: Session) -> None:
    owner.execute(
        "update public.notification_deliveries set not_before = not_before - interval '4 minutes' where attempts > 0"
    )


def assert_all_told_once(owner: Session, world: World, standin: FcmStandin, *, changes: int) -> None:
    """Everybody has it: the inbox once, the phone at most twice and then so that it shows it once."""
    assert count(owner, UNTOLD) == 0
    for person in (world.bo, world.cy):
        entries = "select count(*) from public.notifications where recipient_id = %s"
        assert count(owner, entries, person.user_id) == changes
        states = "select count(*) from public.notification_deliveries where recipient_id = %s and channel = 'push' and state = 'sent'"
        assert count(owner, states, person.user_id) == changes
    shown = Counter((call.target, call.message["android"]["collapseKey"]) for call in standin.calls)
    assert {target for target, _ in shown} == {BOS_PHONE, CYS_PHONE}
    assert len(shown) == 2 * changes
    assert max(shown.values()) <= 2


async def test_killed_between_the_claim_and_the_send(
    world: World, owner: Session, database: Database, standin: FcmStandin
) -> None:
    standin.script_token_endpoint([answers.slow(3600)] * 3)
    set_status(owner, world.finn, "paused", reason="travel")
    async with worker(database, standin) as process:
        await until(owner, TAKEN, at_least=2)
        await kill(process)
    await hang_up(owner)
    assert standin.calls == []
    standin.script_token_endpoint([])
    let_leases_end(owner)
    async with worker(database, standin):
        await until(owner, PENDING, at_most=0)
    assert_all_told_once(owner, world, standin, changes=1)
    assert len(standin.calls) == 2


async def test_killed_between_the_send_and_the_answer(
    world: World, owner: Session, database: Database, standin: FcmStandin
) -> None:
    standin.script(BOS_PHONE, [answers.slow(3600)])
    arrivals = standin.on_arrival()
    set_status(owner, world.finn, "paused", reason="travel")
    async with worker(database, standin) as process:
        await calls_to(standin, BOS_PHONE, arrivals)
        await kill(process)
    await hang_up(owner)
    let_leases_end(owner)
    async with worker(database, standin):
        await until(owner, PENDING, at_most=0)
    assert_all_told_once(owner, world, standin, changes=1)
    assert [call.target for call in standin.calls].count(BOS_PHONE) == 2


async def test_killed_between_the_answer_and_writing_it_down(
    world: World, owner: Session, database: Database, standin: FcmStandin
) -> None:
    standin.script(BOS_PHONE, [answers.slow(1)])
    standin.script(CYS_PHONE, [answers.slow(1)])
    arrivals = standin.on_arrival()
    set_status(owner, world.finn, "paused", reason="travel")
    async with worker(database, standin) as process:
        await calls_to(standin, BOS_PHONE, arrivals)
        async with await psycopg.AsyncConnection.connect(database.url) as holder:
            await holder.execute("select from public.notification_deliveries for update")
            await until(owner, WAITING_FOR_A_LOCK, at_least=1)
            await kill(process)
            # The server would finish what it has been sent; a machine that dies takes its connection along.
            owner.execute(f"select pg_terminate_backend(pid) {LOCKED_OUT}".encode())
    assert count(owner, PENDING) > 0
    let_leases_end(owner)
    async with worker(database, standin):
        await until(owner, PENDING, at_most=0)
    assert_all_told_once(owner, world, standin, changes=1)


async def test_killed_in_the_middle_of_the_fan_out(
    world: World, owner: Session, database: Database, standin: FcmStandin
) -> None:
    async with await psycopg.AsyncConnection.connect(database.url) as holder:
        await holder.execute("lock table public.notifications in share mode")
        set_status(owner, world.finn, "paused", reason="travel")
        async with worker(database, standin) as process:
            await until(owner, WAITING_FOR_A_LOCK, at_least=1)
            await kill(process)
        assert count(owner, UNTOLD) > 0
    async with worker(database, standin):
        await until(owner, UNTOLD, at_most=0)
        await until(owner, PENDING, at_most=0)
    assert_all_told_once(owner, world, standin, changes=1)
    assert len(standin.calls) == 2


async def test_a_worker_asked_to_stop_finishes_what_is_under_way(
    world: World, owner: Session, database: Database, standin: FcmStandin
) -> None:
    standin.script(BOS_PHONE, [answers.slow(1)])
    arrivals = standin.on_arrival()
    set_status(owner, world.finn, "paused", reason="travel")
    async with worker(database, standin) as process:
        await calls_to(standin, BOS_PHONE, arrivals)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            assert await process.wait() == 0
    assert_all_told_once(owner, world, standin, changes=1)
    assert len(standin.calls) == 2


async def test_several_workers_at_once_send_each_of_200_changes_once(
    world: World, owner: Session, database: Database, standin: FcmStandin
) -> None:
    mentors = [_in_a_chapter_of_their_own(owner, world, number) for number in range(40)]
    async with worker(database, standin), worker(database, standin), worker(database, standin):
        for _ in range(5):
            for mentor in mentors:
                await asyncio.to_thread(_toggle, owner, mentor)
        await until(owner, UNTOLD, at_most=0)
        await until(owner, PENDING, at_most=0)
    pushes = Counter((call.target, call.message["android"]["collapseKey"]) for call in standin.calls)
    assert set(pushes.values()) == {1}
    assert len(pushes) == 200
    for table in ("notifications", "notification_deliveries"):
        told = f"select count(*) from public.{table} as t inner join public.device_tokens as d on d.user_id = t.recipient_id"
        assert count(owner, told) == 200


async def test_one_of_several_workers_killed_costs_nobody_the_news(
    world: World, owner: Session, database: Database, standin: FcmStandin
) -> None:
    mentors = [_in_a_chapter_of_their_own(owner, world, number) for number in range(40)]
    arrivals = standin.on_arrival()
    async with worker(database, standin), worker(database, standin) as unlucky:
        for mentor in mentors:
            await asyncio.to_thread(_toggle, owner, mentor)
        async with asyncio.timeout(60):
            await anext(arrivals)
        await kill(unlucky)
        for mentor in mentors:
            await asyncio.to_thread(_toggle, owner, mentor)
        await until(owner, UNTOLD, at_most=0)
        await until(owner, f"{PENDING} and not_before <= now()", at_most=0)
        await asyncio.to_thread(let_leases_end, owner)
        await until(owner, PENDING, at_most=0)
    pushes = Counter((call.target, call.message["android"]["collapseKey"]) for call in standin.calls)
    assert len(pushes) == 80
    assert max(pushes.values()) <= 2


def _in_a_chapter_of_their_own(owner: Session, world: World, number: int) -> Mentor:
    chapter = add_chapter(owner, world.organisation_id, f"chapter {number}")
    person = add_coordinator(owner, f"C{number}", chapters=[chapter])
    add_device(owner, person, f"phone-{number}")
    return add_mentor(owner, f"M{number}", chapters=[chapter])


def _toggle(owner: Session, mentor: Mentor) -> None:
    row = owner.execute(
        "select status::text from public.peer_mentors where id = %s", (mentor.mentor_id,)
    ).fetchone()
    assert row is not None
    set_status(owner, mentor, "active" if row["status"] == "paused" else "paused", reason="travel")
