"""What an organisation's admins look up: how its deliveries went, and who changed whose status, when and why."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from peerpause.database.session import Caller, Sessions
from peerpause.status.rules import MentorStatus

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries; None means any. ``since`` and ``until`` are aware, and ``until`` is left out itself."""

    states: tuple[str, ...] | None = None
    channel: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrganisationDelivery:
    """One thing that was to reach somebody, and how that went. Names are None for whoever is no longer in the directory."""

    id: UUID
    mentor_id: UUID
    about_self: bool
    channel: str
    event: str
    state: str
    outcome: str | None
    error_code: str | None
    attempts: int
    created_at: datetime
    settled_at: datetime | None
    mentor_name: str | None = field(repr=False)
    recipient_name: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """How many deliveries are in which state."""

    sent: int
    pending: int
    skipped: int
    failed: int
    expired: int

    def to_retry(self, wanted: DeliveryFilter) -> int:
        """How many of those wanted ``Records.retry_all`` lets start over."""
        retried = {"failed": self.failed, "expired": self.expired}
        return sum(
            count for state, count in retried.items() if wanted.states is None or state in wanted.states
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFilter:
    """Which status changes; None means any. ``person`` and ``actor`` are parts of names; ``by_system`` leaves out what people did."""

    person: str | None = field(default=None, repr=False)
    actor: str | None = field(default=None, repr=False)
    by_system: bool | None = None
    chapter_id: UUID | None = None
    status: MentorStatus | None = None
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """One change of somebody's status. ``previous_status`` is None for the row with which a mentor began; ``changed_by`` for the system."""

    id: UUID
    mentor_id: UUID
    mentor_name: str = field(repr=False)
    previous_status: str | None
    new_status: str
    changed_by: UUID | None
    changed_by_name: str | None = field(repr=False)
    changed_at: datetime
    reason: str | None
    expected_return_on: date | None
    certification_expires_at: date | None
    job_run_id: UUID | None


class Records:
    """The records of one organisation, as one caller may see them: all of them for its admins, who alone may retry deliveries."""

    def __init__(self, *, sessions: Sessions, caller: Caller, organisation_id: UUID) -> None:
        self._sessions = sessions
        self._caller = caller
        self._id = organisation_id

    async def deliveries(
        self, wanted: DeliveryFilter, *, limit: int, before: UUID | None = None
    ) -> Sequence[OrganisationDelivery]:
        """Deliveries, the newest first, from behind the one that the last page ended with."""
        rows = await self._ask(
            "admin_deliveries", **_of_deliveries(wanted), states=_states(wanted), limit=limit, before=before
        )
        return [OrganisationDelivery(**row) for row in rows]

    async def delivery_counts(self, wanted: DeliveryFilter) -> DeliveryCounts:
        """How many are in which state, whichever states are wanted."""
        (row,) = await self._ask("admin_delivery_counts", **_of_deliveries(wanted))
        return DeliveryCounts(**row)

    async def retry(self, delivery_id: UUID) -> int:
        """Let one delivery start over that did not succeed; how many did. Raises PermissionDenied."""
        return await self._retry([delivery_id])

    async def retry_all(self, wanted: DeliveryFilter) -> int:
        """Let the deliveries start over that failed or were given up, the newest 10 000 of those wanted; how many did."""
        rows = await self._ask("admin_deliveries_to_retry", **_of_deliveries(wanted), states=_states(wanted))
        return await self._retry([row["id"] for row in rows]) if rows else 0

    async def changes(
        self, wanted: ChangeFilter, *, limit: int, before: UUID | None = None
    ) -> Sequence[RecordedChange]:
        """Status changes, the newest first, from behind the one that the last page ended with. Without notes."""
        rows = await self._ask("admin_audit", **_of_changes(wanted), limit=limit, before=before)
        return [RecordedChange(**row) for row in rows]

    async def all_changes(self, wanted: ChangeFilter) -> AsyncIterator[RecordedChange]:
        """All of them, read a page at a time, so that many do not fill the memory."""
        before: UUID | None = None
        while True:
            found = await self.changes(wanted, limit=_AT_ONCE, before=before)
            for each in found:
                yield each
            if len(found) < _AT_ONCE:
                return
            before = found[-1].id

    async def _retry(self, ids: Sequence[UUID]) -> int:
        (row,) = await self._ask("retry_deliveries_of_organisation", ids=[*ids])
        return int(row["retried"])

    async def _ask(self, query: str, **parameters: object) -> Sequence[Mapping[str, Any]]:
        return await self._sessions.call(self._caller, query, {"organisation_id": self._id, **parameters})


def _of_deliveries(wanted: DeliveryFilter) -> Mapping[str, object]:
    return {
        "channel": wanted.channel,
        "outcome": wanted.outcome,
        "since": wanted.since,
        "until": wanted.until,
    }


def _states(wanted: DeliveryFilter) -> list[str] | None:
    return None if wanted.states is None else [*wanted.states]


def _of_changes(wanted: ChangeFilter) -> Mapping[str, object]:
    return {
        "person": None if wanted.person is None else _containing(wanted.person),
        "actor": wanted.actor,
        "by_system": wanted.by_system,
        "chapter_id": wanted.chapter_id,
        "status": None if wanted.status is None else wanted.status.value,
        "reason": wanted.reason,
        "since": wanted.since,
        "until": wanted.until,
    }


def _containing(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
