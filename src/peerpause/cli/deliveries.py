"""`peerpause deliveries`: how telling people went, and another try for what failed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Annotated, TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from peerpause.cli.migrate import AsJson, DatabaseUrl
from peerpause.database.embedded import database_at
from peerpause.notifications.delivery_log import STATES, DeliveryLog, LoggedDelivery, delivery_log
from peerpause.telemetry import configure_logging

app = typer.Typer(help="See how telling people went, and let what failed start over.", no_args_is_help=True)

_T = TypeVar("_T")


def _known_state(state: str) -> str:
    if state not in STATES:
        raise typer.BadParameter(f"one of {', '.join(STATES)}")
    return state


State = Annotated[
    list[str] | None,
    typer.Option("--state", parser=_known_state, metavar="STATE", help=f"Only these: {', '.join(STATES)}."),
]
MentorId = Annotated[UUID | None, typer.Option("--mentor", metavar="ID", help="Only about this mentor.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest first.")]
Ids = Annotated[list[UUID] | None, typer.Argument(metavar="ID…", help="Deliveries to try again.")]
AllFailed = Annotated[bool, typer.Option("--all-failed", help="Everything that failed or expired.")]


@app.command("list")
def list_deliveries(
    state: State = None,
    mentor: MentorId = None,
    limit: Limit = 50,
    database_url: DatabaseUrl = "",
    as_json: AsJson = False,
) -> None:
    """List deliveries, the newest first: ids and codes, nothing personal."""
    configure_logging()
    found = _run(lambda log: log.list(states=state, mentor_id=mentor, at_most=limit), database_url)
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found], default=str, indent=2))
    elif not found:
        typer.echo("No such deliveries.")
    else:
        _show(found)


@app.command()
def retry(
    ids: Ids = None, all_failed: AllFailed = False, database_url: DatabaseUrl = "", as_json: AsJson = False
) -> None:
    """Let deliveries start over that failed, expired or were skipped. The running worker sends them.

    What was sent already, and what its recipient does not want, stays as it is. Exit code 1 where one of the ids is not tried again.
    """
    if bool(ids) == all_failed:
        raise typer.BadParameter("name deliveries, or give --all-failed")
    configure_logging()
    wanted: Sequence[UUID] | None = None if all_failed else ids
    tried = _run(lambda log: log.retry(wanted), database_url)
    left = [each for each in wanted or () if each not in tried]
    if as_json:
        typer.echo(
            json.dumps({"retried": [str(each) for each in tried], "left": [str(each) for each in left]})
        )
    else:
        typer.echo(f"{len(tried)} to be tried again.")
        for each in left:
            typer.echo(f"{each}: left as it is (sent, pending, not wanted, or no such delivery).")
    if left:
        raise typer.Exit(1)


def _run(action: Callable[[DeliveryLog], Awaitable[_T]], database_url: str) -> _T:
    async def run() -> _T:
        async with database_at(database_url) as url, delivery_log(url) as log:
            return await action(log)

    return asyncio.run(run())


def _show(found: Sequence[LoggedDelivery]) -> None:
    table = Table(box=None)
    for heading in (
        "changed (UTC)",
        "state",
        "outcome",
        "error",
        "calls",
        "channel",
        "event",
        "id",
        "mentor",
    ):
        table.add_column(heading, no_wrap=True)
    for each in found:
        table.add_row(
            f"{each.changed_at:%Y-%m-%d %H:%M:%S}",
            each.state,
            each.outcome or "–",
            each.error_code or "–",
            str(each.attempts),
            each.channel,
            each.event,
            str(each.id),
            str(each.mentor_id),
        )
    # Wide enough for whole ids, which people copy, even where the output is piped on.
    console = Console()
    console.width = max(console.width, 200)
    console.print(table)
