"""`peerpause expire`: run the certificate check by hand, or see what it would do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from peerpause.certifications.expiry import CertificationExpiryJob, ExpiryReport, Lapse
from peerpause.cli.migrate import AsJson, DatabaseUrl
from peerpause.database.embedded import embedded_server
from peerpause.telemetry import configure_logging
from peerpause.wiring import certificate_check

Chapters = Annotated[
    list[UUID] | None,
    typer.Option(
        "--chapter", metavar="ID", help="Only the mentors of this chapter; may be given several times."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say who would be paused, and change nothing.")]


def expire(
    chapter: Chapters = None, dry_run: DryRun = False, database_url: DatabaseUrl = "", as_json: AsJson = False
) -> None:
    """Pause every active mentor whose required certificate has lapsed: what the nightly run does.

    Running it twice changes nothing the second time. Where another run is at it already, this says so and ends with 0. Exit code 1
    where the run failed or a mentor could not be paused.
    """
    configure_logging()
    raise typer.Exit(asyncio.run(_expire(chapter, dry_run, database_url, as_json)))


async def _expire(chapters: Sequence[UUID] | None, dry_run: bool, database_url: str, as_json: bool) -> int:
    # What is not a result goes to the other stream, so that `--json` can be piped on.
    console, notes = Console(), Console(stderr=True)
    async with _job(database_url) as job:
        if dry_run:
            _show_lapses(console, await job.would_pause(chapter_ids=chapters), as_json=as_json)
            return 0
        report = await _run(job, chapters, notes)
    if as_json:
        _print_json(console, asdict(report))
    else:
        console.print(_sentence(report), soft_wrap=True, highlight=False)
    return 1 if report.status == "failed" or report.errors else 0


async def _run(job: CertificationExpiryJob, chapters: Sequence[UUID] | None, notes: Console) -> ExpiryReport:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=notes, transient=True) as bar:
        task = bar.add_task("Checking certificates", total=None)
        return await job.run(
            chapter_ids=chapters,
            progress=lambda report: bar.update(
                task, completed=report.visited, total=max(report.expected, report.visited)
            ),
        )


@asynccontextmanager
async def _job(database_url: str) -> AsyncIterator[CertificationExpiryJob]:
    if database_url:
        async with certificate_check(database_url=database_url) as job:
            yield job
        return
    async with embedded_server() as address, certificate_check(database_url=address) as job:
        yield job


def _sentence(report: ExpiryReport) -> str:
    match report.status:
        case "already_running":
            return "Another run of the certificate check is at it. Nothing was done here."
        case "succeeded":
            return (
                f"{report.queried} mentors have lapsed: {report.paused} paused now, {report.skipped} paused before or gone, "
                f"{report.errors} could not be paused. Run {report.job_id}."
            )
        case _:
            return (
                f"The run {report.job_id} failed ({report.error_code}) after pausing {report.paused}. "
                "Run it again: it goes on with those who are still active."
            )


def _show_lapses(console: Console, lapses: Sequence[Lapse], *, as_json: bool) -> None:
    if as_json:
        _print_json(console, {"would_pause": [asdict(lapse) for lapse in lapses]})
        return
    for lapse in lapses:
        console.print(f"{lapse.mentor_id} lapsed after {lapse.expired_on}", highlight=False)
    console.print(f"{len(lapses)} mentors would be paused. Nothing was changed.", highlight=False)


def _print_json(console: Console, answer: Mapping[str, Any]) -> None:
    console.file.write(json.dumps(answer, indent=2, default=str) + "\n")
