"""Question 7: how long after a change a coordinator's phone could ring, when little happens and when a great deal does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg

from benchmarks import server as servers
from benchmarks.pgbench import pgbench
from benchmarks.population import Population, mentor_id, mentor_user_id
from benchmarks.question import Question, Report, Run, Table, ask, verify
from benchmarks.quick_fcm import QuickFcm, quick_fcm
from benchmarks.serving import peerpause
from benchmarks.spread import Spread, digits, percentile
from peerpause.database.session import Claims, Sessions
from peerpause.notifications.bell import OutboxBell
from peerpause.status.repository import PostgresMentorStatusRepository
from peerpause.status.service import MentorStatusService
from peerpause.worker.schema import ensure_schema
from tests.servers import Server

QUESTION: Final = Question(
    number=7,
    module="bench_07_commit_to_push",
    title="From the commit to the push",
    method=(
        "From the change's own time in the history (the server's clock, taken just before the commit, so the commit itself is counted in) to the arrival of the "
        "push at a stand-in for FCM; one process of `peerpause serve` tells and sends. Each mentor has one coordinator with one device, so that each change is one push and "
        "none is summed up. **Idle**: mentors pause one after the other through `MentorStatusService`, each change made when the one before has arrived. "
        "**Busy**: pgbench calls `update_mentor_status` 500 times a second while a bell rings as those of API processes would. Verified: each "
        "change has exactly one push, by its id: none lost, none sent twice."
    ),
    budgets=("commit-to-push-idle", "commit-to-push-busy"),
    tried={
        "commit-to-push-idle": "ringing the bell once for many changes, the quick event loop for the worker.",
        "commit-to-push-busy": (
            "ringing the bell once for many changes, the quick event loop for the worker, deliveries claimed and settled in batches, nothing heavy loaded soon after the "
            "start, no plan kept from when the queue was empty. Changing, telling and sending 500 times a second takes most of two processors here, with the load generator and the "
            "stand-in beside them, so that what else the machine does decides. Nothing is lost. A worker on another machine takes half of it."
        ),
    },
)

_RATE: Final = 500
_IDLE_CHANGES: Final = 40

_MORE: Final = (
    # One chapter each, so that each change is one person's to hear of.
    "delete from public.chapter_memberships where substr(chapter_id::text, 2) <> substr(mentor_id::text, 2)",
    """
    insert into public.device_tokens (token, user_id, platform)
    select 'device-' || n, ('f' || lpad(n::text, 31, '0'))::uuid, 'android'
    from generate_series(1, %(mentors)s::integer) as n
    """,
    "create sequence public.bench_turn start 1000",
    "grant usage on sequence public.bench_turn to service_role",
)
_CHANGE: Final = (
    "select public.update_mentor_status("
    "('a' || lpad(nextval('public.bench_turn')::text, 31, '0'))::uuid, 'paused', null, 'travel');\n"
)
_CHANGED_SINCE: Final = """
    select id, extract(epoch from changed_at)::float8 as changed_at
    from public.peer_mentor_status_history
    where previous_status is not null and changed_at >= to_timestamp(%s)
