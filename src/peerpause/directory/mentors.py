"""The mentors somebody answers for: all of an organisation they administer, those of the chapters they coordinate.

Everything is asked in the reader's name, so that the database decides whom they see; what is chosen here only narrows it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from peerpause.database.paging import not_a_cursor, read_cursor, read_id, write_cursor
from peerpause.database.session import Claims, Sessions, Step
from peerpause.status.rules import MentorStatus

# The database gives 500 at once, and one more than is shown tells whether there is another page.
MOST_ON_A_PAGE: Final = 499

SERVING: Final = (MentorStatus.ACTIVE, MentorStatus.PAUSED)
"""Whoever has not left."""

_SOON: Final = 14
_NEXT_BACK: Final = 5
_MOST_WORDS: Final = 5


class CertificateState(StrEnum):
    """How a mentor stands with the certificates their organisation requires."""

    NOT_REQUIRED = "not_required"
    VALID = "valid"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    MISSING = "missing"


class CertificateFilter(StrEnum):
    """Which certificates to look for."""

    VALID = "valid"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    NONE = "none"


class Sort(StrEnum):
    """What a list of mentors is sorted by; mentors that have none of it come last, and equals by name."""

    NAME = "name"
    STATUS = "status"
    SINCE = "since"
    RETURN = "return"
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class Scope:
    """Where to look: ``organisations`` in which the reader has a part; of these ``whole`` in full, of the others the ``chapters``."""

    organisations: tuple[UUID, ...]
    whole: tuple[UUID, ...] = ()
    chapters: tuple[UUID, ...] = ()

    @property
    def parameters(self) -> dict[str, object]:
        """As the statements take it."""
        return {
            "organisations": list(self.organisations),
            "whole": list(self.whole),
            "chapters": list(self.chapters),
        }


@dataclass(frozen=True, slots=True)
class OwnedChapter:
    """A chapter the reader answers for."""

    chapter_id: UUID
    name: str
    organisation_id: UUID


@dataclass(frozen=True, slots=True)
class RosterFilter:
    """Whom to list: without anything said, whoever has not left. ``text`` is looked for in names, each of its words by itself; ``days`` is how soon an expiring certificate ends."""

    statuses: tuple[MentorStatus, ...] = SERVING
    certificate: CertificateFilter | None = None
    days: int = 60
    text: str | None = field(default=None, repr=False)
    is_overdue: bool = False
    sort: Sort = Sort.NAME
    is_descending: bool = False

    @property
    def is_narrow(self) -> bool:
        """Whether anything is left out."""
        return self.statuses != SERVING or any((self.certificate, self.text, self.is_overdue))


@dataclass(frozen=True, slots=True)
class RosterMentor:
    """A mentor as their coordinators' list shows them.

    ``since`` is when the present status began, where it is known; ``today`` and the dates are days of the organisation's
    calendar. ``certified_until`` is the last day on which everything required is valid: ``date.max`` without an end, ``None`` where
    nothing is required or something is missing (see ``certificate``).
    """

    mentor_id: UUID
    user_id: UUID | None
    organisation_id: UUID
    organisation_name: str
    today: date
    display_name: str = field(repr=False)
    status: MentorStatus
    pause_reason: str | None
    since: datetime | None
    expected_return_on: date | None
    scheduled_pause_at: datetime | None
    certificate: CertificateState
    certified_until: date | None
    chapters: tuple[str, ...]
    updated_at: datetime

    @property
    def is_overdue(self) -> bool:
        """Whether the day they expected to be back has passed."""
        return self.expected_return_on is not None and self.expected_return_on < self.today


@dataclass(frozen=True, slots=True)
class ChosenMentor:
    """A mentor that was chosen in a list; ``blocking_lapse`` is the last day of the certificate that keeps them from being active."""

    mentor_id: UUID
    organisation_id: UUID
    display_name: str = field(repr=False)
    status: MentorStatus
    updated_at: datetime
    blocking_lapse: date | None


@dataclass(frozen=True, slots=True)
class RosterPage:
    """Some mentors in order. ``next`` leads on; None on the last page."""

    mentors: tuple[RosterMentor, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class NextBack:
    """A paused mentor who is expected back soon."""

    mentor_id: UUID
    display_name: str = field(repr=False)
    expected_return_on: date


@dataclass(frozen=True, slots=True)
class RosterCounts:
    """How many mentors are where. ``back_soon`` are expected within a fortnight; ``next_back`` are the first of them."""

    active: int
    paused: int
    inactive: int
    overdue: int
    back_soon: int
    next_back: tuple[NextBack, ...] = ()

    @property
    def everybody(self) -> int:
        """All of them together."""
        return self.active + self.paused + self.inactive


async def read_chapters(sessions: Sessions, reader: Claims, scope: Scope) -> tuple[OwnedChapter, ...]:
    """All chapters the reader answers for, by name."""
    parameters = {"whole": list(scope.whole), "chapters": list(scope.chapters)}
    rows = await sessions.call(reader, "coordinator_chapters", parameters)
    return tuple(OwnedChapter(**row) for row in rows)


async def read_address_of_mentor(sessions: Sessions, reader: Claims, mentor_id: UUID) -> str | None:
    """The e-mail address of a mentor the reader answers for, if we have one. Raises MentorNotFound, PermissionDenied."""
    rows = await sessions.call(reader, "address_of_mentor", {"mentor_id": mentor_id})
    return rows[0]["email"] if rows else None


async def left_alone(sessions: Sessions, reader: Claims, mentor_ids: Sequence[UUID]) -> tuple[str, ...]:
    """Which of the reader's chapters would be without an active mentor if these were away; by name."""
    rows = await sessions.call(reader, "chapters_left_alone", {"mentor_ids": list(mentor_ids)})
    return tuple(row["name"] for row in rows)


