"""Question 4: what it costs to look only at what one may see, and whether it grows with the number of mentors."""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg

from benchmarks import server as servers
from benchmarks.population import Population, chapter_id, coordinator_id, mentor_id
from benchmarks.question import Question, Report, Run, Table, ask, verify
from benchmarks.spread import Spread, percentile
from tests.servers import Server

PLANS: Final = Path(__file__).with_name("plans")

QUESTION: Final = Question(
    number=4,
    module="bench_04_permission",
    title="Reading what one may see",
    method=(
        "Coordinators, each of one chapter of 500 mentors, read over one connection, prepared: 2,000 chapters and 1,000,000 mentors with "
        "`--full`, up to 200 and 100,000 without. **With** is the signed-in coordinator; **without** is the same query by a superuser, whom row "
        "security does not bind and whom no function asks. Both read the same chapter or mentor one after the other, in alternating order, "
        "each time another one; a round is 100 such pairs and its ratio that of the medians. Each pair is verified: both answer the same rows. "
        "The plans are in [plans](plans)."
    ),
    budgets=("roster-under-policies", "roster-p95", "status-under-policies", "status-p95"),
    tried={
        "status-under-policies": (
            "one status is found by its key in a tenth of a millisecond, and the policies ask first which chapters, organisations and mentors are the caller's: three questions, "
            "asked once for the statement and not for the row, which cost two tenths whatever the size. Asking them in one would mean a policy nobody can read."
        ),
        "roster-under-policies": "the questions of the policies are asked once for the statement, and the list is read by chapter.",
    },
)

_CHAPTER_SIZE: Final = 500
_PAIRS: Final = 100


@dataclass(frozen=True, slots=True)
class Reading:
    """Something a coordinator reads, in their own name, and the same without permission."""

    name: str
    allowed: LiteralString
    plain: LiteralString


_ROSTER_QUERY: Final[LiteralString] = """
select
  p.id, p.display_name, p.first_name, p.status, p.pause_reason, p.pause_at, p.expected_return_on, p.reactivated_at, p.updated_at
from public.chapter_memberships as m
inner join public.peer_mentors as p on p.id = m.mentor_id
where m.chapter_id = %(chapter)s
order by p.display_name, p.id
limit 50
"""

_STATUS_QUERY: Final[LiteralString] = """
select
  p.id, p.organisation_id, p.display_name, p.first_name, p.status, h.previous_status,
  coalesce(h.changed_at, p.updated_at), h.changed_by, h.reason, h.note,
  p.pause_reason, p.pause_at, p.expected_return_on, p.reactivated_at, p.updated_at, s.effective_at
from public.peer_mentors as p
left join lateral (
  select c.previous_status, c.changed_at, c.changed_by, c.reason, c.note
  from public.peer_mentor_status_history as c
  where c.mentor_id = p.id
  order by c.changed_at desc
  limit 1
) as h on true
left join public.scheduled_status_changes as s on s.mentor_id = p.id and s.settled_at is null
where p.id = %(mentor)s
"""

# Notes are read by the function alone, which records who did.
_STATUS_WITHOUT_NOTE: Final[LiteralString] = _STATUS_QUERY.replace(" h.note,", "").replace(", c.note", "")

READINGS: Final = (
    Reading(
        "roster page (`list_chapter_mentors`)",
        "select * from public.list_chapter_mentors(%(chapter)s)",
        _ROSTER_QUERY,
    ),
    Reading("roster page as a plain `select`", _ROSTER_QUERY, _ROSTER_QUERY),
    Reading(
        "one status (`get_mentor_status`)",
        "select * from public.get_mentor_status(%(mentor)s)",
        _STATUS_QUERY,
    ),
    Reading("one status as a plain `select`", _STATUS_WITHOUT_NOTE, _STATUS_WITHOUT_NOTE),
)


@dataclass(frozen=True, slots=True)
class Compared:
    """A reading's ratio round by round, and the 95th percentile with permission in ms round by round."""

    ratio: Spread
    median_ms: Spread
    p95_ms: Spread


