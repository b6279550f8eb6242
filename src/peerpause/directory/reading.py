"""From the bytes of several files to their lines, with every finding that needs no database to see."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from peerpause.directory.cells import Cells
from peerpause.directory.columns import FileKind, read_header
from peerpause.directory.csv_files import ImportFile, Unreadable, read_table
from peerpause.directory.findings import Finding, Place, Problem
from peerpause.directory.lines import (
    MAX_CHAPTERS,
    CertificateLine,
    ChapterLine,
    ImportLines,
    OrganisationLine,
    PersonLine,
    Role,
)
from peerpause.status.rules import MentorStatus, ReasonCode

DEFAULT_CERTIFICATE_KIND: Final = "peer_mentor"

_ROLES: Final = {role.value: role for role in Role} | {
    "likeperson": Role.MENTOR,
    "koordinator": Role.COORDINATOR,
    "administrator": Role.ADMIN,
}
_STATUSES: Final = {status.value: status for status in MentorStatus} | {
    "aktiv": MentorStatus.ACTIVE,
    "pauset": MentorStatus.PAUSED,
    "pause": MentorStatus.PAUSED,
    "inaktiv": MentorStatus.INACTIVE,
    "sluttet": MentorStatus.INACTIVE,
}
_REASONS: Final = {reason.value: reason for reason in ReasonCode}
_LANGUAGES: Final = {
    "nb": "nb",
    "nn": "nn",
    "en": "en",
    "no": "nb",
    "bokmål": "nb",
    "nynorsk": "nn",
    "engelsk": "en",
    "english": "en",
}
_NO_CERTIFICATES: Final = ("none", "ingen")

_Line = TypeVar("_Line", OrganisationLine, ChapterLine, PersonLine, CertificateLine)


@dataclass(slots=True)
class _Pile:
    organisations: list[OrganisationLine] = field(default_factory=list)
    chapters: list[ChapterLine] = field(default_factory=list)
    people: list[PersonLine] = field(default_factory=list)
    certificates: list[CertificateLine] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read_files(files: Iterable[ImportFile]) -> tuple[ImportLines, tuple[Finding, ...]]:
    """Read all files. A line whose key cells are sound is kept even when others are not, so that references to it hold."""
    pile = _Pile()
    for file in files:
        _read_file(file, pile)
    lines = ImportLines(
        organisations=_once(
            pile.organisations, lambda line: line.organisation, "organisation", pile.findings
        ),
        chapters=_once(
            pile.chapters, lambda line: (line.organisation, line.chapter), "chapter", pile.findings
        ),
        people=_once(
            pile.people, lambda line: (line.organisation, line.person, line.role), "person", pile.findings
        ),
        certificates=_once(
            pile.certificates,
            lambda line: (line.organisation, line.person, line.kind, line.issued_on),
            "issued_on",
            pile.findings,
        ),
    )
    return lines, tuple(pile.findings)


def _read_file(file: ImportFile, pile: _Pile) -> None:
    try:
        table = read_table(file)
    except Unreadable as error:
        pile.findings.append(error.finding)
        return
    header, findings = read_header(table)
    pile.findings.extend(findings)
    if header is None:
        return
    for row in table.rows:
        cells = Cells(table.file, header, row)
        cells.refuse_strays(table.header)
        _READERS[header.kind](cells, pile)
        pile.findings.extend(cells.findings)


def _read_organisation(cells: Cells, pile: _Pile) -> None:
    required = cells.codes("required_certificates")
    line = OrganisationLine(
        at=cells.at,
        organisation=cells.code("organisation"),
        name=cells.text("name"),
        time_zone=cells.optional_time_zone("time_zone"),
        language=cells.choice("language", _LANGUAGES),
        role_word=cells.optional_text("role_word"),
        required_certificates=()
        if [word.casefold() for word in required] in ([word] for word in _NO_CERTIFICATES)
        else required or None,
    )
    if line.organisation:
        pile.organisations.append(line)


def _read_chapter(cells: Cells, pile: _Pile) -> None:
    line = ChapterLine(
        at=cells.at,
        organisation=cells.code("organisation"),
        chapter=cells.code("chapter"),
        name=cells.text("name"),
    )
    if line.organisation and line.chapter:
        pile.chapters.append(line)


def _read_person(cells: Cells, pile: _Pile) -> None:
    role = cells.choice("role", _ROLES)
    if role is None:
        cells.text("role")
    line = PersonLine(
        at=cells.at,
        organisation=cells.code("organisation"),
        person=cells.person("person"),
        role=role or Role.MENTOR,
        first_name=cells.text("first_name"),
        display_name=cells.text("display_name"),
        email=cells.optional_email("email"),
        language=cells.choice("language", _LANGUAGES),
        chapters=cells.codes("chapters"),
        status=cells.choice("status", _STATUSES),
        paused_since=cells.optional_day("paused_since"),
        pause_reason=cells.choice("pause_reason", _REASONS),
        expected_return=cells.optional_day("expected_return"),
        user_id=cells.optional_uuid("user_id"),
    )
    _check_role(line, cells)
    if line.organisation and line.person and role is not None:
        pile.people.append(line)


def _check_role(line: PersonLine, cells: Cells) -> None:
    paused = line.status is MentorStatus.PAUSED
    if line.role is Role.MENTOR and len(line.chapters) > MAX_CHAPTERS:
        cells.refuse(
            "chapters",
            Problem.TOO_MANY_CHAPTERS,
            f"The mentor would belong to {len(line.chapters)} chapters; {MAX_CHAPTERS} are the most.",
            "Take some away.",
        )
    if line.role is Role.ADMIN and line.chapters:
        cells.refuse(
            "chapters",
            Problem.NOT_FOR_ROLE,
            "An admin belongs to the whole organisation, not to chapters.",
            "Empty the cell, or write coordinator as the role.",
        )
    if line.role is not Role.MENTOR and paused:
        cells.refuse(
            "status",
            Problem.NOT_FOR_ROLE,
            "Only mentors pause.",
            "Write active or inactive, or leave the cell empty.",
        )
    if line.role is Role.COORDINATOR and not line.chapters and line.status is not MentorStatus.INACTIVE:
        cells.refuse(
            "chapters",
            Problem.MISSING_VALUE,
            "A coordinator needs a chapter to answer for.",
            "Write the chapter's code, or admin as the role for the whole organisation.",
        )
    for column, value in (
        ("paused_since", line.paused_since),
        ("pause_reason", line.pause_reason),
        ("expected_return", line.expected_return),
    ):
        if value is not None and not paused:
            cells.refuse(
                column,
                Problem.NOT_FOR_ROLE,
                "This belongs to a pause, and the line's status is not paused.",
                "Empty the cell, or write paused as the status.",
            )


def _read_certificate(cells: Cells, pile: _Pile) -> None:
    line = CertificateLine(
        at=cells.at,
        organisation=cells.code("organisation"),
        person=cells.person("person"),
        kind=cells.optional_code("kind") or DEFAULT_CERTIFICATE_KIND,
        issued_on=cells.day("issued_on"),
        expires_on=cells.optional_day("expires_on"),
    )
    if line.expires_on is not None and line.expires_on < line.issued_on:
        cells.refuse(
            "expires_on",
            Problem.BAD_DATE,
            f"The certificate expires on {line.expires_on}, before it was issued on {line.issued_on}.",
            "Look whether the two days are swapped.",
        )
    sound = not any(finding.column in {"kind", "issued_on"} for finding in cells.findings)
    if line.organisation and line.person and sound:
        pile.certificates.append(line)


_READERS: Final[dict[FileKind, Callable[[Cells, _Pile], None]]] = {
    FileKind.ORGANISATIONS: _read_organisation,
    FileKind.CHAPTERS: _read_chapter,
    FileKind.PEOPLE: _read_person,
    FileKind.CERTIFICATES: _read_certificate,
}


def _once(
    lines: Sequence[_Line], key: Callable[[_Line], Hashable], column: str, findings: list[Finding]
) -> tuple[_Line, ...]:
    """Keep the first line of each key and note the others."""
    first: dict[Hashable, Place] = {}
    kept = []
    for line in lines:
        earlier = first.setdefault(key(line), line.at)
        if earlier is line.at:
            kept.append(line)
            continue
        findings.append(
            Finding(
                line.at,
                column,
                Problem.DUPLICATE,
                f"The same entry stands in {earlier.file}, line {earlier.line}.",
                "Keep one of the two lines.",
            )
        )
    return tuple(kept)