async def read_mentors(
    sessions: Sessions, reader: Claims, mentor_ids: Sequence[UUID]
) -> tuple[ChosenMentor, ...]:
    """Those of the mentors whom the reader answers for, by name."""
    rows = await sessions.call(reader, "chosen_mentors", {"mentor_ids": list(mentor_ids)})
    return tuple(ChosenMentor(**{**row, "status": MentorStatus(row["status"])}) for row in rows)


async def read_roster(
    sessions: Sessions,
    reader: Claims,
    scope: Scope,
    wanted: RosterFilter,
    *,
    limit: int = 50,
    cursor: str | None = None,
) -> RosterPage:
    """A page of the mentors the reader answers for, at most 499 of them, from ``cursor`` on, which a page before named as next.

    Raises ``InvalidArgument`` for a cursor that is none of ours.
    """
    limit = min(limit, MOST_ON_A_PAGE)
    rows = await sessions.call(reader, "coordinator_roster", _parameters(scope, wanted, limit, cursor))
    mentors = tuple(_read_mentor(row, wanted.days) for row in rows[:limit])
    return RosterPage(mentors, next=_cursor(rows[limit - 1]) if len(rows) > limit else None)


async def read_roster_with_counts(
    sessions: Sessions,
    reader: Claims,
    scope: Scope,
    wanted: RosterFilter,
    *,
    limit: int = 50,
    cursor: str | None = None,
) -> tuple[RosterPage, RosterCounts]:
    """The same page, and how many of all in ``scope`` are where, in one round trip."""
    limit = min(limit, MOST_ON_A_PAGE)
    rows, (counts,) = await sessions.call_all(
        reader,
        Step("coordinator_roster", _parameters(scope, wanted, limit, cursor)),
        Step("coordinator_roster_counts", {**scope.parameters, "soon": _SOON}),
    )
    mentors = tuple(_read_mentor(row, wanted.days) for row in rows[:limit])
    page = RosterPage(mentors, next=_cursor(rows[limit - 1]) if len(rows) > limit else None)
    return page, _read_counts(counts)


