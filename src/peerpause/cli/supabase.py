"""`peerpause supabase`: hand our migrations to a Supabase project, whose own CLI then applies them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from peerpause.errors import ConfigurationError
from peerpause.sql import migrations

app = typer.Typer(help="Work with a Supabase project folder.", no_args_is_help=True)

_CONFIG = """\
# A Supabase project that holds PeerPause's migrations. Whatever is left out has Supabase's default:
# https://supabase.com/docs/guides/local-development/cli/config
project_id = "{project_id}"
"""


@app.callback()
def supabase() -> None:
    """Work with a Supabase project folder."""


@app.command()
def export(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="The project's folder, in which `supabase/` lies or will lie.",
            file_okay=False,
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Answer with JSON on standard output.")] = False,
) -> None:
    """Copy the migrations to DIR/supabase/migrations, where `supabase db push` finds them.

    Writes what is missing, with a small config.toml if the project has none. Never overwrites: where a file of the project says
    something else, nothing at all is written and the exit code is 1. Running it twice does nothing.
    """
    wanted = {
        Path("supabase", "migrations", f"{migration.stem}.sql"): migration.text for migration in migrations()
    }
    try:
        _require_room(folder, wanted)
        config = Path("supabase", "config.toml")
        if not (folder / config).exists():
            wanted = {config: _CONFIG.format(project_id=_project_id(folder)), **wanted}
        written = _write_missing(folder, wanted)
    except OSError as error:
        raise ConfigurationError(
            f"The project folder {folder} cannot be read or written: {error.strerror}.",
            hint="Name a folder of yours.",
        ) from error
    _tell(
        folder, written=written, unchanged=[file for file in wanted if file not in written], as_json=as_json
    )


def _require_room(folder: Path, wanted: Mapping[Path, str]) -> None:
    """Raise ConfigurationError where a file of the project stands in the way of one of ours."""
    in_the_way = [file for file, text in wanted.items() if _says_something_else(folder / file, text)]
    versions = {_version(file): file for file in wanted}
    for other in sorted((folder / "supabase" / "migrations").glob("*.sql")):
        file = other.relative_to(folder)
        if file not in wanted and _version(file) in versions:
            in_the_way.append(file)
    if in_the_way:
        raise ConfigurationError(
            "Nothing was written, because these files of the project are not ours as they stand: "
            + ", ".join(map(str, in_the_way)),
            detail={"in_the_way": [str(file) for file in in_the_way]},
            hint="Keep your own migrations under timestamps of their own, and ours as they are; then run it again.",
        )


def _says_something_else(file: Path, text: str) -> bool:
    # Read as text: a checkout on Windows may have given the lines other ends.
    return file.exists() and file.read_text(encoding="utf-8", errors="replace") != text


def _version(file: Path) -> str:
    return file.name.partition("_")[0]


def _write_missing(folder: Path, wanted: Mapping[Path, str]) -> list[Path]:
    written = []
    for file, text in wanted.items():
        if (folder / file).exists():
            continue
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        with (folder / file).open("x", encoding="utf-8", newline="\n") as out:
            out.write(text)
        written.append(file)
    return written


def _project_id(folder: Path) -> str:
    """The folder's name as far as Supabase lets it be one."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", folder.resolve().name).strip("-")[:40] or "peerpause"


def _tell(folder: Path, *, written: list[Path], unchanged: list[Path], as_json: bool) -> None:
    if as_json:
        answer = {
            "folder": str(folder),
            "written": [str(file) for file in written],
            "unchanged": [str(file) for file in unchanged],
        }
        typer.echo(json.dumps(answer, indent=2))
        return
    for file in written:
        typer.echo(f"wrote {folder / file}")
    if unchanged:
        typer.echo(f"{len(unchanged)} files were there already.")
    if written:
        typer.echo(f"Next: supabase db push --workdir {folder}")
