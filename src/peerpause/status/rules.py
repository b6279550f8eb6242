"""The rules of a mentor's status: which moves exist, which reasons, and the values that describe a change.

The database enforces the same rules; this module lets Python explain them without asking it.
Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

MAX_NOTE_LENGTH: Final = 2000
"""The longest note, in characters, that may accompany a change."""


class MentorStatus(StrEnum):
    """Where a mentor stands. New mentors may start in any of the three."""

    ACTIVE = "active"
    PAUSED = "paused"
    INACTIVE = "inactive"

    @property
    def is_terminal(self) -> bool:
        """True where no move leads away; somebody who comes back after that gets a new row."""
        return self is MentorStatus.INACTIVE


VALID_TRANSITIONS: Final[frozenset[tuple[MentorStatus, MentorStatus]]] = frozenset(
    {
        (MentorStatus.ACTIVE, MentorStatus.PAUSED),
        (MentorStatus.PAUSED, MentorStatus.ACTIVE),
        (MentorStatus.ACTIVE, MentorStatus.INACTIVE),
    }
)
"""Every legal move as (from, to). Staying put is not a move."""


def is_valid_transition(from_: MentorStatus, to: MentorStatus) -> bool:
    """Tell whether a mentor may go from one status straight to the other."""
    return (from_, to) in VALID_TRANSITIONS


def allowed_targets(status: MentorStatus) -> tuple[MentorStatus, ...]:
    """List where a mentor with this status may go next, in a fixed order; empty for a terminal status."""
    return tuple(target for target in MentorStatus if is_valid_transition(status, target))


class ReasonCode(StrEnum):
    """Why a status changed. The codes are fixed; each organisation words their labels as it likes."""

    SELF_PAUSE = "self_pause"
    COORDINATOR_PAUSE = "coordinator_pause"
    ILLNESS = "illness"
    TRAVEL = "travel"
    PERSONAL = "personal"
    FAMILY = "family"
    WORK_OR_STUDY = "work_or_study"
    OTHER = "other"
    RETURNED = "returned"
    RESIGNED = "resigned"
    DEACTIVATED = "deactivated"
    CERTIFICATION_EXPIRED = "certification_expired"
    CERTIFICATION_RENEWED = "certification_renewed"
    RETURN_DATE_REACHED = "return_date_reached"
    RESIGNATION_STEP = "resignation_step"


SYSTEM_REASONS: Final[frozenset[ReasonCode]] = frozenset(
    {
        ReasonCode.CERTIFICATION_EXPIRED,
        ReasonCode.CERTIFICATION_RENEWED,
        ReasonCode.RETURN_DATE_REACHED,
        ReasonCode.RESIGNATION_STEP,
    }
)
"""Reasons that only the system records, because rules depend on them. No form offers them."""

SELF_REASONS: Final[frozenset[ReasonCode]] = frozenset(
    {
        ReasonCode.SELF_PAUSE,
        ReasonCode.ILLNESS,
        ReasonCode.TRAVEL,
        ReasonCode.PERSONAL,
        ReasonCode.FAMILY,
        ReasonCode.WORK_OR_STUDY,
        ReasonCode.OTHER,
        ReasonCode.RETURNED,
        ReasonCode.RESIGNED,
    }
)
"""Reasons that mentors may give for a change of their own status."""


def requires_reason(to: MentorStatus) -> bool:
    """Tell whether a move to this status must say why. Coming back needs no reason."""
    return to is not MentorStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class StatusTransition:
    """One legal move that was made.

    ``actor_id`` is the user who made it, ``None`` for the system. ``reason`` is a ``ReasonCode`` as a rule,
    but rows from before a bulk migration may hold another word. ``timestamp`` may be given in any zone and
    is kept in UTC.

    Raises ``ValueError``, naming the field, for an illegal move, a blank reason or a time without a zone.
    """

    from_status: MentorStatus
    to_status: MentorStatus
    actor_id: UUID | None
    reason: str | None
    timestamp: datetime

    def __post_init__(self) -> None:
        if not is_valid_transition(self.from_status, self.to_status):
            raise ValueError("to_status: no such move from from_status")
        _refuse_blank("reason", self.reason)
        object.__setattr__(self, "timestamp", _in_utc("timestamp", self.timestamp))

    def to_json(self) -> dict[str, str | None]:
        """Give the move as JSON values; the time is ISO 8601 in UTC with microseconds."""
        return {
            "from_status": self.from_status.value,
            "to_status": self.to_status.value,
            "actor_id": None if self.actor_id is None else str(self.actor_id),
            "reason": self.reason,
            "timestamp": self.timestamp.isoformat(timespec="microseconds"),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> StatusTransition:
        """Read what ``to_json`` wrote.

        Raises ``ValueError``, naming the field, for a missing or unknown key, a value of the wrong type, an
        unknown status, a UUID that is not in its usual form, a time without a zone and an illegal move.
        """
        _refuse_wrong_keys(data, expected=cls.__slots__)
        return cls(
            from_status=_read_status("from_status", data),
            to_status=_read_status("to_status", data),
            actor_id=None if data["actor_id"] is None else _read_uuid("actor_id", data),
            reason=None if data["reason"] is None else _read_text("reason", data),
            timestamp=_read_time("timestamp", data),
        )


@dataclass(frozen=True, slots=True)
class MentorStatusRecord:
    """Where a mentor stands now, and how they came there.

    ``changed_at``, ``changed_by`` (``None``: the system), ``reason`` and ``note`` belong to the latest change.
    While, and only while, the mentor is paused ``pause_at`` is set and ``expected_return_on`` may be; that date
    is a day in the organisation's time zone. ``reactivated_at`` is the end of the latest pause,
    ``scheduled_pause_at`` when a planned pause begins. ``updated_at`` is the token to hand back as
    ``expected_updated_at``. All times are kept in UTC. The note is not in the ``repr``.

    The constructor insists on what the table's own constraints promise and no more, so that every row can be
    read. That ``previous_status`` leads to ``status`` is not asked: a bulk migration may have switched the
    rules off.

    Raises ``ValueError``, naming the field, where a promise is broken and where the note is too long.
    """

    mentor_id: UUID
    organisation_id: UUID
    status: MentorStatus
    previous_status: MentorStatus | None
    changed_at: datetime
    changed_by: UUID | None
    reason: str | None
    updated_at: datetime
    note: str | None = field(default=None, repr=False)
    pause_at: datetime | None = None
    expected_return_on: date | None = None
    reactivated_at: datetime | None = None
    scheduled_pause_at: datetime | None = None

    def __post_init__(self) -> None:
        for name in ("changed_at", "updated_at", "pause_at", "reactivated_at", "scheduled_pause_at"):
            moment = getattr(self, name)
            if moment is not None:
                object.__setattr__(self, name, _in_utc(name, moment))
        _refuse_blank("reason", self.reason)
        if self.note is not None and len(self.note) > MAX_NOTE_LENGTH:
            raise ValueError(f"note: longer than {MAX_NOTE_LENGTH} characters")
        if self.status is MentorStatus.PAUSED:
            if self.pause_at is None:
                raise ValueError("pause_at: missing while the mentor is paused")
        elif self.pause_at is not None:
            raise ValueError("pause_at: set although the mentor is not paused")
        elif self.expected_return_on is not None:
            raise ValueError("expected_return_on: set although the mentor is not paused")


_UUID_FORM: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _refuse_wrong_keys(data: object, *, expected: tuple[str, ...]) -> None:
    if not isinstance(data, Mapping):
        raise ValueError("not an object")  # noqa: TRY004  all nonsense is one kind of error
    for name in expected:
        if name not in data:
            raise ValueError(f"{name}: missing")
    if len(data) > len(expected):
        # The unknown key is not repeated: it came from outside and may hold anything.
        raise ValueError(f"unknown key; known are {', '.join(expected)}")


def _refuse_blank(name: str, text: str | None) -> None:
    if text is not None and not text.strip():
        raise ValueError(f"{name}: blank")


def _in_utc(name: str, moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"{name}: has no time zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{name}: outside the years 1 to 9999 in UTC") from None


def _read_text(name: str, data: Mapping[str, Any]) -> str:
    value = data[name]
    if not isinstance(value, str):
        raise ValueError(f"{name}: not text")  # noqa: TRY004  all nonsense is one kind of error
    return value


def _read_status(name: str, data: Mapping[str, Any]) -> MentorStatus:
    try:
        return MentorStatus(_read_text(name, data))
    except ValueError:
        raise ValueError(f"{name}: not one of {', '.join(MentorStatus)}") from None


def _read_uuid(name: str, data: Mapping[str, Any]) -> UUID:
    text = _read_text(name, data)
    # UUID() by itself also takes braces, "urn:uuid:" and hyphens in odd places.
    if _UUID_FORM.fullmatch(text) is None:
        raise ValueError(f"{name}: not a UUID")
    return UUID(text)


def _read_time(name: str, data: Mapping[str, Any]) -> datetime:
    try:
        return datetime.fromisoformat(_read_text(name, data))
    except ValueError:
        raise ValueError(f"{name}: not a time in ISO 8601") from None