async def read_whole_roster(
    sessions: Sessions, reader: Claims, scope: Scope, wanted: RosterFilter
) -> AsyncIterator[RosterMentor]:
    """All mentors the filter lists, by name, read a page at a time: memory stays flat however many they are."""
    by_name = replace(wanted, sort=Sort.NAME, is_descending=False)
    cursor: str | None = None
    while True:
        page = await read_roster(sessions, reader, scope, by_name, limit=MOST_ON_A_PAGE, cursor=cursor)
        for mentor in page.mentors:
            yield mentor
        if page.next is None:
            return
        cursor = page.next


def certificate_state(certified_until: date | None, today: date, days: int) -> CertificateState:
    """How a mentor stands today; the last day still counts. ``date.min`` says that something required is missing."""
    if certified_until is None:
        return CertificateState.NOT_REQUIRED
    if certified_until == date.min:
        return CertificateState.MISSING
    if certified_until < today:
        return CertificateState.EXPIRED
    return CertificateState.EXPIRING if (certified_until - today).days <= days else CertificateState.VALID


def _parameters(scope: Scope, wanted: RosterFilter, limit: int, cursor: str | None) -> dict[str, object]:
    after_rank, after_name, after_id = _read_cursor(cursor)
    return {
        **scope.parameters,
        "statuses": [status.value for status in wanted.statuses],
        "certificate": None if wanted.certificate is None else wanted.certificate.value,
        "days": wanted.days,
        "patterns": _patterns(wanted.text),
        "overdue": wanted.is_overdue,
        "sort": wanted.sort.value,
        "descending": wanted.is_descending,
        "after_rank": after_rank,
        "after_name": after_name,
        "after_id": after_id,
        "limit": limit + 1,
    }


def _patterns(text: str | None) -> list[str]:
    words = (text or "").lower().split()[:_MOST_WORDS]
    escaped = [word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") for word in words]
    return [f"%{word}%" for word in escaped]


def _cursor(row: Mapping[str, Any]) -> str:
    rank = "" if row["rank"] is None else str(row["rank"])
    return write_cursor(rank, row["display_name"], row["mentor_id"])


def _read_cursor(cursor: str | None) -> tuple[Decimal | None, str | None, UUID | None]:
    if cursor is None:
        return None, None, None
    rank, name, mentor_id = read_cursor(cursor, length=3)
    if "\0" in name:
        raise not_a_cursor()
    try:
        return Decimal(rank) if rank else None, name, read_id(mentor_id)
    except InvalidOperation:
        raise not_a_cursor() from None


def _read_counts(row: Mapping[str, Any]) -> RosterCounts:
    next_back = tuple(
        NextBack(
            mentor_id=UUID(each["mentor_id"]),
            display_name=each["display_name"],
            expected_return_on=date.fromisoformat(each["expected_return_on"]),
        )
        for each in row["next_back"][:_NEXT_BACK]
    )
    return RosterCounts(**{**row, "next_back": next_back})


def _read_mentor(row: Mapping[str, Any], days: int) -> RosterMentor:
    state = certificate_state(row["certified_until"], row["today"], days)
    return RosterMentor(
        mentor_id=row["mentor_id"],
        user_id=row["user_id"],
        organisation_id=row["organisation_id"],
        organisation_name=row["organisation_name"],
        today=row["today"],
        display_name=row["display_name"],
        status=MentorStatus(row["status"]),
        pause_reason=row["pause_reason"],
        since=row["since"],
        expected_return_on=row["expected_return_on"],
        scheduled_pause_at=row["scheduled_pause_at"],
        certificate=state,
        certified_until=None if state is CertificateState.MISSING else row["certified_until"],
        chapters=tuple(row["chapters"]),
        updated_at=row["updated_at"],
    )
