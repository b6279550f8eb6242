"""`peerpause doctor`: look the installation over and say what to do."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Annotated, Final

import typer

from peerpause.access.trial import access_matrix
from peerpause.cli.migrate import AsJson
from peerpause.database.embedded import database_at
from peerpause.doctor import Finding, Verdict, examine
from peerpause.settings import Settings, load_settings
from peerpause.telemetry import configure_logging

_WORDS: Final = {Verdict.FINE: "ok", Verdict.NOTE: "note", Verdict.WRONG: "WRONG"}


Matrix = Annotated[
    bool,
    typer.Option(
        "--access-matrix",
        help="Instead, try who may do what with every table and function, on made-up people in a transaction that is rolled back.",
    ),
]


def doctor(as_json: AsJson = False, matrix: Matrix = False) -> None:
    """Check the database, its migrations, worker and schedule, Google's and the mail host's sign-in, coordinators and deliveries.

    Reads the same environment as the worker, changes nothing and sends nothing. Exit code 1 where something is wrong.
    """
    configure_logging(level="ERROR")
    if matrix:
        typer.echo(asyncio.run(_access_matrix(load_settings(), as_json=as_json)))
        return
    findings = asyncio.run(_examine(load_settings()))
    is_well = all(each.verdict is not Verdict.WRONG for each in findings)
    if as_json:
        typer.echo(json.dumps({"ok": is_well, "findings": [asdict(each) for each in findings]}, indent=2))
    else:
        for finding in findings:
            _show(finding)
    if not is_well:
        raise typer.Exit(1)


async def _examine(settings: Settings) -> tuple[Finding, ...]:
    named = settings.database_url
    async with database_at(None if named is None else named.get_secret_value()) as url:
        return await examine(settings, database_url=url)


async def _access_matrix(settings: Settings, *, as_json: bool) -> str:
    named = settings.database_url
    async with database_at(None if named is None else named.get_secret_value()) as url:
        found = await access_matrix(url)
    return json.dumps(found.to_json(), indent=2) if as_json else found.to_markdown()


def _show(finding: Finding) -> None:
    typer.echo(f"{_WORDS[finding.verdict]:6} {finding.check}: {finding.message}")
    if finding.advice:
        typer.echo(f"       → {finding.advice}")
