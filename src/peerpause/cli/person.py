"""`peerpause person`: give somebody everything that is kept about them, or erase them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from uuid import UUID

import typer

from peerpause.cli.migrate import AsJson, DatabaseUrl
from peerpause.database.embedded import database_at
from peerpause.database.session import Service
from peerpause.errors import InvalidArgument
from peerpause.privacy.document import to_html, to_json
from peerpause.privacy.personal_data import Erasure, ListedErasure, PersonalData, personal_data, read_erasure
from peerpause.telemetry import configure_logging

app = typer.Typer(
    help="Give somebody everything that is kept about them, or erase them.", no_args_is_help=True
)

_T = TypeVar("_T")

PersonId = Annotated[
    UUID, typer.Argument(metavar="ID", help="The id of a user (the `sub` of their token) or of a mentor.")
]
Organisation = Annotated[
    UUID | None,
    typer.Option("--organisation", metavar="ID", help="Only in this organisation; otherwise everywhere."),
]
Apply = Annotated[bool, typer.Option("--apply", help="Do it. It cannot be undone.")]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write to this file instead of the screen.")
]
Format = Annotated[
    Literal["json", "html"], typer.Option("--format", help="json for programs, html for people.")
]
Language = Annotated[
    Literal["nb", "nn", "en"] | None,
    typer.Option("--language", help="Language of the HTML; by default the person's own."),
]
ListFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", exists=True, dir_okay=False, help="What `peerpause person erasures` wrote."
    ),
]


@app.command()
def export(
    person_id: PersonId,
    form: Format = "json",
    out: Out = None,
    language: Language = None,
    organisation: Organisation = None,
    database_url: DatabaseUrl = "",
) -> None:
    """Give everything that is kept about a person. That it was given is recorded, for the person to see.

    Exit code 1 where there is no such person.
    """
    configure_logging()
    found = _run(lambda data: data.export(Service(), person_id, organisation_id=organisation), database_url)
    _write(to_json(found) if form == "json" else to_html(found, language=language), out)


@app.command()
def erase(
    person_id: PersonId,
    apply: Apply = False,
    organisation: Organisation = None,
    database_url: DatabaseUrl = "",
    as_json: AsJson = False,
) -> None:
    """Say what erasing a person would do, or with --apply do it: a pseudonym stays, and the audit still holds.

    Take the person out of the register that imports come from first, or the next import brings them back. Exit code 1 where there
    is no such person.
    """
    configure_logging()
    done = _run(
        lambda data: data.erase(Service(), person_id, organisation_id=organisation, apply=apply), database_url
    )
    typer.echo(json.dumps(asdict(done), default=str, indent=2) if as_json else "\n".join(_told(done)))


@app.command()
def erasures(out: Out = None, organisation: Organisation = None, database_url: DatabaseUrl = "") -> None:
    """List who was erased, by pseudonym, as one JSON object a line. Keep it apart from the backups."""
    configure_logging()
    listed = _run(lambda data: data.erasures(Service(), organisation_id=organisation), database_url)
    _write("".join(json.dumps(asdict(each), default=str) + "\n" for each in listed), out)


@app.command("reapply-erasures")
def reapply_erasures(
    file: ListFile, apply: Apply = False, database_url: DatabaseUrl = "", as_json: AsJson = False
) -> None:
    """After an old backup was restored: erase again whom the list names. Without --apply say what that would do."""
    configure_logging()
    entries = list(_read(file))
    done = _run(lambda data: data.reapply(entries, apply=apply), database_url)
    back = [each for each in done if each.counts]
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in done], default=str, indent=2))
        return
    typer.echo(f"{len(entries)} erasures in the list, of which {len(back)} had come back.")
    typer.echo(
        "They are erased again." if apply else "Nothing was changed. Give --apply to erase them again."
    )


def _run(action: Callable[[PersonalData], Awaitable[_T]], database_url: str) -> _T:
    async def run() -> _T:
        async with database_at(database_url) as url, personal_data(url) as data:
            return await action(data)

    return asyncio.run(run())


def _write(text: str, out: Path | None) -> None:
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.touch(mode=0o600)  # it may hold health data
        out.write_text(text, encoding="utf-8")


def _told(done: Erasure) -> Iterator[str]:
    verb = "" if done.applied else "would be "
    if not done.counts:
        yield "There is nothing left to erase." if done.repeated else "There is nothing to erase."
    for what, count in sorted(done.counts.items()):
        yield f"{count} {verb}cleared: {what}"
    if done.applied:
        yield f"The person is now {done.pseudonym}. Keep `peerpause person erasures` apart from the backups."
    else:
        yield "Nothing was changed. Give --apply to erase."


def _read(file: Path) -> Iterator[ListedErasure]:
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            entry: Mapping[str, object] = json.loads(line)
        except ValueError:
            raise InvalidArgument(
                f"Line {number} of {file.name} is not JSON.",
                hint="Pass a file that `peerpause person erasures --out FILE` has written.",
            ) from None
        yield read_erasure(entry)
