"""The import of organisations, chapters, people and certificates: planned first, then carried out wholly or not at all.

Reads and writes set by set: however many lines the files have, the database answers a few dozen statements.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from peerpause.directory.confining import confined
from peerpause.directory.csv_files import ImportFile
from peerpause.directory.drawing import draw_plan
from peerpause.directory.findings import Finding, Place, Problem
from peerpause.directory.looking_up import look_up
from peerpause.directory.plan import ImportPlan, ImportReport, Step
from peerpause.directory.reading import read_files
from peerpause.errors import ImportRejected, MigrationError, PermissionDenied, Unavailable
from peerpause.sql import query

Progress = Callable[[str, int, int], None]
"""Hears what is being written, how many rows are done, and how many there are in all."""

_BATCH: Final = 5_000
_Connection = psycopg.AsyncConnection[Any]


def _silent(what: str, done: int, total: int) -> None:
    pass


async def plan_import(
    connection: _Connection, files: Sequence[ImportFile], *, within: str | None = None
) -> ImportPlan:
    """Say what importing the files would do, and everything that is wrong with them. Changes nothing.

    ``within`` is the code of the only organisation it may touch, for an admin of it; see `peerpause.directory.confining`.

    Raises Unavailable when the database is away, MigrationError when it lacks our tables and PermissionDenied when row security
    binds the connection's user or they may not read the tables.
    """
    # Reading is pure computing; a web page's other requests must not wait for it.
    lines, found = await asyncio.to_thread(read_files, files)
    if within is not None:
        lines, foreign = confined(lines, within)
        found = (*found, *foreign)
    async with _speaking_with(connection):
        existing = await look_up(connection, lines)
    return await asyncio.to_thread(draw_plan, lines, found, existing)


async def apply_import(
    connection: _Connection, plan: ImportPlan, *, progress: Progress = _silent
) -> ImportReport:
    """Carry a plan out in one transaction: all of it, or nothing.

    1. wait for another import to end;
    2. compare the lines with the database anew, because it may have changed since the plan was drawn up;
    3. write batch by batch, telling ``progress``;
    4. commit, unless the caller has a transaction open, which then decides.

    Raises ImportRejected, with ``detail["findings"]``, when the plan has findings that block or the database refuses a row;
    else what plan_import raises.
    """
    _refuse_blockers(plan)
    async with _speaking_with(connection):
        await connection.execute(query("import_take_turn").encode())
        existing = await look_up(connection, plan.lines)
        fresh = await asyncio.to_thread(draw_plan, plan.lines, plan.found_in_files, existing)
        _refuse_blockers(fresh)
        await _write(connection, fresh.steps, progress)
    return ImportReport(counts=fresh.counts, notices=fresh.notices)


def _refuse_blockers(plan: ImportPlan) -> None:
    if plan.blockers:
        raise _rejected(plan.blockers)


def _rejected(findings: Sequence[Finding]) -> ImportRejected:
    return ImportRejected(
        f"Nothing was imported: {len(findings)} findings must be put right first.",
        detail={"findings": [finding.to_json() for finding in findings]},
        hint="Correct the files as the findings say and import them again.",
    )


async def _write(connection: _Connection, steps: Sequence[Step], progress: Progress) -> None:
    total = sum(len(step.rows) for step in steps)
    done = 0
    for step in steps:
        progress(step.part, done, total)
        for batch in _batches(step.rows):
            try:
                await connection.execute(query(step.query).encode(), {"rows": Jsonb(batch)})
            except (psycopg.IntegrityError, psycopg.DataError, psycopg.InternalError) as error:
                raise _refused(step, error) from None
            done += len(batch)
            progress(step.part, done, total)


def _batches(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    remaining = iter(rows)
    while batch := list(itertools.islice(remaining, _BATCH)):
        yield batch


def _refused(step: Step, error: psycopg.Error) -> ImportRejected:
    # PostgreSQL's own message and detail may repeat a row's values; the names of the rule and the table do not.
    rule = error.diag.constraint_name or error.diag.column_name or error.sqlstate
    table = error.diag.table_name or step.part.value
    return _rejected(
        [
            Finding(
                Place(f"the database’s table {table}"),
                None,
                Problem.REFUSED_BY_DATABASE,
                f"It refused to {step.deed} {step.part}: {rule}.",
                "Somebody may have changed the same rows just now: import again. If it happens again, the table has a rule "
                "of its own that these rows break.",
            )
        ]
    )


@asynccontextmanager
async def _speaking_with(connection: _Connection) -> AsyncIterator[None]:
    """One transaction, and our own words for what the database may say."""
    try:
        async with connection.transaction():
            yield
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn, psycopg.errors.InvalidSchemaName):
        raise MigrationError(
            "The database has no tables for PeerPause, or older ones.", hint="Run: peerpause migrate up"
        ) from None
    except psycopg.errors.InsufficientPrivilege:
        raise PermissionDenied(
            "This database user may not import.",
            hint="Connect as the role that applied the migrations.",
        ) from None
    except psycopg.OperationalError as error:
        raise Unavailable(
            "The database does not answer, or broke off the import.", hint="Nothing was changed. Try again."
        ) from error