def measure(run: Run) -> Report:
    """Read in organisations of growing size."""
    sizes = (10_000, 100_000, 1_000_000) if run.full else (10_000, 100_000)
    rows: list[Sequence[object]] = []
    compared: dict[str, Compared] = {}
    version = ""
    for mentors in sizes:
        with servers.durable_server() as server:
            run.say(f"{mentors:,} mentors …")
            population = Population(mentors=mentors, chapters=mentors // _CHAPTER_SIZE)
            with psycopg.connect(servers.url(server)) as connection:
                population.fill(connection)
            compared = _compare(server, population, rounds=7 if run.full else 3)
            rows += [
                [f"{mentors:,}", name, it.median_ms, it.p95_ms, it.ratio] for name, it in compared.items()
            ]
            _keep_plans(server, population)
            version = servers.version(server)
    roster, _, status, _ = compared.values()
    return Report(
        tables=[Table(["mentors", "what", "with, median ms", "with, p95 ms", "with : without"], rows)],
        remarks=[
            f"{version}. The budgets are judged at the largest size, on what pages and apps call: the functions."
        ],
        measured={
            "roster-under-policies": roster.ratio,
            "roster-p95": roster.p95_ms,
            "status-under-policies": status.ratio,
            "status-p95": status.p95_ms,
        },
    )


def _compare(server: Server, population: Population, *, rounds: int) -> dict[str, Compared]:
    chooser = random.Random(population.mentors)
    with (
        psycopg.connect(servers.url(server), autocommit=True, prepare_threshold=1) as above,
        psycopg.connect(
            servers.url(server, user="authenticator"), autocommit=True, prepare_threshold=1
        ) as caller,
    ):
        caller.execute("set role authenticated")
        result = {}
        for reading in READINGS:
            _round(reading, caller, above, population, chooser)  # plans are made and pages read
            taken = [_round(reading, caller, above, population, chooser) for _ in range(rounds)]
            result[reading.name] = Compared(
                ratio=Spread.of(
                    statistics.median(with_) / statistics.median(without) for with_, without in taken
                ),
                median_ms=Spread.of(statistics.median(with_) for with_, _ in taken),
                p95_ms=Spread.of(percentile(with_, 0.95) for with_, _ in taken),
            )
        return result


def _round(
    reading: Reading,
    caller: psycopg.Connection[Any],
    above: psycopg.Connection[Any],
    population: Population,
    chooser: random.Random,
) -> tuple[list[float], list[float]]:
    with_: list[float] = []
    without: list[float] = []
    for pair in range(_PAIRS):
        chapter = chooser.randint(1, population.chapters)
        # A mentor's chapter is the remainder of its number.
        mentor = chapter + population.chapters * chooser.randrange(population.mentors // population.chapters)
        parameters = {"chapter": chapter_id(chapter), "mentor": mentor_id(mentor)}
        caller.execute(
            "select set_config('request.jwt.claims', %s, false)", (_claims(coordinator_id(chapter)),)
        )
        if pair % 2:
            theirs = _timed(above, reading.plain, parameters, without)
            ours = _timed(caller, reading.allowed, parameters, with_)
        else:
            ours = _timed(caller, reading.allowed, parameters, with_)
            theirs = _timed(above, reading.plain, parameters, without)
        verify(f"{reading.name}: rows", ours, theirs)
        verify(f"{reading.name}: answered anything", bool(ours), True)
    return with_, without


def _timed(
    connection: psycopg.Connection[Any],
    statement: LiteralString,
    parameters: Mapping[str, object],
    milliseconds: list[float],
) -> list[tuple[Any, ...]]:
    began = time.perf_counter()
    rows = connection.execute(statement, parameters).fetchall()
    milliseconds.append((time.perf_counter() - began) * 1000)
    return rows


def _keep_plans(server: Server, population: Population) -> None:
    """Write down the plan of every statement that the readings run, also of those inside functions."""
    PLANS.mkdir(exist_ok=True)
    texts: list[str] = []
    with psycopg.connect(servers.url(server), autocommit=True) as connection:
        connection.execute("load 'auto_explain'")
        for name, value in {
            "auto_explain.log_min_duration": "0",
            "auto_explain.log_nested_statements": "on",
            "auto_explain.log_analyze": "on",
            "auto_explain.log_timing": "off",
            "client_min_messages": "log",
        }.items():
            connection.execute("select set_config(%s, %s, false)", (name, value))
        connection.execute(
            "select set_config('request.jwt.claims', %s, false)", (_claims(coordinator_id(1)),)
        )
        connection.execute("set role authenticated")
        connection.add_notice_handler(lambda notice: texts.append(notice.message_primary or ""))
        for number, reading in enumerate(READINGS, start=1):
            texts.clear()
            connection.execute(reading.allowed, {"chapter": chapter_id(1), "mentor": mentor_id(1)})
            plans = "\n\n".join(text.partition("plan:\n")[2].rstrip() for text in texts)
            heading = f"{reading.name.replace('`', '')}, {population.mentors:,} mentors, as a coordinator\n\n"
            (PLANS / f"04_{number}_{population.mentors}.txt").write_text(
                heading + plans + "\n", encoding="utf-8"
            )


def _claims(user_id: UUID) -> str:
    return json.dumps({"sub": str(user_id), "role": "authenticated"})


if __name__ == "__main__":
    ask(QUESTION, measure)
