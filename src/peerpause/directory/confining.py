"""What an organisation's admin may import: their own organisation, and in it nothing that only the installation's operator decides. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol, TypeVar

from peerpause.directory.findings import Finding, Place, Problem
from peerpause.directory.lines import ImportLines, PersonLine, Role

_SETTINGS: Final = (
    "An organisation's name and settings are not imported here.",
    "Leave this file out, and change them on the page of settings.",
)
_ADMIN: Final = (
    "Who administers the organisation is not decided here.",
    "Take the line out, and ask whoever runs PeerPause for you.",
)
_ACCOUNT: Final = (
    "Accounts are not tied to people here.",
    "Empty the cell: an account is tied when the person signs in for the first time.",
)


class _OfOrganisation(Protocol):
    @property
    def at(self) -> Place: ...

    @property
    def organisation(self) -> str: ...


_Line = TypeVar("_Line", bound=_OfOrganisation)


def confined(lines: ImportLines, within: str) -> tuple[ImportLines, tuple[Finding, ...]]:
    """The lines that an admin of the organisation with the code ``within`` may import, and a finding for each other.

    Only the former are looked up, so that no finding tells anything of another organisation.
    """
    findings = [_not_yours(line.at, None, *_SETTINGS) for line in lines.organisations]
    own = ImportLines(
        chapters=_of(lines.chapters, within, findings),
        people=tuple(
            line for line in _of(lines.people, within, findings) if _may_be_imported(line, findings)
        ),
        certificates=_of(lines.certificates, within, findings),
        within=within,
    )
    return own, tuple(findings)


def _of(lines: Iterable[_Line], within: str, findings: list[Finding]) -> tuple[_Line, ...]:
    kept = []
    for line in lines:
        if line.organisation == within:
            kept.append(line)
        else:
            hint = f"Write {within} in this column, or take the line out."
            findings.append(
                _not_yours(line.at, "organisation", "This is not the code of your organisation.", hint)
            )
    return tuple(kept)


def _may_be_imported(line: PersonLine, findings: list[Finding]) -> bool:
    if line.role is Role.ADMIN:
        findings.append(_not_yours(line.at, "role", *_ADMIN))
    if line.user_id is not None:
        findings.append(_not_yours(line.at, "user_id", *_ACCOUNT))
    return line.role is not Role.ADMIN and line.user_id is None


def _not_yours(at: Place, column: str | None, message: str, hint: str) -> Finding:
    return Finding(at, column, Problem.NOT_YOURS, message, hint)
