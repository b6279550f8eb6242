"""Question 8: how fast changes become inbox entries and deliveries, beside job queues that run one job for each change."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Callable, Coroutine
from functools import partial
from multiprocessing.synchronize import Barrier
from typing import Any, Final
from uuid import UUID

import psycopg

from benchmarks import server as servers
from benchmarks.job_queues import (
    drain_ours,
    drain_pgqueuer,
    drain_procrastinate,
    queue_in_pgqueuer,
    queue_in_procrastinate,
    set_up_queues,
)
from benchmarks.population import Connection, Population, without_triggers
from benchmarks.question import Question, Report, Run, Table, ask, verify
from benchmarks.spread import alternating
from tests.servers import Server

QUESTION: Final = Question(
    number=8,
    module="bench_08_outbox",
    title="From the history to deliveries",
    method=(
        "Changes of 2,000 mentors wait in the history; 1, 2 and 4 worker processes turn them into inbox entries and deliveries for mentor and "
        "coordinator. **Ours** claims up to 500 changes a statement. **Procrastinate** and **PgQueuer** (asyncpg driver) run one job for each "
        "change, ten at a time in each process, as their documentation shows; the job does its one change with the very same statement, in "
        "the same database. Their jobs are queued before the clock starts. Each run is verified: every change told, an inbox entry and "
        "a push for the mentor and for each of their coordinators, no more."
    ),
    no_budget="none was promised for the throughput of the outbox.",
)

_MENTORS: Final = 2000
_CHANGE: Final = """
with paused as (
  update public.peer_mentors as p
  set status = 'paused', pause_reason = 'illness'
  from (select m.id from public.peer_mentors as m where m.status = 'active' order by m.id limit %s) as chosen
  where p.id = chosen.id
  returning p.id
)
select count(*) from paused
"""

Drain = Callable[[str, Barrier], Coroutine[Any, Any, None]]


def measure(run: Run) -> Report:
    """Alternate the three for each number of processes; each round begins with the same untold changes."""
    with servers.durable_server() as server, psycopg.connect(servers.url(server)) as connection:
        Population(mentors=_MENTORS, chapters=20).fill(connection)
        asyncio.run(set_up_queues(servers.url(server)))
        rows = []
        for processes in (1, 2, 4):
            run.say(f"{processes} worker process(es) …")
            measures: dict[str, Callable[[], float]] = {
                "ours": partial(
                    _changes_per_second, server, connection, drain_ours, processes, _MENTORS, None
                ),
                "Procrastinate": partial(
                    _changes_per_second,
                    server,
                    connection,
                    drain_procrastinate,
                    processes,
                    _MENTORS if run.full else 100,
                    queue_in_procrastinate,
                ),
                "PgQueuer": partial(
                    _changes_per_second,
                    server,
                    connection,
                    drain_pgqueuer,
                    processes,
                    _MENTORS if run.full else 100,
                    queue_in_pgqueuer,
                ),
            }
            rounds = alternating(measures, rounds=5 if run.full else 1)
            rows.append(
                [
                    processes,
                    *(rounds.of(name) for name in measures),
                    rounds.ratio("ours", to="Procrastinate"),
                    rounds.ratio("ours", to="PgQueuer"),
                ]
            )
        head = [
            "processes",
            *(f"{name}, changes/s" for name in ("ours", "Procrastinate", "PgQueuer")),
            "ours : Procrastinate",
            "ours : PgQueuer",
        ]
        return Report(
            tables=[Table(head, rows)],
            remarks=[f"{servers.version(server)}; workers and database share the processors."],
        )


def _changes_per_second(
    server: Server,
    connection: Connection,
    drain: Drain,
    processes: int,
    changes: int,
    queue: Callable[[str, list[UUID]], Coroutine[Any, Any, None]] | None,
) -> float:
    history_ids = _fresh_changes(connection, changes)
    if queue is not None:
        asyncio.run(queue(servers.url(server), history_ids))
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(processes + 1)
    workers = [
        context.Process(target=_work, args=(drain, servers.url(server), start)) for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    start.wait(120)
    began = time.perf_counter()
    for worker in workers:
        worker.join()
    seconds = time.perf_counter() - began
    verify("how the workers ended", {worker.exitcode for worker in workers}, {0})
    people = changes + _count_coordinators(connection)
    verify("changes told, inbox entries, pushes", _told(connection), (changes, people, people))
    return changes / seconds


def _work(drain: Drain, url: str, start: Barrier) -> None:
    asyncio.run(drain(url, start))


def _fresh_changes(connection: Connection, count: int) -> list[UUID]:
    with without_triggers(connection):
        for table in ("notification_deliveries", "notifications", "peer_mentor_status_history"):
            connection.execute(f"delete from public.{table}")
        connection.execute(
            "update public.peer_mentors set status = 'active', pause_at = null, pause_reason = null"
        )
    connection.autocommit = True
    connection.execute("vacuum (analyze)")
    connection.autocommit = False
    verify("changes made", connection.execute(_CHANGE, (count,)).fetchone(), (count,))
    rows = connection.execute("select h.id from public.peer_mentor_status_history as h").fetchall()
    connection.commit()
    return [row[0] for row in rows]


def _count_coordinators(connection: Connection) -> int:
    row = connection.execute(
        "select count(*) from public.peer_mentor_status_history as h"
        " inner join public.chapter_memberships as m on m.mentor_id = h.mentor_id"
    ).fetchone()
    assert row is not None
    return int(row[0])


def _told(connection: Connection) -> tuple[int, ...]:
    row = connection.execute(
        """
        select
          (select count(*) from public.peer_mentor_status_history as h where h.told_at is not null),
          (select count(*) from public.notifications),
          (select count(*) from public.notification_deliveries as d where d.channel = 'push')
        """
    ).fetchone()
    connection.commit()
    assert row is not None
    return tuple(row)


if __name__ == "__main__":
    ask(QUESTION, measure)
