"""`peerpause retention`: how long things are kept, and letting go of what is older."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Annotated, TypeVar
from uuid import UUID

import typer

from peerpause.cli.migrate import AsJson, DatabaseUrl
from peerpause.database.embedded import database_at
from peerpause.database.session import Service
from peerpause.privacy.retention import Retention, RetentionRun, retention
from peerpause.telemetry import configure_logging

app = typer.Typer(help="See and set how long things are kept; let go of what is older.", no_args_is_help=True)

_T = TypeVar("_T")

OneOrganisation = Annotated[UUID, typer.Argument(metavar="ID", help="The organisation.")]
Organisation = Annotated[
    UUID | None, typer.Option("--organisation", metavar="ID", help="Only this organisation; otherwise all.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be let go of, and change nothing.")]
Months = Annotated[int | None, typer.Option(metavar="N", help="Months that notes are kept, 1 to 120.")]
Days = Annotated[int | None, typer.Option(metavar="N", help="Days; left out, the time stays as it is.")]


@app.command()
def run(
    dry_run: DryRun = False,
    organisation: Organisation = None,
    database_url: DatabaseUrl = "",
    as_json: AsJson = False,
) -> None:
    """Let go of what is older than each organisation's rules say: what the nightly run does. Exit code 1 where a run failed."""
    configure_logging()
    runs = _run(
        lambda job: (
            job.look(organisation_id=organisation) if dry_run else job.run(organisation_id=organisation)
        ),
        database_url,
    )
    typer.echo(
        json.dumps([asdict(each) for each in runs], default=str, indent=2)
        if as_json
        else "\n".join(_told(runs, dry_run=dry_run))
    )
    raise typer.Exit(1 if any(each.error_code for each in runs) else 0)


@app.command()
def show(organisation: OneOrganisation, database_url: DatabaseUrl = "", as_json: AsJson = False) -> None:
    """Show how long an organisation keeps things."""
    configure_logging()
    rules = asdict(_run(lambda job: job.rules(Service(), organisation), database_url))
    typer.echo(
        json.dumps(rules, indent=2)
        if as_json
        else "\n".join(f"{name}: {time}" for name, time in rules.items())
    )


@app.command("set")
def set_rules(
    organisation: OneOrganisation,
    notes_months: Months = None,
    deliveries_days: Days = None,
    inbox_days: Days = None,
    runs_days: Days = None,
    reads_days: Days = None,
    database_url: DatabaseUrl = "",
) -> None:
    """Set how long an organisation keeps things, from the next run on."""
    configure_logging()
    given = {
        "notes_months": notes_months,
        "deliveries_days": deliveries_days,
        "inbox_days": inbox_days,
        "runs_days": runs_days,
        "reads_days": reads_days,
    }
    changed = {name: time for name, time in given.items() if time is not None}
    if not changed:
        raise typer.BadParameter("name at least one time, for instance --notes-months 12")

    async def decide(job: Retention) -> None:
        rules = await job.rules(Service(), organisation)
        await job.decide(Service(), organisation, replace(rules, **changed))

    _run(decide, database_url)


def _run(action: Callable[[Retention], Awaitable[_T]], database_url: str) -> _T:
    async def run_it() -> _T:
        async with database_at(database_url) as url, retention(url) as job:
            return await action(job)

    return asyncio.run(run_it())


def _told(runs: Sequence[RetentionRun], *, dry_run: bool) -> Iterator[str]:
    for each in runs:
        where = each.organisation_id or "everywhere"
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(each.counts.items())) or "nothing"
        if each.error_code:
            yield f"{where}: failed ({each.error_code}) after letting go of {counts}. Run it again: it goes on."
        elif each.job_id or dry_run:
            yield f"{where}: {counts} {'would be let go of' if dry_run else 'let go of'}"
        else:
            yield f"{where}: another run is at it; nothing was done here."
