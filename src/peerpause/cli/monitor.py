"""`peerpause monitor`: whether the promise is kept that nobody without a valid certificate is listed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from peerpause.certifications.watchdog import CertificationWatchdog, WatchReport
from peerpause.cli.migrate import AsJson, DatabaseUrl
from peerpause.database.embedded import embedded_server
from peerpause.telemetry import configure_logging
from peerpause.wiring import certificate_watchdog

Tell = Annotated[
    bool,
    typer.Option(
        "--tell", help="Also tell the admins what is new and what is over, as the nightly watchdog does."
    ),
]

_SENTENCES: Final[Mapping[str, str]] = {
    "expired_but_active": "{mentors} mentors are active although their certificate ran out. Run `peerpause expire`.",
    "run_missing": "The nightly check has not succeeded since it was last due at {due_at}. See docs/certificates.md.",
    "run_failed": "The last check {job_id} failed ({error_code}). Run `peerpause expire`; it goes on where that one stopped.",
    "run_stuck": "The check {job_id} does not come to its end. Run `peerpause expire`; it takes over from a run that died.",
    "outbox_stuck": "{waiting} changes or deliveries have been waiting for 15 minutes. Is a worker running?",
}


def monitor(database_url: DatabaseUrl = "", tell: Tell = False, as_json: AsJson = False) -> None:
    """Check that nobody lapsed is active, that the nightly run came and went well, and that news go out.

    Exit code 0 where all is well, 1 where something is wrong. For a monitoring system, or cron half an hour after the nightly run.
    """
    configure_logging()
    report = asyncio.run(_look(database_url, tell=tell))
    console = Console()
    if as_json:
        console.file.write(json.dumps(report.answer, indent=2) + "\n")
    else:
        for problem in report.problems:
            console.print(_sentence(problem), soft_wrap=True, highlight=False)
        if report.ok:
            console.print("All is well.")
    raise typer.Exit(0 if report.ok else 1)


async def _look(database_url: str, *, tell: bool) -> WatchReport:
    async with _watchdog(database_url) as watchdog:
        return await (watchdog.watch() if tell else watchdog.look())


@asynccontextmanager
async def _watchdog(database_url: str) -> AsyncIterator[CertificationWatchdog]:
    if database_url:
        async with certificate_watchdog(database_url=database_url) as watchdog:
            yield watchdog
        return
    async with embedded_server() as address, certificate_watchdog(database_url=address) as watchdog:
        yield watchdog


def _sentence(problem: Mapping[str, Any]) -> str:
    code = problem["code"]
    return f"{code}: {_SENTENCES[code].format(**problem)}"
