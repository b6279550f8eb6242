"""`peerpause people`: as whom the provider of sign-ins knows somebody, for those whom no verified address links."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, TypeVar
from uuid import UUID

import typer

from peerpause.cli.migrate import AsJson, DatabaseUrl
from peerpause.database.embedded import database_at
from peerpause.database.session import Sessions
from peerpause.telemetry import configure_logging
from peerpause.web.identities import Identities
from peerpause.web.sessions import WebSessions

app = typer.Typer(help="Say as whom the sign-in service knows somebody.", no_args_is_help=True)

_T = TypeVar("_T")

UserId = Annotated[UUID, typer.Argument(metavar="USER_ID", help="The person's user_id in the table people.")]
Issuer = Annotated[
    str, typer.Option("--issuer", envvar="PEERPAUSE_OIDC_ISSUER", help="The provider, as it writes itself.")
]
Subject = Annotated[
    str, typer.Option("--subject", help="The provider's name for the person: the `sub` of its tokens.")
]


@app.command()
def link(user_id: UserId, issuer: Issuer, subject: Subject, database_url: DatabaseUrl = "") -> None:
    """Let a subject of the provider stand for a person, in place of whomever it stood for, whose sessions end."""
    configure_logging()

    async def relink(identities: Identities, sessions: WebSessions) -> None:
        before = await identities.link(user_id, issuer=issuer, subject=subject)
        if before is not None and before != user_id:
            await sessions.end_all(before)

    _run(relink, database_url)
    typer.echo("Linked.")


@app.command()
def unlink(issuer: Issuer, subject: Subject, database_url: DatabaseUrl = "") -> None:
    """Forget whom a subject stands for and end that person's sessions. Exit code 1 where it stands for nobody."""
    configure_logging()

    async def forget(identities: Identities, sessions: WebSessions) -> UUID | None:
        before = await identities.unlink(issuer=issuer, subject=subject)
        if before is not None:
            await sessions.end_all(before)
        return before

    if _run(forget, database_url) is None:
        typer.echo("This subject stands for nobody.")
        raise typer.Exit(1)
    typer.echo("Unlinked, and signed out.")


@app.command("identities")
def list_identities(user_id: UserId, database_url: DatabaseUrl = "", as_json: AsJson = False) -> None:
    """List what stands for a person at the providers."""
    configure_logging()
    found = _run(lambda identities, _: identities.of_person(user_id), database_url)
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found], default=str, indent=2))
        return
    for each in found:
        typer.echo(f"{each.linked_at:%Y-%m-%d %H:%M} by {each.linked_by}: {each.subject} at {each.issuer}")
    if not found:
        typer.echo("No provider knows this person yet.")


def _run(action: Callable[[Identities, WebSessions], Awaitable[_T]], database_url: str) -> _T:
    async def run() -> _T:
        async with database_at(database_url) as url, Sessions(url=url, size=1) as sessions:
            return await action(Identities(sessions=sessions), WebSessions(sessions=sessions))

    return asyncio.run(run())
