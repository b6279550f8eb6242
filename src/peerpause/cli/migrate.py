"""`peerpause migrate`: bring the database up to this program, take it back, or say how they stand to each other."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, TypeVar

import typer

from peerpause.database.embedded import database_at
from peerpause.database.ledger import Finding, Ledger
from peerpause.database.migrate import Migrator
from peerpause.sql import Migration
from peerpause.worker.schema import ensure_schema

app = typer.Typer(
    help="Apply, take back and check the database's migrations, in step with the Supabase CLI.",
    no_args_is_help=True,
)

_T = TypeVar("_T")

DatabaseUrl = Annotated[
    str,
    typer.Option(
        "--database-url",
        envvar="PEERPAUSE_DATABASE_URL",
        show_envvar=True,
        show_default="the embedded PostgreSQL",
        help="Address of the database.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer with JSON on standard output.")]
LockTimeout = Annotated[
    float, typer.Option(min=0.1, help="Seconds to wait for a table that somebody else uses.")
]
StatementTimeout = Annotated[float, typer.Option(min=1, help="Seconds a single statement may take.")]


@app.command()
def up(
    database_url: DatabaseUrl = "",
    as_json: AsJson = False,
    lock_timeout: LockTimeout = 5,
    statement_timeout: StatementTimeout = 900,
) -> None:
    """Apply what is pending, each migration wholly or not at all, and make the worker's tables. Running it twice does nothing."""

    async def bring_up(migrator: Migrator) -> tuple[Migration, ...]:
        applied = await migrator.up()
        await ensure_schema(migrator.url)
        return applied

    applied = _run(
        bring_up,
        database_url,
        lock_timeout=lock_timeout,
        statement_timeout=statement_timeout,
        on_step=_teller("applied", quiet=as_json),
    )
    _close("applied", applied, as_json=as_json, nothing="The database is up to date.")


@app.command()
def down(
    database_url: DatabaseUrl = "",
    steps: Annotated[int | None, typer.Option(min=1, help="How many to take back.", show_default="1")] = None,
    to: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Take back all that came after this one; 0 for all.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before data is dropped.")] = False,
    as_json: AsJson = False,
    lock_timeout: LockTimeout = 5,
    statement_timeout: StatementTimeout = 900,
) -> None:
    """Take the newest migration back, with what it added and the data in it."""
    if steps is not None and to is not None:
        raise typer.BadParameter("say either --steps or --to, not both")
    if not yes:
        if not sys.stdin.isatty():
            raise typer.BadParameter("this drops data; without a terminal to ask on, say --yes")
        typer.confirm(
            "This drops what the migrations added, with the data in it. Go on?", abort=True, err=True
        )

    async def take_back(migrator: Migrator) -> tuple[Migration, ...]:
        return await migrator.down(steps=steps, to=to)

    taken_back = _run(
        take_back,
        database_url,
        lock_timeout=lock_timeout,
        statement_timeout=statement_timeout,
        on_step=_teller("taken back", quiet=as_json),
    )
    _close("taken_back", taken_back, as_json=as_json, nothing="There is nothing to take back.")


@app.command()
def status(database_url: DatabaseUrl = "", as_json: AsJson = False) -> None:
    """List the migrations, applied and pending. Changes nothing."""
    ledger = _run(Migrator.status, database_url)
    applied = {migration.version for migration in ledger.applied}
    if as_json:
        _print_json(
            {
                "migrations": [
                    {"version": each.version, "name": each.name, "applied": each.version in applied}
                    for each in ledger.known
                ],
                "pending": len(ledger.pending),
                "unknown": [f"{row.version}_{row.name}" for row in ledger.unknown],
                "foreign": len(ledger.foreign),
            }
        )
        return
    for migration in ledger.known:
        typer.echo(f"{'applied' if migration.version in applied else 'pending':8} {migration.stem}")
    _echo_others(ledger)


@app.command()
def verify(database_url: DatabaseUrl = "", as_json: AsJson = False) -> None:
    """Check that every migration was applied exactly as its file reads now; exit code 1 if not."""
    findings: tuple[Finding, ...] = _run(Migrator.verify, database_url)
    if as_json:
        _print_json({"ok": not findings, "findings": [asdict(finding) for finding in findings]})
    elif not findings:
        typer.echo("Every migration was applied as it is written.")
    else:
        for finding in findings:
            typer.echo(f"{finding.kind:12} {finding.message}")
    if findings:
        raise typer.Exit(1)


def _run(
    action: Callable[[Migrator], Awaitable[_T]],
    database_url: str,
    *,
    lock_timeout: float = 5,
    statement_timeout: float = 900,
    on_step: Callable[[Migration], None] = lambda migration: None,
) -> _T:
    async def run() -> _T:
        async with database_at(database_url) as url:
            return await action(
                Migrator(
                    url=url,
                    lock_timeout=timedelta(seconds=lock_timeout),
                    statement_timeout=timedelta(seconds=statement_timeout),
                    on_step=on_step,
                    on_notice=lambda notice: typer.echo(f"  {notice}", err=True),
                )
            )

    return asyncio.run(run())


def _teller(word: str, *, quiet: bool) -> Callable[[Migration], None]:
    return lambda migration: None if quiet else typer.echo(f"{word} {migration.stem}")


def _close(word: str, done: tuple[Migration, ...], *, as_json: bool, nothing: str) -> None:
    if as_json:
        _print_json({word: [migration.stem for migration in done]})
    elif not done:
        typer.echo(nothing)


def _echo_others(ledger: Ledger) -> None:
    for row in ledger.unknown:
        typer.echo(f"unknown  {row.version}_{row.name} (applied by a newer or changed program)")
    if ledger.foreign:
        typer.echo(f"The ledger also holds {len(ledger.foreign)} migrations that are not ours.")


def _print_json(answer: object) -> None:
    typer.echo(json.dumps(answer, indent=2))
