"""`peerpause audit`: whether the record is whole, and the record itself for whoever wants to check that without us."""

from __future__ import annotations

import asyncio
import csv
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO, TypeVar
from uuid import UUID

import typer
from rich.console import Console

from peerpause.audit.chain import FIELDS, ChainReport, check_chain
from peerpause.audit.trail import AuditReport, AuditTrail, audit_trail
from peerpause.cli.migrate import AsJson, DatabaseUrl
from peerpause.database.embedded import database_at
from peerpause.database.session import Service
from peerpause.errors import InvalidArgument
from peerpause.telemetry import configure_logging

app = typer.Typer(
    help="Check that the record of changes is whole; export it with its proof.", no_args_is_help=True
)

_T = TypeVar("_T")

Organisation = Annotated[
    UUID | None, typer.Option("--organisation", metavar="ID", help="Only this organisation; otherwise all.")
]
Ends = Annotated[
    Path | None,
    typer.Option(
        "--ends",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="What `peerpause audit head` wrote earlier: then a chain that was cut off or made anew is found too.",
    ),
]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write to this file instead of the screen.")
]
Format = Annotated[
    Literal["jsonl", "csv"], typer.Option("--format", help="JSON Lines, or CSV for spreadsheets.")
]
WithNotes = Annotated[bool, typer.Option("--with-notes", help="Notes too. They may hold health data.")]
ExportFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", exists=True, dir_okay=False, help="JSON Lines from `peerpause audit export`."
    ),
]


@app.command()
def verify(
    organisation: Organisation = None,
    ends: Ends = None,
    database_url: DatabaseUrl = "",
    as_json: AsJson = False,
) -> None:
    """Compare everything recorded with the audit chain, and name what was altered, removed or slipped in.

    Exit code 0 where all agrees, 1 where something does not.
    """
    configure_logging()
    known = _read_ends(ends) if ends else {}

    async def look(trail: AuditTrail) -> tuple[Sequence[AuditReport], Sequence[tuple[str, int]]]:
        wanted = [organisation] if organisation else await trail.organisations()
        reports = [await trail.verify(Service(), each) for each in wanted]
        checked = {each: end for each, end in known.items() if UUID(each) in wanted}
        return reports, [lost async for lost in _cut_off(trail, checked)]

    reports, lost = _run(look, database_url)
    if as_json:
        cut = [{"organisation_id": each, "place": place} for each, place in lost]
        typer.echo(
            json.dumps(
                {"organisations": [asdict(each) for each in reports], "cut_off": cut}, default=str, indent=2
            )
        )
    else:
        console = Console()
        for line in (
            *_told(reports),
            *(f"{each}: cut off or made anew before place {place}" for each, place in lost),
        ):
            console.print(line, soft_wrap=True, highlight=False)
    raise typer.Exit(1 if lost or any(not each.ok for each in reports) else 0)


@app.command()
def export(
    organisation: Organisation = None,
    form: Format = "jsonl",
    out: Out = None,
    with_notes: WithNotes = False,
    database_url: DatabaseUrl = "",
) -> None:
    """Write the record with its chain, one link a line: enough to check it without the database (`peerpause audit check`)."""
    configure_logging()

    async def write(trail: AuditTrail) -> None:
        with _opened(out) as file:
            writer = _Writer(file, form)
            for each in [organisation] if organisation else await trail.organisations():
                async for link in trail.export(Service(), each, with_notes=with_notes):
                    writer.write(link)

    _run(write, database_url)


@app.command()
def check(file: ExportFile, ends: Ends = None, as_json: AsJson = False) -> None:
    """Check an exported chain without any database. Exit code 0 where it holds, 1 where it does not."""
    with file.open(encoding="utf-8") as lines:
        report = check_chain(_links(lines, file.name), ends=_read_ends(ends) if ends else None)
    if as_json:
        typer.echo(json.dumps(asdict(report), indent=2))
    else:
        for line in _told_of_file(report):
            typer.echo(line)
    raise typer.Exit(1 if report.findings else 0)


@app.command()
def head(out: Out = None, database_url: DatabaseUrl = "") -> None:
    """Write the end of each chain, one JSON object a line. Keep it where nobody who can change the database can reach it."""
    configure_logging()
    found = _run(lambda trail: trail.ends(Service()), database_url)
    with _opened(out) as file:
        for end in found:
            file.write(json.dumps(asdict(end), default=str) + "\n")


