"""`peerpause import`: bring organisations, chapters, people and certificates in from CSV files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from peerpause.cli.migrate import AsJson, DatabaseUrl
from peerpause.database.embedded import database_at
from peerpause.directory.csv_files import MAX_BYTES, ImportFile
from peerpause.directory.findings import Finding
from peerpause.directory.importing import apply_import, plan_import
from peerpause.directory.plan import Count, ImportPlan, ImportReport, Part
from peerpause.errors import ImportRejected, Unavailable

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        exists=True,
        dir_okay=False,
        readable=True,
        help="CSV files, in any order. Their first line tells what they list.",
    ),
]
Apply = Annotated[
    bool, typer.Option("--apply", help="Write it all in one transaction. Without this, nothing is changed.")
]


def import_files(
    files: Files, apply: Apply = False, database_url: DatabaseUrl = "", as_json: AsJson = False
) -> None:
    """Bring organisations, chapters, people and certificates in from CSV files.

    Without --apply it says what it would do and what is wrong, line by line, and changes nothing. Importing the same files twice
    changes nothing the second time. Exit code 1 when something must be put right first. docs/import.md explains the columns.
    """
    raise typer.Exit(asyncio.run(_import(files, apply=apply, database_url=database_url, as_json=as_json)))


async def _import(paths: Sequence[Path], *, apply: bool, database_url: str, as_json: bool) -> int:
    # What is not a result goes to the other stream, so that `--json` can be piped on.
    console, notes = Console(), Console(stderr=True)
    async with _connection(database_url) as connection:
        with notes.status("Reading and comparing with the database"):
            plan = await plan_import(connection, [_read(path) for path in dict.fromkeys(paths)])
        if plan.blockers or not apply:
            if as_json:
                _answer(console, plan.to_json())
            else:
                _show_plan(console, plan)
            return 1 if plan.blockers else 0
        try:
            report = await _apply(connection, plan, notes)
        except ImportRejected as rejection:
            if as_json:
                _answer(console, {"ok": False, "applied": False, "counts": {}, **rejection.detail})
                return 1
            for finding in rejection.detail["findings"]:
                console.print(f"{finding['message']} {finding['hint']}", soft_wrap=True, markup=False)
            raise
    if as_json:
        _answer(console, report.to_json())
    else:
        _show_report(console, report)
    return 0


async def _apply(connection: psycopg.AsyncConnection[Any], plan: ImportPlan, notes: Console) -> ImportReport:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=notes, transient=True) as bar:
        task = bar.add_task("Writing", total=plan.rows_to_write)
        return await apply_import(
            connection,
            plan,
            progress=lambda what, done, total: bar.update(
                task, description=f"Writing {what}", completed=done, total=total
            ),
        )


@asynccontextmanager
async def _connection(database_url: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    async with database_at(database_url) as address:
        try:
            connection = await psycopg.AsyncConnection.connect(address, application_name="peerpause import")
        except psycopg.OperationalError:
            raise Unavailable(
                "The database cannot be reached.",
                hint="Check --database-url or PEERPAUSE_DATABASE_URL, and that the server runs.",
            ) from None
        async with connection:
            yield connection


def _read(path: Path) -> ImportFile:
    with path.open("rb") as file:
        # One byte more than is allowed is enough to tell that it is too much.
        return ImportFile(str(path), file.read(MAX_BYTES + 1))


def _answer(console: Console, answer: Mapping[str, Any]) -> None:
    console.file.write(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")


def _show_plan(console: Console, plan: ImportPlan) -> None:
    _show_findings(console, plan.blockers, "[bold red]wrong[/]")
    _show_findings(console, plan.notices, "[yellow]note[/]")
    if plan.blockers:
        console.print(
            f"{len(plan.blockers)} things must be put right first. Nothing was changed.", soft_wrap=True
        )
        return
    _show_counts(console, plan.counts, ("would create", "would change", "would leave"))
    console.print(
        f"{plan.rows_to_write} rows would be written. Nothing was changed: add --apply to do it."
        if plan.rows_to_write
        else "The database holds all of this already.",
        soft_wrap=True,
    )


def _show_report(console: Console, report: ImportReport) -> None:
    _show_findings(console, report.notices, "[yellow]note[/]")
    _show_counts(console, report.counts, ("created", "changed", "left"))
    console.print(f"Imported: {report.rows_written} rows written.", soft_wrap=True)


def _show_findings(console: Console, findings: Sequence[Finding], label: str) -> None:
    for finding in findings:
        console.print(
            f"{label} {escape(finding.where)}: {escape(finding.message)} {escape(finding.hint)}",
            soft_wrap=True,
            highlight=False,
        )


def _show_counts(console: Console, counts: Mapping[Part, Count], words: tuple[str, str, str]) -> None:
    table = Table("", *words)
    for column in table.columns[1:]:
        column.justify = "right"
    for part, count in counts.items():
        table.add_row(part.value, str(count.created), str(count.changed), str(count.unchanged))
    console.print(table)
