"""What a mentor's own page knows besides the status itself: what the public sees, what certificates say today, whom to call.

For those who may change the mentor: the mentor, their coordinators, admins. The database decides who that is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from peerpause.certifications.rules import Certificate
from peerpause.database.session import Caller, Sessions, Step
from peerpause.errors import Conflict
from peerpause.status.records import read_record
from peerpause.status.rules import MentorStatusRecord


@dataclass(frozen=True, slots=True)
class PlannedPause:
    """A pause that begins later. ``expected_return_on`` is a day in the organisation's time zone."""

    starts_at: datetime
    reason: str
    note: str | None = field(repr=False)
    expected_return_on: date | None


@dataclass(frozen=True, slots=True)
class OwnChapter:
    """A chapter the mentor serves. ``has_others_active`` tells whether somebody else is there while the mentor is away."""

    chapter_id: UUID
    name: str
    has_others_active: bool


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody the mentor can turn to; an admin of the organisation where the chapters have no coordinator."""

    user_id: UUID
    display_name: str = field(repr=False)
    email: str | None = field(repr=False)
    is_admin: bool


@dataclass(frozen=True, slots=True)
class PublicFacts:
    """What a mentor lets the public page show. ``listed`` is False where they want to be left out."""

    display_name: str = field(repr=False)
    listed: bool
    languages: tuple[str, ...]
    presentation: str | None = field(repr=False)
    contact: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Standing:
    """A mentor as they stand today, on the organisation's calendar.

    ``blocking_lapse`` is the last valid day of a certificate that keeps them from being active; ``covered_until`` the last day of
    an admin's exception; ``is_public`` whether the public page of their chapters shows them at this moment; ``auto_return`` whether
    a pause ends by itself on its day. ``names`` are of those who changed the status.
    """

    record: MentorStatusRecord
    today: date
    profile: PublicFacts
    required_kinds: tuple[str, ...]
    certificates: tuple[Certificate, ...]
    is_certified: bool
    blocking_lapse: date | None
    covered_until: date | None
    is_public: bool
    auto_return: bool
    planned: PlannedPause | None
    chapters: tuple[OwnChapter, ...]
    contacts: tuple[Contact, ...]
    names: Mapping[UUID, str] = field(repr=False)

    @property
    def updated_at(self) -> datetime:
        """What an optimistic change compares."""
        return self.record.updated_at

    @property
    def last_valid_day(self) -> date | None:
        """When the first of the required certificates runs out, each kind by its latest; None where none does, or one is missing."""
        days = []
        for kind in self.required_kinds:
            of_kind = [
                each for each in self.certificates if each.kind == kind and each.issued_on <= self.today
            ]
            if not of_kind:
                return None
            days.append(max(each.expires_on or date.max for each in of_kind))
        return min((day for day in days if day < date.max), default=None)

    @property
    def days_valid(self) -> int | None:
        """How many days the certificate is still valid after today: 0 on the last valid day, less when it has run out."""
        return None if self.last_valid_day is None else (self.last_valid_day - self.today).days

    @property
    def left_alone(self) -> tuple[OwnChapter, ...]:
        """The chapters that have nobody active without this mentor."""
        return tuple(chapter for chapter in self.chapters if not chapter.has_others_active)


async def read_standing(sessions: Sessions, caller: Caller, mentor_id: UUID) -> Standing:
    """Everything at once, as of one moment. Raises MentorNotFound, PermissionDenied, Unavailable."""
    of_mentor = {"mentor_id": mentor_id}
    (status,), (standing,), chapters, certificates, contacts, actors = await sessions.call_all(
        caller,
        Step("read_mentor_status", of_mentor),
        Step("read_mentor_standing", of_mentor),
        Step("read_mentor_chapters", of_mentor),
        Step("read_mentor_certificates", of_mentor),
        Step("read_mentor_contacts", of_mentor),
        Step("read_mentor_actors", of_mentor),
    )
    return Standing(
        record=read_record(status),
        today=standing["today"],
        profile=_profile(standing),
        required_kinds=tuple(standing["required_kinds"]),
        certificates=tuple(_certificate(row) for row in certificates),
        is_certified=standing["is_certified"],
        blocking_lapse=standing["blocking_lapse"],
        covered_until=standing["covered_until"],
        is_public=standing["is_public"],
        auto_return=standing["auto_return"],
        planned=_planned(standing),
        chapters=tuple(OwnChapter(**row) for row in chapters),
        contacts=tuple(Contact(**row) for row in contacts),
        names={row["user_id"]: row["display_name"] for row in actors},
    )


async def save_profile(
    sessions: Sessions,
    caller: Caller,
    mentor_id: UUID,
    *,
    listed: bool,
    languages: Sequence[str],
    presentation: str | None,
    contact: str | None,
    expected_updated_at: datetime,
) -> None:
    """Replace what the public page shows of a mentor, unless the mentor has changed since ``expected_updated_at``.

    Raises Conflict, InvalidArgument for what the page cannot show, PermissionDenied.
    """
    rows = await sessions.call(
        caller,
        "update_own_profile",
        {
            "mentor_id": mentor_id,
            "listed": listed,
            "languages": list(languages),
            "presentation": presentation,
            "public_contact": contact,
            "expected_updated_at": expected_updated_at,
        },
    )
    if not rows:
        raise Conflict(
            "The profile has changed since it was read; nothing was changed.",
            detail={"mentor_id": str(mentor_id)},
            hint="Load it again and decide anew.",
        )


def _profile(row: Mapping[str, Any]) -> PublicFacts:
    return PublicFacts(
        display_name=row["display_name"],
        listed=row["listed"],
        languages=tuple(row["languages"]),
        presentation=row["presentation"],
        contact=row["public_contact"],
    )


def _certificate(row: Mapping[str, Any]) -> Certificate:
    return Certificate(kind=row["kind"], issued_on=row["issued_on"], expires_on=row["expires_on"])


def _planned(row: Mapping[str, Any]) -> PlannedPause | None:
    if row["planned_at"] is None:
        return None
    return PlannedPause(
        starts_at=row["planned_at"],
        reason=row["planned_reason"],
        note=row["planned_note"],
        expected_return_on=row["planned_return_on"],
    )