"""


def measure(run: Run) -> Report:
    """Idle first, then busy, on one database."""
    seconds = 60 if run.full else 5
    mentors = _RATE * seconds + 2_000
    report = Report()
    with servers.durable_server() as server, quick_fcm() as fcm:
        run.say(f"{mentors:,} mentors with a coordinator and a device each …")
        with psycopg.connect(servers.url(server)) as connection:
            Population(mentors=mentors, chapters=mentors, organisations=1).fill(connection)
            for statement in _MORE:
                connection.execute(statement, {"mentors": mentors})
            connection.commit()
        with _serving(server, fcm):
            run.say("idle …")
            began = time.time()
            asyncio.run(_idle(servers.url(server, user="authenticator"), fcm))
            idle = _latencies(server, fcm, since=began, settled_within=30)
            run.say(f"{_RATE} changes/s for {seconds} s …")
            began = time.time()
            reached = asyncio.run(_busy(server, seconds))
            busy = _latencies(server, fcm, since=began, settled_within=300)
        report.remarks.append(f"{servers.version(server)}.")
    report.tables.append(
        Table(
            ["", "changes", "changes/s", "p50, ms", "p95, ms", "p99, ms", "longest, ms", "lost", "twice"],
            [_row("idle", idle, "one at a time"), _row("busy", busy, digits(reached))],
        )
    )
    report.measured = {
        "commit-to-push-idle": Spread.of([percentile(idle, 0.95)]),
        "commit-to-push-busy": Spread.of([percentile(busy, 0.95)]),
    }
    return report


@contextmanager
def _serving(server: Server, fcm: QuickFcm) -> Iterator[None]:
    asyncio.run(ensure_schema(servers.url(server)))
    settings = {"PEERPAUSE_FCM_CREDENTIALS": fcm.account, "PEERPAUSE_FCM_ENDPOINT": fcm.endpoint}
    with peerpause(servers.url(server), settings=settings):
        yield


async def _idle(url: str, fcm: QuickFcm) -> None:
    async with Sessions(url=url, size=2) as sessions:
        bell = OutboxBell(sessions=sessions)
        for number in range(1, _IDLE_CHANGES + 1):
            before, _ = fcm.counts()
            mentor = Claims(mentor_user_id(number))  # who changes something is not told of it
            repository = PostgresMentorStatusRepository(sessions=sessions, caller=mentor)
            service = MentorStatusService(repository=repository, wake_outbox=bell.ring)
            await service.pause_mentor(mentor_id(number), "travel")
            await _until(lambda before=before: fcm.counts()[0] > before, seconds=30)
        await bell.close()


async def _busy(server: Server, seconds: int) -> float:
    """Changes from pgbench, and the bell that the processes making them would ring; gives how many a second were reached."""
    async with Sessions(url=servers.url(server, user="authenticator"), size=1) as sessions:
        bell = OutboxBell(sessions=sessions)
        load = asyncio.create_task(
            asyncio.to_thread(
                pgbench,
                server,
                _CHANGE,
                database=servers.DATABASE,
                clients=8,
                seconds=seconds,
                rate=_RATE,
                claims={"role": "service_role"},
            )
        )
        while not load.done():
            bell.ring()
            await asyncio.wait({load}, timeout=0.05)
        await bell.close()
        return (await load).per_second


def _latencies(server: Server, fcm: QuickFcm, *, since: float, settled_within: float) -> Sequence[float]:
    """Milliseconds to its push from each change that was made since then, in seconds since 1970."""
    with psycopg.connect(servers.url(server)) as connection:
        rows = connection.execute(_CHANGED_SINCE, (since,)).fetchall()
    changed = {f"change-{history_id.hex}": changed_at for history_id, changed_at in rows}
    arrived: dict[str, list[float]] = {}
    give_up = time.monotonic() + settled_within
    while len(arrived) < len(changed) and time.monotonic() < give_up:
        for key, times in fcm.arrivals().items():
            arrived.setdefault(key, []).extend(times)
        time.sleep(0.2)
    for key, times in fcm.arrivals().items():
        arrived.setdefault(key, []).extend(times)
    verify("changes without a push", len(changed.keys() - arrived.keys()), 0)
    verify("pushes without a change", len(arrived.keys() - changed.keys()), 0)
    verify("changes with more than one push", sum(len(times) > 1 for times in arrived.values()), 0)
    return [(arrived[key][0] - at) * 1000 for key, at in changed.items()]


async def _until(is_so: Any, *, seconds: float) -> None:
    give_up = time.monotonic() + seconds
    while not await asyncio.to_thread(is_so):
        if time.monotonic() > give_up:
            raise TimeoutError("no push arrived")
        await asyncio.sleep(0.005)


def _row(name: str, latencies: Sequence[float], rate: str) -> Sequence[object]:
    shares: Mapping[str, float] = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    return [
        name,
        f"{len(latencies):,}",
        rate,
        *(digits(percentile(latencies, share)) for share in shares.values()),
        digits(max(latencies)),
        0,
        0,
    ]


if __name__ == "__main__":
    ask(QUESTION, measure)