@app.command()
def adopt(organisation: Organisation = None, database_url: DatabaseUrl = "", as_json: AsJson = False) -> None:
    """Take into the chain what was recorded before there was one, or by a data migration past the rules.

    Look at `peerpause audit verify` first: whatever it calls inserted is taken in, and marked as adopted.
    """
    configure_logging()

    async def take_in(trail: AuditTrail) -> Mapping[str, int]:
        wanted = [organisation] if organisation else await trail.organisations()
        return {str(each): await trail.adopt(each) for each in wanted}

    adopted = _run(take_in, database_url)
    if as_json:
        typer.echo(json.dumps(adopted, indent=2))
    else:
        typer.echo(f"{sum(adopted.values())} rows were adopted.")


def _run(action: Callable[[AuditTrail], Awaitable[_T]], database_url: str) -> _T:
    async def run() -> _T:
        async with database_at(database_url) as url, audit_trail(url) as trail:
            return await action(trail)

    return asyncio.run(run())


async def _cut_off(trail: AuditTrail, known: Mapping[str, tuple[int, str]]) -> AsyncIterator[tuple[str, int]]:
    """The ends written down earlier through which the chains do not lead."""
    for organisation_id, (place, expected) in known.items():
        if await trail.hash_at(Service(), UUID(organisation_id), place) != expected:
            yield organisation_id, place


@contextmanager
def _opened(out: Path | None) -> Iterator[TextIO]:
    if out is None:
        yield sys.stdout
        return
    out.touch(mode=0o600)  # who changed whose status is personal
    with out.open("w", encoding="utf-8", newline="") as file:
        yield file


class _Writer:
    def __init__(self, file: TextIO, form: str) -> None:
        self._file = file
        self._csv = csv.DictWriter(file, FIELDS) if form == "csv" else None
        if self._csv:
            self._csv.writeheader()

    def write(self, link: Mapping[str, Any]) -> None:
        if self._csv:
            facts = json.dumps(link["facts"], ensure_ascii=False)
            self._csv.writerow({name: _cell(facts if name == "facts" else link[name]) for name in FIELDS})
        else:
            self._file.write(json.dumps(link, ensure_ascii=False) + "\n")


def _cell(value: object) -> object:
    # A spreadsheet takes these for the beginning of a formula; somebody may have written one into a note.
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _links(lines: TextIO, name: str) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(lines, start=1):
        try:
            link = json.loads(line)
        except ValueError:
            link = None
        if not isinstance(link, dict):
            raise InvalidArgument(
                f"Line {number} of {name} is not a JSON object.",
                hint="Check a file that `peerpause audit export` has written as JSON Lines.",
            )
        yield link


def _read_ends(file: Path) -> Mapping[str, tuple[int, str]]:
    with file.open(encoding="utf-8") as lines:
        try:
            return {
                str(UUID(end["organisation_id"])): (int(end["place"]), str(end["hash"]))
                for end in _links(lines, file.name)
            }
        except (KeyError, TypeError, ValueError):
            raise InvalidArgument(
                f"{file.name} does not hold ends of chains.",
                hint="Pass a file that `peerpause audit head --out FILE` has written.",
            ) from None


def _told(reports: Sequence[AuditReport]) -> Iterator[str]:
    for report in reports:
        for finding in report.findings:
            facts = {
                "place": finding.place,
                "kind": finding.kind,
                "entry": finding.entry_id,
                "mentor": finding.mentor_id,
            }
            about = " ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
            yield f"{report.organisation_id}: {finding.code}: {about}"
        verdict = "holds" if report.ok else "does not hold"
        yield (
            f"{report.organisation_id}: the chain {verdict}: {report.links} links ({report.adopted} adopted), "
            f"{report.waiting} changes not chained yet, end {report.place} {report.hash or '-'}"
        )


def _told_of_file(report: ChainReport) -> Iterator[str]:
    for finding in report.findings:
        yield f"{finding.organisation_id}: {finding.code}: place {finding.place} {finding.kind or ''} {finding.entry_id or ''}".rstrip()
    for organisation_id, (place, end) in report.ends.items():
        yield f"{organisation_id}: ends at {place} {end}"
    verdict = "does not hold" if report.findings else "holds"
    yield f"The exported chain {verdict}: {report.links} links."
