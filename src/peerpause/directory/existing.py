"""What the database holds already of the things that files speak of.

``key`` is the code by which files name a row: its ``external_id``, or its id where it came in by another way than a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from peerpause.status.rules import MentorStatus


@dataclass(frozen=True, slots=True)
class ExistingOrganisation:
    """An organisation as it stands."""

    key: str
    id: UUID
    name: str
    time_zone: str
    language: str
    role_word: str | None
    required_certification_kinds: list[str]


@dataclass(frozen=True, slots=True)
class ExistingChapter:
    """A chapter as it stands."""

    organisation_id: UUID
    key: str
    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class ExistingMentor:
    """A mentor as they stand; ``user_id`` is None while nobody has tied an account to them."""

    organisation_id: UUID
    key: str
    id: UUID
    user_id: UUID | None
    display_name: str = field(repr=False)
    first_name: str = field(repr=False)
    status: str

    @property
    def mentor_status(self) -> MentorStatus:
        """The status as a value of the rules."""
        return MentorStatus(self.status)


@dataclass(frozen=True, slots=True)
class ExistingPerson:
    """What is known of an account's owner."""

    user_id: UUID
    display_name: str = field(repr=False)
    first_name: str = field(repr=False)
    email: str | None = field(repr=False)
    language: str | None


@dataclass(frozen=True, slots=True)
class ExistingStaff:
    """An account that coordinates or administers in an organisation."""

    organisation_id: UUID
    email: str = field(repr=False)
    first_name: str = field(repr=False)
    user_id: UUID


@dataclass(frozen=True, slots=True)
class ExistingMembership:
    """That a mentor belongs to a chapter."""

    mentor_id: UUID
    chapter_id: UUID


@dataclass(frozen=True, slots=True)
class ExistingRole:
    """That somebody coordinates a chapter, or administers an organisation: ``place_id`` is the one or the other."""

    organisation_id: UUID
    place_id: UUID
    user_id: UUID
    active: bool


@dataclass(frozen=True, slots=True)
class ExistingCertificate:
    """A certificate as it stands."""

    id: UUID
    mentor_id: UUID
    kind: str
    issued_on: date
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class Existing:
    """All of that, looked up by what files name. ``now`` is the database's clock.

    ``shared`` are accounts that have a part in an organisation beside the one that the import is confined to.
    ``staff`` is looked up by organisation and by e-mail address and first name as ``casefold`` makes them; roles by place and
    account; certificates by mentor, kind and day of issue.
    """

    now: datetime
    organisations: Mapping[str, ExistingOrganisation] = field(default_factory=dict)
    chapters: Mapping[tuple[UUID, str], ExistingChapter] = field(default_factory=dict)
    mentors: Mapping[tuple[UUID, str], ExistingMentor] = field(default_factory=dict)
    staff: Mapping[tuple[UUID, str, str], UUID] = field(default_factory=dict)
    people: Mapping[UUID, ExistingPerson] = field(default_factory=dict)
    shared: frozenset[UUID] = frozenset()
    memberships: Mapping[UUID, frozenset[UUID]] = field(default_factory=dict)
    coordinators: Mapping[tuple[UUID, UUID], ExistingRole] = field(default_factory=dict)
    admins: Mapping[tuple[UUID, UUID], ExistingRole] = field(default_factory=dict)
    certificates: Mapping[tuple[UUID, str, date], tuple[ExistingCertificate, ...]] = field(
        default_factory=dict
    )
