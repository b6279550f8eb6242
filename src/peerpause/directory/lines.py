"""What the lines of the files mean, once they are read: organisations, chapters, people in a role, certificates."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from peerpause.directory.findings import Place
from peerpause.status.rules import MentorStatus, ReasonCode

MAX_CHAPTERS: Final = 5
"""The most chapters one mentor may belong to."""


class Role(StrEnum):
    """What a person is in an organisation. Somebody who is two things has two lines."""

    MENTOR = "mentor"
    COORDINATOR = "coordinator"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class OrganisationLine:
    """An organisation. None means that the cell was empty: nothing is changed by it."""

    at: Place
    organisation: str
    name: str
    time_zone: str | None
    language: str | None
    role_word: str | None
    required_certificates: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class ChapterLine:
    """A chapter of an organisation."""

    at: Place
    organisation: str
    chapter: str
    name: str


@dataclass(frozen=True, slots=True)
class PersonLine:
    """A person in one role. ``status`` and the facts of a pause matter for those who are new only."""

    at: Place
    organisation: str
    person: str
    role: Role
    first_name: str = field(repr=False)
    display_name: str = field(repr=False)
    email: str | None = field(repr=False)
    language: str | None
    chapters: tuple[str, ...]
    status: MentorStatus | None
    paused_since: date | None
    pause_reason: ReasonCode | None
    expected_return: date | None
    user_id: UUID | None


@dataclass(frozen=True, slots=True)
class CertificateLine:
    """A certificate of a mentor; one without ``expires_on`` never expires. Its last day still counts."""

    at: Place
    organisation: str
    person: str
    kind: str
    issued_on: date
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class ImportLines:
    """All lines of all files of one import.

    ``within`` is the code of the one organisation that it may touch; None where whoever runs the installation imports.
    """

    organisations: tuple[OrganisationLine, ...] = ()
    chapters: tuple[ChapterLine, ...] = ()
    people: tuple[PersonLine, ...] = ()
    certificates: tuple[CertificateLine, ...] = ()
    within: str | None = None
