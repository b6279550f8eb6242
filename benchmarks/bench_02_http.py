"""Question 2: changes of status over HTTP, beside the Django stack one would otherwise build; and the library without HTTP."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, LiteralString

import psycopg

from benchmarks import server as servers
from benchmarks.load import wrk
from benchmarks.population import Connection, Population, coordinator_id, mentor_id
from benchmarks.question import Question, Report, Run, Table, ask, verify
from benchmarks.serving import SECRET, Served, peerpause, serving
from benchmarks.spread import alternating
from peerpause import sql
from peerpause.auth.tokens import issue_token
from peerpause.database.session import Claims, Sessions
from peerpause.status.repository import PostgresMentorStatusRepository
from peerpause.status.service import MentorStatusService
from tests.servers import Server

QUESTION: Final = Question(
    number=2,
    module="bench_02_http",
    title="A change over HTTP",
    method=(
        "wrk (C, one thread, 16 connections kept alive) pauses mentor after mentor, then brings them back: `POST …/pause` and `…/reactivate`. "
        "**Ours** is one process of `peerpause serve --no-worker`; each request carries one of 200 coordinators' tokens, is checked, runs under row-level "
        "security, and writes one row of history. **Django** is one gunicorn process with 8 threads: Django REST framework, django-fsm-2, "
        "django-simple-history, connections kept (`CONN_MAX_AGE = None`), `select_for_update` within `atomic`; it checks neither a token nor a "
        "permission. Both on the same durable PostgreSQL with 20,000 mentors. Verified: no request refused, and as many rows of history "
        "as answers (wrk hangs up on the last 16, which may or may not have been counted)."
    ),
    budgets=("change-over-http",),
    tried={
        "change-over-http": (
            "kept: a pipeline that is one transaction without `begin` and `commit`; tokens looked into once a minute; log lines "
            "written without the standard library's detour; one message to other processes for many changes; one dependency for who asks instead of a chain of five. "
            "Counted in instructions the process executes for one change, these took a third off. What remains is mostly FastAPI's own way through a request "
            "and the driver's pipeline: by samples (`py-spy`) 40 % of the time is FastAPI and the server, 38 % the driver, 12 % headers, log and figures. Tried and not kept: answers serialised past FastAPI, which saved next to nothing."
        )
    },
)

_CONNECTIONS: Final = 16
_MENTORS: Final = 20_000
_COORDINATORS: Final = 200
# More than wrk may have under way when it hangs up, so that the next run meets nobody half done.
_GAP: Final = 64

_WRK: Final = """
local tokens = {{{tokens}}}
local i = {start}
function request()
  local turn, n = math.floor(i / {mentors}), i % {mentors}
  i = i + 1
  local headers = {{["Authorization"] = "Bearer " .. tokens[n % #tokens + 1], ["Content-Type"] = "application/json"}}
  local path = string.format("/v1/mentors/a%07d-%04d-%04d-%04d-%012d/", 0, 0, 0, 0, n + 1)
  if turn % 2 == 0 then
    return wrk.format("POST", path .. "pause", headers, '{{"reason": "travel"}}')
  end
  return wrk.format("POST", path .. "reactivate", headers, "{{}}")
end
"""


@dataclass(slots=True)
class _Contender:
    """One server under load. ``turn`` is the number of the next request: so many were made before."""

    served: Served
    connection: Connection
    history: LiteralString
    tokens: tuple[str, ...]
    turn: int = 0
    cpu_milliseconds: list[float] = field(default_factory=list)

    def changes_per_second(self, seconds: float) -> float:
        """Load it, and count what it wrote."""
        written, computed = self._written(), self.served.cpu_seconds
        script = _WRK.format(
            tokens=", ".join(f'"{token}"' for token in self.tokens), start=self.turn, mentors=_MENTORS
        )
        load = wrk(self.served.url, connections=_CONNECTIONS, seconds=seconds, script=script)
        self.turn += load.requests + _GAP
        verify("requests refused, connections broken", (load.refused, load.broken), (0, 0))
        self._settle(written, load.requests)
        self.cpu_milliseconds.append((self.served.cpu_seconds - computed) / load.requests * 1000)
        return load.per_second

    def _settle(self, before: int, requests: int) -> None:
        """Wait for what was under way when wrk hung up, and count."""
        written, again = self._written(), -1
        while written != again:
            time.sleep(0.2)
            written, again = self._written(), written
        found = written - before
        verify(
            f"{requests} answers, {found} rows of history", requests <= found <= requests + _CONNECTIONS, True
        )

    def _written(self) -> int:
        row = self.connection.execute(self.history).fetchone()
        assert row is not None
        self.connection.commit()
        return int(row[0])


def measure(run: Run) -> Report:
    """Alternate both servers under the same load; then the library in this process."""
    population = Population(mentors=_MENTORS, chapters=_COORDINATORS)
    with servers.durable_server() as server:
        with psycopg.connect(servers.url(server)) as connection:
            run.say(f"{_MENTORS:,} mentors …")
            population.fill(connection)
        report = Report(
            remarks=[f"{servers.version(server)}; both processes, wrk and PostgreSQL share the machine."]
        )
        _measure_http(run, server, report)
        run.say("the library without HTTP …")
        report.tables.append(asyncio.run(_library(server, rounds=7 if run.full else 3)))
    return report


def _measure_http(run: Run, server: Server, report: Report) -> None:
    with _ours(server) as ours, _django(server) as django:
        for name, contender in (("ours", ours), ("Django", django)):
            run.say(f"warming {name} …")
            contender.changes_per_second(2)
            contender.cpu_milliseconds.clear()
        seconds = 8 if run.full else 3
        run.say("alternating …")
        rounds = alternating(
            {
                "ours": lambda: ours.changes_per_second(seconds),
                "Django": lambda: django.changes_per_second(seconds),
            },
            rounds=7 if run.full else 3,
        )
    rounds.readings.update({"our CPU": ours.cpu_milliseconds, "their CPU": django.cpu_milliseconds})  # type: ignore[attr-defined]  # a dict
    report.measured["change-over-http"] = rounds.ratio("ours", to="Django")
    report.tables.append(
        Table(
            ["", "ours", "Django", "ratio"],
            [
                ["changes/s", rounds.of("ours"), rounds.of("Django"), rounds.ratio("ours", to="Django")],
                [
                    "CPU of the serving process, ms a change",
                    rounds.of("our CPU"),
                    rounds.of("their CPU"),
                    rounds.ratio("their CPU", to="our CPU"),
                ],
            ],
        )
    )


@contextmanager
def _ours(server: Server) -> Iterator[_Contender]:
    tokens = tuple(
        issue_token(secret=SECRET, sub=coordinator_id(at), expires_in=timedelta(days=1))
        for at in range(1, _COORDINATORS + 1)
    )
    with (
        psycopg.connect(servers.url(server)) as connection,
        peerpause(servers.url(server, user="authenticator"), "--no-worker") as served,
    ):
        yield _Contender(served, connection, "select count(*) from public.peer_mentor_status_history", tokens)


@contextmanager
def _django(server: Server) -> Iterator[_Contender]:
    with psycopg.connect(server.socket_url(), autocommit=True) as connection:
        connection.execute("create database django")
    variables = {
        "PEER_DATABASE_HOST": server.folder,
        "PEER_DATABASE_PORT": str(server.port),
        "DJANGO_SETTINGS_MODULE": "benchmarks.peers.django_mentors.settings",
    }
    subprocess.run(
        [sys.executable, "-m", "django", "migrate", "--run-syncdb", "--verbosity", "0"],
        env={**os.environ, **variables},
        check=True,
    )
    with psycopg.connect(server.socket_url("django")) as connection:
        connection.execute(
            """
            insert into django_mentors_mentor (id, organisation_id, display_name, status, updated_at)
            select ('a' || lpad(n::text, 31, '0'))::uuid, gen_random_uuid(), 'Mentor ' || n, 'active', now()
            from generate_series(1, %(mentors)s::integer) as n
            """,
            {"mentors": _MENTORS},
        )
        connection.commit()
        connection.autocommit = True
        connection.execute("vacuum (analyze)")
        connection.autocommit = False
        command = [
            *(sys.executable, "-m", "gunicorn", "--workers", "1", "--threads", "8"),
            "benchmarks.peers.django_mentors.wsgi:application",
        ]
        with serving(command, variables, port_option="--bind") as served:
            yield _Contender(
                served, connection, "select count(*) from django_mentors_historicalmentor", ("none",)
            )


async def _library(server: Server, *, rounds: int) -> Table:
    """The service in this process, its statements in one pipeline as it sends them, and one after the other."""
    url = servers.url(server, user="authenticator")
    readings: dict[str, list[float]] = {"pipelined": [], "one by one": []}
    async with Sessions(url=url, size=_CONNECTIONS) as sessions:
        for number in range(rounds + 1):
            for name in ("pipelined", "one by one") if number % 2 else ("one by one", "pipelined"):
                per_second = await _changes(sessions, is_pipelined=name == "pipelined")
                if number > 0:  # the first round is for warming up
                    readings[name].append(per_second)
    from benchmarks.spread import Rounds

    found = Rounds(readings)
    return Table(
        ["16 tasks in one process, no HTTP", "pipelined, changes/s", "one by one, changes/s", "ratio"],
        [["", found.of("pipelined"), found.of("one by one"), found.ratio("pipelined", to="one by one")]],
    )


async def _changes(sessions: Sessions, *, is_pipelined: bool) -> float:
    """Let each of 16 tasks pause and bring back ten mentors of its own."""
    change = _pipelined if is_pipelined else _one_by_one

    async def task(number: int) -> None:
        for at in range(10):
            # The last mentors, whom no request over HTTP has reached.
            mentor = _MENTORS - number * 10 - at
            await change(sessions, mentor, "paused")
            await change(sessions, mentor, "active")

    began = time.perf_counter()
    await asyncio.gather(*(task(number) for number in range(_CONNECTIONS)))
    return _CONNECTIONS * 20 / (time.perf_counter() - began)


def _coordinator_of(mentor: int) -> Claims:
    return Claims(coordinator_id((mentor - 1) % _COORDINATORS + 1))


async def _pipelined(sessions: Sessions, mentor: int, to: str) -> None:
    repository = PostgresMentorStatusRepository(sessions=sessions, caller=_coordinator_of(mentor))
    service = MentorStatusService(repository=repository)
    if to == "paused":
        record = await service.pause_mentor(mentor_id(mentor), "travel")
    else:
        record = await service.reactivate_mentor(mentor_id(mentor))
    verify("status", record.status.value, to)


async def _one_by_one(sessions: Sessions, mentor: int, to: str) -> None:
    nothing: Mapping[str, object] = dict.fromkeys(
        ("pause_at", "expected_return_on", "note", "expected_updated_at", "idempotency_key")
    )
    parameters = {**nothing, "mentor_id": mentor_id(mentor), "reason": "travel" if to == "paused" else None}
    query = "pause_mentor" if to == "paused" else "reactivate_mentor"
    async with sessions.as_user(_coordinator_of(mentor)) as connection:
        await connection.execute(sql.query(query), parameters)
        cursor = await connection.execute(sql.query("read_mentor_status"), parameters)
        row = await cursor.fetchone()
        assert row is not None
        verify("status", row["status"], to)


if __name__ == "__main__":
    ask(QUESTION, measure)
