"""`peerpause schedule`: let the database itself start the nightly check, the watchdog and the reminders."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from peerpause.certifications import schedule
from peerpause.certifications.schedule import ScheduledJob
from peerpause.cli.migrate import AsJson, DatabaseUrl
from peerpause.database.embedded import database_at
from peerpause.errors import Unavailable
from peerpause.worker.tasks import tasks

app = typer.Typer(
    help="Let the database start the nightly check, the watchdog and the reminders by itself, with pg_cron.",
    no_args_is_help=True,
)

_T = TypeVar("_T")


@app.command()
def install(database_url: DatabaseUrl = "", as_json: AsJson = False) -> None:
    """Register the jobs with pg_cron; doing it again puts them right. Without pg_cron the worker's own schedule does the same."""
    _run(database_url, schedule.install)
    _show(_run(database_url, schedule.jobs), as_json=as_json)


@app.command()
def show(database_url: DatabaseUrl = "", as_json: AsJson = False) -> None:
    """Say what is registered, how the last runs ended, and what the worker does by its own schedule."""
    _show(_run(database_url, schedule.jobs), as_json=as_json)


@app.command()
def remove(database_url: DatabaseUrl = "", as_json: AsJson = False) -> None:
    """Take our jobs out of pg_cron. The worker's own schedule stays."""
    removed = _run(database_url, schedule.remove)
    if as_json:
        _print_json(Console(), {"removed": removed})
    else:
        Console().print(f"{removed} jobs were taken out of pg_cron.", highlight=False)


def worker_schedule() -> Mapping[str, str]:
    """What every worker does by the clock: task name to cron notation, UTC."""
    return {
        name.rsplit(".", 1)[-1]: task.cron
        for (name, _), task in sorted(tasks.periodic_registry.periodic_tasks.items())
    }


def _show(jobs: Sequence[ScheduledJob] | None, *, as_json: bool) -> None:
    console = Console()
    if as_json:
        listed = None if jobs is None else [job.to_json() for job in jobs]
        _print_json(console, {"pg_cron": listed, "worker": dict(worker_schedule())})
        return
    if jobs is None:
        console.print(
            "This database has no pg_cron: the worker's own schedule does the work (`peerpause worker`).",
            soft_wrap=True,
        )
    else:
        table = Table("pg_cron job", "when (UTC)", "last run", "ended", title="In the database")
        for job in jobs:
            table.add_row(job.name, job.schedule, job.last_run_at or "not yet", job.last_status or "")
        console.print(table)
    table = Table("task", "when (UTC)", title="In every worker")
    for name, when in worker_schedule().items():
        table.add_row(name, when)
    console.print(table)
    console.print(
        "Both at once is harmless: one of them runs, the other finds nothing to do.", soft_wrap=True
    )


def _run(database_url: str, action: Callable[[psycopg.AsyncConnection[Any]], Awaitable[_T]]) -> _T:
    async def run() -> _T:
        async with database_at(database_url) as address:
            try:
                connection = await psycopg.AsyncConnection.connect(address, autocommit=True)
            except psycopg.OperationalError:
                raise Unavailable(
                    "The database cannot be reached.",
                    hint="Check --database-url or PEERPAUSE_DATABASE_URL, and that the server runs.",
                ) from None
            async with connection:
                return await action(connection)

    return asyncio.run(run())


def _print_json(console: Console, answer: Mapping[str, Any]) -> None:
    console.file.write(json.dumps(answer, indent=2) + "\n")
