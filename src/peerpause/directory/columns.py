"""The columns of each kind of file, and how a header tells which kind it is.

`docs/import.md` describes the same columns to people; a test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from peerpause.directory.csv_files import Table
from peerpause.directory.findings import Finding, Place, Problem


class FileKind(StrEnum):
    """What a file lists, in the order in which a header is compared with them: the most telling first."""

    CERTIFICATES = "certificates"
    PEOPLE = "people"
    CHAPTERS = "chapters"
    ORGANISATIONS = "organisations"


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its English name, with the Norwegian ones that are understood as well."""

    name: str
    aliases: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one kind of file; any one of ``told_by`` tells it from those compared later."""

    columns: tuple[Column, ...]
    told_by: frozenset[str]


_ORGANISATION: Final = Column("organisation", ("organisasjon", "organization"), required=True)
_LANGUAGE: Final = Column("language", ("språk", "målform"))

LAYOUTS: Final[Mapping[FileKind, Layout]] = {
    FileKind.CERTIFICATES: Layout(
        columns=(
            _ORGANISATION,
            Column("person", ("person_id", "medlem", "medlemsnummer"), required=True),
            Column("kind", ("type", "kurs", "sertifikat")),
            Column("issued_on", ("utstedt", "issued"), required=True),
            Column("expires_on", ("utløper", "gyldig_til", "expires")),
        ),
        told_by=frozenset({"issued_on", "expires_on"}),
    ),
    FileKind.PEOPLE: Layout(
        columns=(
            _ORGANISATION,
            Column("person", ("person_id", "medlem", "medlemsnummer"), required=True),
            Column("role", ("rolle",), required=True),
            Column("first_name", ("fornavn",), required=True),
            Column("display_name", ("navn", "visningsnavn", "name"), required=True),
            Column("email", ("epost", "e_post", "e_mail")),
            _LANGUAGE,
            Column("chapters", ("lokallag", "lag", "chapter")),
            Column("status"),
            Column("paused_since", ("pause_fra", "pauset_siden")),
            Column("pause_reason", ("pauseårsak", "årsak")),
            Column("expected_return", ("forventet_tilbake", "tilbake")),
            Column("user_id", ("bruker_id", "bruker")),
        ),
        told_by=frozenset({"person", "role", "first_name"}),
    ),
    FileKind.CHAPTERS: Layout(
        columns=(
            _ORGANISATION,
            Column("chapter", ("lokallag", "lag"), required=True),
            Column("name", ("navn",), required=True),
        ),
        told_by=frozenset({"chapter"}),
    ),
    FileKind.ORGANISATIONS: Layout(
        columns=(
            _ORGANISATION,
            Column("name", ("navn",), required=True),
            Column("time_zone", ("tidssone", "timezone")),
            _LANGUAGE,
            Column("role_word", ("rolleord", "rollenavn")),
            Column("required_certificates", ("påkrevde_sertifikater", "påkrevde_kurs")),
        ),
        told_by=frozenset({"name"}),
    ),
}


@dataclass(frozen=True, slots=True)
class Header:
    """What a table lists, and at which position each of its known columns stands."""

    kind: FileKind
    positions: Mapping[str, int]


def read_header(table: Table) -> tuple[Header | None, tuple[Finding, ...]]:
    """Tell what a table lists, with everything that is wrong or odd about its header; None when that makes it useless."""
    names = [_plain(cell) for cell in table.header.cells]
    at = Place(table.file, table.header.line)
    for kind, layout in LAYOUTS.items():
        positions, repeated = _positions(layout, names)
        if layout.told_by & positions.keys():
            findings = [*_column_findings(at, layout, names, positions), *_repeated(at, repeated)]
            usable = not any(finding.blocks for finding in findings)
            return Header(kind, positions) if usable else None, tuple(findings)
    return None, (_unknown_kind(at),)


def _plain(cell: str) -> str:
    return re.sub(r"[\s_-]+", "_", cell.strip().casefold()).strip("_")


def _positions(layout: Layout, names: list[str]) -> tuple[dict[str, int], list[str]]:
    known = {alias: column.name for column in layout.columns for alias in (*column.aliases, column.name)}
    positions: dict[str, int] = {}
    repeated: list[str] = []
    for position, name in enumerate(names):
        if name not in known:
            continue
        if known[name] in positions:
            repeated.append(known[name])
        else:
            positions[known[name]] = position
    return positions, repeated


def _column_findings(
    at: Place, layout: Layout, names: list[str], positions: Mapping[str, int]
) -> list[Finding]:
    findings = [
        Finding(
            at,
            column.name,
            Problem.MISSING_COLUMN,
            "The column is missing.",
            f"Add a column named {column.name}" + (f" (or {column.aliases[0]})." if column.aliases else "."),
        )
        for column in layout.columns
        if column.required and column.name not in positions
    ]
    known = {alias for column in layout.columns for alias in (*column.aliases, column.name)}
    ignored = sum(1 for name in names if name and name not in known)
    if ignored:
        findings.append(
            Finding(
                at,
                None,
                Problem.UNKNOWN_COLUMN,
                f"{ignored} columns of the header are not known and are ignored.",
                "Known are: " + ", ".join(column.name for column in layout.columns) + ".",
            )
        )
    return findings


def _repeated(at: Place, repeated: list[str]) -> list[Finding]:
    return [
        Finding(
            at,
            name,
            Problem.REPEATED_COLUMN,
            "The header names this column twice.",
            "Keep one of them; a Norwegian and an English name of one column count as the same.",
        )
        for name in repeated
    ]


def _unknown_kind(at: Place) -> Finding:
    kinds = "; ".join(
        f"{kind.value}: " + ", ".join(column.name for column in layout.columns if column.required)
        for kind, layout in LAYOUTS.items()
    )
    return Finding(
        at,
        None,
        Problem.UNKNOWN_KIND,
        "The header does not tell what the file lists.",
        f"The first line must name the columns, at least: {kinds}.",
    )
