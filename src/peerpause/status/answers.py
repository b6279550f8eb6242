"""The JSON of status routes: what they take and what they answer, with examples for the API's description."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from peerpause.status.records import ListedMentor, StatusHistoryEntry
from peerpause.status.rules import MAX_NOTE_LENGTH, MentorStatus, MentorStatusRecord, ReasonCode

_MENTOR = "6f1c5f0e-3f0b-4c57-9c2b-1d1f5a7f9b10"
_PERSON = "0b7a4a5e-9a50-4f0e-8a3e-5f2f7d1c2b11"
_TEXT_THAT_CAN_BE_STORED = r"^[^\x00]*$"

Note = Annotated[
    str,
    Field(
        max_length=MAX_NOTE_LENGTH,
        pattern=_TEXT_THAT_CAN_BE_STORED,
        description="Free text for the mentor's coordinators. It never leaves in a push.",
    ),
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PauseRequest(_Body):
    """Pause a mentor, now or later."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"reason": "travel", "expected_return_on": "2027-02-01", "note": "Back in winter."}]
        }
    )

    reason: ReasonCode
    pause_at: Annotated[
        AwareDatetime | None,
        Field(description="When the pause begins, with a time zone. Left out: now. Ahead: it is planned."),
    ] = None
    expected_return_on: Annotated[
        date | None,
        Field(description="The day the mentor means to be back, in the organisation's time zone."),
    ] = None
    note: Note | None = None


class ReactivateRequest(_Body):
    """Bring a mentor back. Everything may be left out."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "returned"}]})

    reason: ReasonCode | None = None


class DeactivateRequest(_Body):
    """Let a mentor leave for good."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "resigned"}]})

    reason: ReasonCode
    note: Note | None = None


class StatusAnswer(BaseModel):
    """Where a mentor stands, and the change that led there."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "mentor_id": _MENTOR,
                    "organisation_id": "b0b8a3a2-8d7e-4b0d-b3c5-0f6a0c9e7d12",
                    "status": "paused",
                    "previous_status": "active",
                    "changed_at": "2026-11-01T09:30:00.123456Z",
                    "changed_by": _PERSON,
                    "reason": "travel",
                    "note": "Back in winter.",
                    "paused_at": "2026-11-01T09:30:00.123456Z",
                    "expected_return_on": "2027-02-01",
                    "reactivated_at": None,
                    "scheduled_pause_at": None,
                    "updated_at": "2026-11-01T09:30:00.123456Z",
                }
            ]
        }
    )

    mentor_id: UUID
    organisation_id: UUID
    status: MentorStatus
    previous_status: MentorStatus | None
    changed_at: datetime
    changed_by: UUID | None = Field(description="Who made the change; null is the system.")
    reason: str | None
    note: str | None
    paused_at: datetime | None
    expected_return_on: date | None
    reactivated_at: datetime | None
    scheduled_pause_at: datetime | None = Field(
        description="When a planned pause begins; null where none is."
    )
    updated_at: datetime = Field(
        description="Moves on with every change, also of what is planned; the ETag stands for it."
    )

    @classmethod
    def of(cls, record: MentorStatusRecord) -> StatusAnswer:
        """The answer for a record."""
        return cls.model_construct(
            mentor_id=record.mentor_id,
            organisation_id=record.organisation_id,
            status=record.status,
            previous_status=record.previous_status,
            changed_at=record.changed_at,
            changed_by=record.changed_by,
            reason=record.reason,
            note=record.note,
            paused_at=record.pause_at,
            expected_return_on=record.expected_return_on,
            reactivated_at=record.reactivated_at,
            scheduled_pause_at=record.scheduled_pause_at,
            updated_at=record.updated_at,
        )


class HistoryEntryAnswer(BaseModel):
    """One change, as the audit keeps it."""

    id: UUID
    mentor_id: UUID
    previous_status: MentorStatus | None
    new_status: MentorStatus
    changed_by: UUID | None
    changed_at: datetime
    reason: str | None
    note: str | None
    expected_return_on: date | None
    certification_expires_at: date | None
    job_run_id: UUID | None

    @classmethod
    def of(cls, entry: StatusHistoryEntry) -> HistoryEntryAnswer:
        """The answer for an entry."""
        return cls.model_construct(**{name: getattr(entry, name) for name in cls.model_fields})


class HistoryAnswer(BaseModel):
    """A page of a mentor's history."""

    items: list[HistoryEntryAnswer]
    next: str | None = Field(description="Pass it as `cursor` for the next page; null on the last.")


class ListedMentorAnswer(BaseModel):
    """A mentor in the list of a chapter."""

    mentor_id: UUID
    display_name: str
    first_name: str
    status: MentorStatus
    pause_reason: str | None
    paused_at: datetime | None
    expected_return_on: date | None
    reactivated_at: datetime | None
    updated_at: datetime

    @classmethod
    def of(cls, mentor: ListedMentor) -> ListedMentorAnswer:
        """The answer for a mentor."""
        return cls.model_construct(**{name: getattr(mentor, name) for name in cls.model_fields})


class MentorListAnswer(BaseModel):
    """A page of a chapter's mentors, in the order asked for."""

    items: list[ListedMentorAnswer]
    next: str | None = Field(description="Pass it as `cursor` for the next page; null on the last.")


class PlannedPauseAnswer(BaseModel):
    """What became of a planned pause."""

    cancelled: bool = Field(description="False where none was planned.")


class BulkPauseRequest(PauseRequest):
    """Pause many mentors alike."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"mentor_ids": [_MENTOR], "reason": "coordinator_pause", "expected_return_on": "2027-08-15"}
            ]
        }
    )

    mentor_ids: Annotated[list[UUID], Field(min_length=1, max_length=200)]


class BulkReactivateRequest(ReactivateRequest):
    """Bring many mentors back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"mentor_ids": [_MENTOR]}]})

    mentor_ids: Annotated[list[UUID], Field(min_length=1, max_length=200)]


class BulkOutcome(BaseModel):
    """How it went with one mentor: the status, or why not."""

    mentor_id: UUID
    ok: bool
    status: StatusAnswer | None
    code: str | None = Field(description="The error's code where it did not go.")
    detail: str | None


class BulkAnswer(BaseModel):
    """How it went with each mentor, in the order they were named."""

    changed: int
    refused: int
    outcomes: list[BulkOutcome]
