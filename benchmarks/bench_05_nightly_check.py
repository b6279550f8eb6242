"""Question 5: the night's certificate check at full size, beside the bare statements and beside one call for each mentor."""

from __future__ import annotations

import asyncio
import logging
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, LiteralString

import psycopg
import structlog

from benchmarks import server as servers
from benchmarks.population import Connection, Population, mentor_id, without_triggers
from benchmarks.question import Question, Report, Run, Table, ask, verify
from benchmarks.spread import Rounds, alternating, digits
from peerpause.certifications.expiry import CertificationExpiryJob
from peerpause.database.session import Sessions
from peerpause.notifications.outbox import Outbox
from tests.servers import Server

QUESTION: Final = Question(
    number=5,
    module="bench_05_nightly_check",
    title="The nightly check",
    method=(
        "Of 1,000,000 active mentors (50,000 without `--full`) every tenth holds a certificate that ran out yesterday. **Ours** is the job as the "
        "worker runs it: batches of 1,000 expired certificates, each a transaction, through the trigger, with a run row that survives a crash. "
        "**Bare** is one statement that trusts itself: find the lapsed, update them, insert their history, on a copy of the table without triggers "
        "and beside a plain history. **One call a mentor** sends `update_mentor_status` 2,000 times over one connection, and is "
        "scaled up to all lapsed mentors. Between rounds both tables are set back and vacuumed. Each run is verified: as many mentors paused and "
        "history rows written as mentors had lapsed."
    ),
    budgets=("nightly-check",),
)

_CALLS: Final = 2000

_BARE: Final[LiteralString] = """
create schema bare;
create table bare.peer_mentors (like public.peer_mentors including all);
insert into bare.peer_mentors select * from public.peer_mentors;
create table bare.history (
  id bigint generated always as identity primary key,
  mentor_id uuid not null references bare.peer_mentors (id),
  previous_status text not null,
  new_status text not null,
  changed_at timestamptz not null,
  reason text,
  certification_expires_at date
);
create index on bare.history (mentor_id, changed_at);
"""

_BARE_CHECK: Final[LiteralString] = """
with lapsed as (
  select p.id, max(c.expires_on) as expired_on
  from bare.peer_mentors as p
  inner join public.organisations as o on o.id = p.organisation_id
  inner join public.certifications as c on c.mentor_id = p.id and c.kind = any(o.required_certification_kinds)
  where p.status = 'active'
  group by p.id
  having max(c.expires_on) < current_date
),

paused as (
  update bare.peer_mentors as p
  set status = 'paused', pause_at = now(), pause_reason = 'certification_expired', updated_at = now()
  from lapsed as l
  where p.id = l.id
  returning p.id, l.expired_on
)

insert into bare.history (mentor_id, previous_status, new_status, changed_at, reason, certification_expires_at)
select n.id, 'active', 'paused', now(), 'certification_expired', n.expired_on
from paused as n
"""

_LAPSE: Final[LiteralString] = """
update public.certifications as c
set expires_on = current_date - 1
where c.expires_on >= current_date and right(c.mentor_id::text, 1) = '0'
"""


