"""What is read of a mentor's status besides the record itself, and how rows become values.

A row comes from the driver with values of its own, or from JSON with text; both are read here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, TypeAlias
from uuid import UUID

from peerpause.status.rules import MentorStatus, MentorStatusRecord

Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StatusHistoryEntry:
    """One change as the audit keeps it.

    ``previous_status`` is None where a new mentor started; ``changed_by`` is None for the system. ``note`` may hold health data.
    Times have a time zone; the dates are days in the organisation's.
    """

    id: UUID
    mentor_id: UUID
    previous_status: MentorStatus | None
    new_status: MentorStatus
    changed_by: UUID | None
    changed_at: datetime
    reason: str | None
    note: str | None = field(default=None, repr=False)
    expected_return_on: date | None = None
    certification_expires_at: date | None = None
    job_run_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ListedMentor:
    """A mentor in the list of a chapter, for its coordinators. ``updated_at`` is the token to hand back with a change."""

    mentor_id: UUID
    display_name: str = field(repr=False)
    first_name: str = field(repr=False)
    status: MentorStatus
    pause_reason: str | None
    paused_at: datetime | None
    expected_return_on: date | None
    reactivated_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class MentorCursor:
    """The mentor a page ended with; the next page begins behind it, whoever came or went meanwhile."""

    display_name: str = field(repr=False)
    mentor_id: UUID


@dataclass(frozen=True, slots=True)
class MentorPage:
    """Some mentors of a chapter by name. ``next`` leads on; None on the last page."""

    mentors: tuple[ListedMentor, ...]
    next: MentorCursor | None


def read_record(row: Row) -> MentorStatusRecord:
    """A row of `get_mentor_status`."""
    return MentorStatusRecord(
        mentor_id=_uuid(row["mentor_id"]),
        organisation_id=_uuid(row["organisation_id"]),
        status=MentorStatus(row["status"]),
        previous_status=_status(row["previous_status"]),
        changed_at=read_moment(row["changed_at"]),
        changed_by=_uuid_or_none(row["changed_by"]),
        reason=row["reason"],
        note=row["note"],
        pause_at=_moment_or_none(row["paused_at"]),
        expected_return_on=_day(row["expected_return_on"]),
        reactivated_at=_moment_or_none(row["reactivated_at"]),
        scheduled_pause_at=_moment_or_none(row["scheduled_pause_at"]),
        updated_at=read_moment(row["updated_at"]),
    )


def read_entry(row: Row) -> StatusHistoryEntry:
    """A row of `get_mentor_status_history`."""
    return StatusHistoryEntry(
        id=_uuid(row["id"]),
        mentor_id=_uuid(row["mentor_id"]),
        previous_status=_status(row["previous_status"]),
        new_status=MentorStatus(row["new_status"]),
        changed_by=_uuid_or_none(row["changed_by"]),
        changed_at=read_moment(row["changed_at"]),
        reason=row["reason"],
        note=row["note"],
        expected_return_on=_day(row["expected_return_on"]),
        certification_expires_at=_day(row["certification_expires_at"]),
        job_run_id=_uuid_or_none(row["job_run_id"]),
    )


def read_page(rows: Sequence[Row], *, limit: int) -> MentorPage:
    """The rows of `list_chapter_mentors` that were asked for with this limit. A full page may have another behind it."""
    mentors = tuple(_read_listed(row) for row in rows)
    is_last = len(mentors) < limit
    return MentorPage(
        mentors, next=None if is_last else MentorCursor(mentors[-1].display_name, mentors[-1].mentor_id)
    )


def read_moment(value: object) -> datetime:
    """A time with its zone."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def record_as_answered(
    now: MentorStatusRecord, then: StatusHistoryEntry, *, answer: Row, pause_at: datetime | None = None
) -> MentorStatusRecord:
    """The record as it stood when a request was first answered, which is what its repetition is answered.

    ``then`` is the latest change up to that answer, ``now`` the mentor as they stand today; ``pause_at`` is what the
    request asked for: where it left the mentor active, the pause was planned for then.
    """
    answered_at = read_moment(answer["updated_at"])
    reactivated_at = _moment_or_none(answer.get("reactivated_at"))
    if reactivated_at is None and now.reactivated_at is not None and now.reactivated_at <= answered_at:
        reactivated_at = now.reactivated_at
    return MentorStatusRecord(
        mentor_id=now.mentor_id,
        organisation_id=now.organisation_id,
        status=then.new_status,
        previous_status=then.previous_status,
        changed_at=then.changed_at,
        changed_by=then.changed_by,
        reason=then.reason,
        note=then.note,
        pause_at=then.changed_at if then.new_status is MentorStatus.PAUSED else None,
        expected_return_on=then.expected_return_on,
        reactivated_at=reactivated_at,
        scheduled_pause_at=_planned(then, pause_at),
        updated_at=answered_at,
    )


def _planned(then: StatusHistoryEntry, pause_at: datetime | None) -> datetime | None:
    if pause_at is None or then.new_status is not MentorStatus.ACTIVE:
        return None
    return pause_at.astimezone(UTC)


def _read_listed(row: Row) -> ListedMentor:
    return ListedMentor(
        mentor_id=_uuid(row["mentor_id"]),
        display_name=row["display_name"],
        first_name=row["first_name"],
        status=MentorStatus(row["status"]),
        pause_reason=row["pause_reason"],
        paused_at=_moment_or_none(row["paused_at"]),
        expected_return_on=_day(row["expected_return_on"]),
        reactivated_at=_moment_or_none(row["reactivated_at"]),
        updated_at=read_moment(row["updated_at"]),
    )


def _uuid(value: object) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))


def _uuid_or_none(value: object) -> UUID | None:
    return None if value is None else _uuid(value)


def _status(value: str | None) -> MentorStatus | None:
    return None if value is None else MentorStatus(value)


def _moment_or_none(value: object) -> datetime | None:
    return None if value is None else read_moment(value)


def _day(value: object) -> date | None:
    if value is None or isinstance(value, date):
        return value
    return date.fromisoformat(str(value))