def measure(run: Run) -> Report:
    """Once where nobody ever renewed, once where everybody did."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    mentors = 1_000_000 if run.full else 50_000
    report = Report()
    rows = []
    for renewed in (False, True):
        with servers.durable_server() as server, psycopg.connect(servers.url(server)) as connection:
            run.say(f"{mentors:,} mentors, {'all' if renewed else 'none'} renewed before …")
            _make(connection, mentors, renewed=renewed)
            rounds, remarks = _compare(server, connection, mentors // 10, run)
            ratio = rounds.ratio("ours", to="bare")
            rows.append(
                [
                    "everybody renewed once" if renewed else "first certificates",
                    *(rounds.of(name) for name in ("ours", "bare", "one call a mentor")),
                    ratio,
                    rounds.ratio("one call a mentor", to="ours"),
                ]
            )
            if not renewed:
                report.measured["nightly-check"] = ratio
                report.remarks += [f"{servers.version(server)}.", *remarks]
    report.tables.append(
        Table(
            ["", "ours, s", "bare, s", "one call a mentor, s", "ours : bare", "one call a mentor : ours"],
            rows,
        )
    )
    return report


def _make(connection: Connection, mentors: int, *, renewed: bool) -> None:
    Population(mentors=mentors, chapters=mentors // 500, certified=True).fill(connection)
    with without_triggers(connection):
        connection.execute(_LAPSE)
        if not renewed:
            connection.execute(
                "delete from public.certifications as c where exists ("
                " select from public.certifications as n where n.mentor_id = c.mentor_id and n.expires_on > c.expires_on)"
            )
    connection.execute(_BARE)
    connection.commit()
    _vacuum(connection)


def _compare(server: Server, connection: Connection, lapsed: int, run: Run) -> tuple[Rounds, list[str]]:
    memory: list[tuple[float, float, float]] = []
    rounds = alternating(
        {
            "ours": partial(_ours, server, connection, lapsed, memory),
            "bare": partial(_bare, connection, lapsed),
            "one call a mentor": partial(_call_each, server, connection, lapsed),
        },
        rounds=3 if run.full else 1,
    )
    ours, backend, temporary = (max(readings) for readings in zip(*memory, strict=True))
    remarks = [
        f"Memory of our run: our process grew by {digits(ours)} MB, its backend held at most {digits(backend)} MB of its own, "
        f"and wrote {temporary:,.0f} bytes of temporary files.",
        _fan_out(server, connection, lapsed),
    ]
    return rounds, remarks


def _ours(
    server: Server, connection: Connection, lapsed: int, memory: list[tuple[float, float, float]]
) -> float:
    _set_back(connection)
    temporary = _temporary_bytes(connection)
    seconds, paused, grown, peak = asyncio.run(_run_job(servers.url(server)))
    memory.append((grown, peak, _temporary_bytes(connection) - temporary))
    verify("mentors paused by the job", paused, lapsed)
    verify("history rows of the job", _count(connection, _OUR_ROWS), lapsed)
    verify("mentors paused", _count(connection, _OUR_PAUSED), lapsed)
    return seconds


async def _run_job(url: str) -> tuple[float, int, float, float]:
    async with Sessions(url=url, size=1) as sessions:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with _peak_of_backends(url) as peak:
            began = time.perf_counter()
            report = await CertificationExpiryJob(sessions=sessions).run()
            seconds = time.perf_counter() - began
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        verify("how the job ended", report.status, "succeeded")
        return seconds, report.paused, grown / 1024, max(peak, default=0.0)


def _bare(connection: Connection, lapsed: int) -> float:
    _set_back(connection)
    began = time.perf_counter()
    connection.execute(_BARE_CHECK)
    connection.commit()
    seconds = time.perf_counter() - began
    verify("history rows of the bare check", _count(connection, "select count(*) from bare.history"), lapsed)
    return seconds


def _call_each(server: Server, connection: Connection, lapsed: int) -> float:
    _set_back(connection)
    calls = min(_CALLS, lapsed)
    with psycopg.connect(servers.url(server), autocommit=True) as caller:
        caller.execute("set role service_role")
        began = time.perf_counter()
        for number in range(1, calls + 1):
            caller.execute(
                "select public.update_mentor_status(%s, 'paused', null, 'certification_expired')",
                (mentor_id(10 * number),),
            )
        seconds = time.perf_counter() - began
    verify("history rows of the calls", _count(connection, _OUR_ROWS), calls)
    return seconds * lapsed / calls


def _fan_out(server: Server, connection: Connection, lapsed: int) -> str:
    """What becomes of a night's changes, in one worker: how long it takes, and into how many pushes they are tied together."""
    _set_back(connection)
    asyncio.run(_run_job(servers.url(server)))
    began = time.perf_counter()
    changes = asyncio.run(_tell_all(servers.url(server)))
    seconds = time.perf_counter() - began
    verify("changes told", changes, lapsed)
    entries = _count(connection, "select count(*) from public.notifications")
    verify("inbox entries, for mentor and coordinators", entries >= 2 * lapsed, True)
    coordinators = _count(
        connection,
        "select count(distinct (d.recipient_id, d.job_run_id)) from public.notification_deliveries as d where not d.about_self",
    )
    return (
        f"Fan-out of the {lapsed:,} changes by one worker: {digits(seconds)} s ({digits(lapsed / seconds)} changes/s) into {entries:,} inbox "
        f"entries; the pushes to coordinators are tied into {coordinators:,} summaries, one for each of them."
    )


async def _tell_all(url: str) -> int:
    changes = 0
    async with Sessions(url=url, size=1) as sessions:
        outbox = Outbox(sessions=sessions)
        while (told := await outbox.tell_changes()).anything:
            changes += told.changes
    return changes


@contextmanager
def _peak_of_backends(url: str) -> Iterator[list[float]]:
    """Readings, while the block lasts, of what the biggest backend holds besides shared memory, in MB."""
    readings: list[float] = []
    ended = threading.Event()

    def watch() -> None:
        with psycopg.connect(url, autocommit=True, application_name="watcher") as connection:
            while not ended.wait(0.2):
                rows = connection.execute(
                    "select a.pid from pg_stat_activity as a"
                    " where a.datname = current_database() and a.application_name <> 'watcher' and a.backend_type = 'client backend'"
                ).fetchall()
                readings.extend(_own_memory(row[0]) for row in rows)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield readings
    finally:
        ended.set()
        watcher.join()


def _own_memory(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon")), 0.0)


_OUR_ROWS: Final[LiteralString] = (
    "select count(*) from public.peer_mentor_status_history as h where h.previous_status is not null"
)
_OUR_PAUSED: Final[LiteralString] = "select count(*) from public.peer_mentors as p where p.status = 'paused'"

_SET_BACK: Final[tuple[LiteralString, ...]] = (
    "delete from public.notification_deliveries",
    "delete from public.notifications",
    "delete from public.peer_mentor_status_history as h where h.previous_status is not null",
    "delete from public.job_runs",
    "delete from bare.history",
    "update public.peer_mentors set status = 'active', pause_at = null, pause_reason = null where status = 'paused'",
    "update bare.peer_mentors set status = 'active', pause_at = null, pause_reason = null where status = 'paused'",
)


def _set_back(connection: Connection) -> None:
    with without_triggers(connection):
        for statement in _SET_BACK:
            connection.execute(statement)
    _vacuum(connection)


def _vacuum(connection: Connection) -> None:
    connection.autocommit = True
    connection.execute("vacuum (analyze)")
    connection.execute("checkpoint")
    connection.autocommit = False


def _temporary_bytes(connection: Connection) -> int:
    return _count(connection, "select temp_bytes from pg_stat_database where datname = current_database()")


def _count(connection: Connection, statement: LiteralString) -> int:
    row = connection.execute(statement).fetchone()
    connection.commit()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    ask(QUESTION, measure)
