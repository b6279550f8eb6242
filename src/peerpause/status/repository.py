"""Where a mentor's status is kept and changed: the contract, and its PostgreSQL form.

A repository acts for one caller; whom it may see and what it may change is decided in the database.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

from peerpause.database.session import Caller, Sessions, Step
from peerpause.errors import Conflict
from peerpause.status.records import (
    MentorCursor,
    MentorPage,
    StatusHistoryEntry,
    read_entry,
    read_moment,
    read_page,
    read_record,
    record_as_answered,
)
from peerpause.status.rules import MentorStatus, MentorStatusRecord

SMALLEST_STEP: Final = timedelta(microseconds=1)
"""The resolution of PostgreSQL's clock: `before` a moment plus this includes the moment."""


class MentorStatusRepository(Protocol):
    """Everything that can be asked about mentors' status, and every way to change it.

    A change gives the record as it is afterwards. With ``expected_updated_at``, the `updated_at` the caller last saw, it happens only
    if nothing has moved since. With ``idempotency_key`` a repeated request gets the first one's answer and changes nothing again.

    Every method raises MentorNotFound, PermissionDenied, InvalidArgument, and Unavailable when the database is away; a change
    besides these Conflict, InvalidTransition (of which AlreadyPaused, AlreadyActive) and CertificationExpired.
    """

    async def fetch_mentor_status(self, mentor_id: UUID) -> MentorStatusRecord:
        """Where the mentor stands."""

    async def fetch_active_mentors_for_chapter(
        self,
        chapter_id: UUID,
        *,
        search: str | None = None,
        limit: int = 50,
        after: MentorCursor | None = None,
    ) -> MentorPage:
        """The chapter's active mentors by name, those whose name contains ``search``; 1 to 500 of them from ``after`` on."""

    async def fetch_paused_mentors_for_chapter(
        self,
        chapter_id: UUID,
        *,
        search: str | None = None,
        limit: int = 50,
        after: MentorCursor | None = None,
    ) -> MentorPage:
        """The same of the paused ones."""

    async def fetch_status_history(
        self, mentor_id: UUID, limit: int = 50, before: datetime | None = None
    ) -> tuple[StatusHistoryEntry, ...]:
        """The mentor's changes, newest first, 1 to 500 of them from before a moment; page on with the last `changed_at`."""

    async def pause_mentor(
        self,
        mentor_id: UUID,
        reason: str,
        pause_at: datetime | None = None,
        expected_return_on: date | None = None,
        note: str | None = None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        """Pause now, or plan the pause where ``pause_at`` lies ahead: then the record is still active.

        ``expected_return_on`` is a day in the organisation's time zone.
        """

    async def reactivate_mentor(
        self,
        mentor_id: UUID,
        reason: str | None = None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        """Bring a paused mentor back."""

    async def deactivate_mentor(
        self,
        mentor_id: UUID,
        reason: str,
        note: str | None = None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        """Let an active or paused mentor leave for good."""

    async def update_mentor_status(
        self,
        mentor_id: UUID,
        new_status: MentorStatus,
        actor_id: UUID | None,
        reason: str | None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        """Make one legal move. A person names themselves as the actor; the service names anybody, or None for the system."""

    async def update_expected_return(
        self,
        mentor_id: UUID,
        expected_return_on: date | None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        """Change when a paused mentor is expected back, None for no day in sight. The pause goes on.

        A repeated request is answered with the record as it is now. Raises AlreadyActive where the pause is over.
        """

    async def cancel_scheduled_pause(self, mentor_id: UUID) -> bool:
        """Take back a pause that has not begun; tells whether there was one."""


class PostgresMentorStatusRepository:
    """The contract over PostgreSQL, one round trip a call."""

    def __init__(self, *, sessions: Sessions, caller: Caller) -> None:
        self._sessions = sessions
        self._caller = caller

    async def fetch_mentor_status(self, mentor_id: UUID) -> MentorStatusRecord:
        """See `MentorStatusRepository`."""
        (row,) = await self._sessions.call(self._caller, "read_mentor_status", {"mentor_id": mentor_id})
        return read_record(row)

    async def fetch_active_mentors_for_chapter(
        self,
        chapter_id: UUID,
        *,
        search: str | None = None,
        limit: int = 50,
        after: MentorCursor | None = None,
    ) -> MentorPage:
        """See `MentorStatusRepository`."""
        return await self._list(chapter_id, MentorStatus.ACTIVE, search, limit, after)

    async def fetch_paused_mentors_for_chapter(
        self,
        chapter_id: UUID,
        *,
        search: str | None = None,
        limit: int = 50,
        after: MentorCursor | None = None,
    ) -> MentorPage:
        """See `MentorStatusRepository`."""
        return await self._list(chapter_id, MentorStatus.PAUSED, search, limit, after)

    async def fetch_status_history(
        self, mentor_id: UUID, limit: int = 50, before: datetime | None = None
    ) -> tuple[StatusHistoryEntry, ...]:
        """See `MentorStatusRepository`."""
        rows = await self._sessions.call(
            self._caller, "read_mentor_history", {"mentor_id": mentor_id, "limit": limit, "before": before}
        )
        return tuple(read_entry(row) for row in rows)

    async def pause_mentor(
        self,
        mentor_id: UUID,
        reason: str,
        pause_at: datetime | None = None,
        expected_return_on: date | None = None,
        note: str | None = None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        """See `MentorStatusRepository`."""
        return await self._change(
            "pause_mentor",
            mentor_id,
            reason=reason,
            pause_at=pause_at,
            expected_return_on=expected_return_on,
            note=note,
            expected_updated_at=expected_updated_at,
            idempotency_key=idempotency_key,
        )

    async def reactivate_mentor(
        self,
        mentor_id: UUID,
        reason: str | None = None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        """See `MentorStatusRepository`."""
        return await self._change(
            "reactivate_mentor",
            mentor_id,
            reason=reason,
            expected_updated_at=expected_updated_at,
            idempotency_key=idempotency_key,
        )

    async def deactivate_mentor(
        self,
        mentor_id: UUID,
        reason: str,
        note: str | None = None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        """See `MentorStatusRepository`."""
        return await self._change(
            "deactivate_mentor",
            mentor_id,
            reason=reason,
            note=note,
            expected_updated_at=expected_updated_at,
            idempotency_key=idempotency_key,
        )

    async def update_mentor_status(
        self,
        mentor_id: UUID,
        new_status: MentorStatus,
        actor_id: UUID | None,
        reason: str | None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        """See `MentorStatusRepository`."""
        return await self._change(
            "update_mentor_status",
            mentor_id,
            new_status=str(new_status),
            actor_id=actor_id,
            reason=reason,
            expected_updated_at=expected_updated_at,
            idempotency_key=idempotency_key,
        )

    async def update_expected_return(
        self,
        mentor_id: UUID,
        expected_return_on: date | None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        """See `MentorStatusRepository`."""
        answers, (row,) = await self._sessions.call_all(
            self._caller,
            Step(
                "update_expected_return",
                {
                    "mentor_id": mentor_id,
                    "expected_return_on": expected_return_on,
                    "expected_updated_at": expected_updated_at,
                    "idempotency_key": idempotency_key,
                },
            ),
            Step("read_mentor_status", {"mentor_id": mentor_id}),
        )
        if not answers:
            raise lost_race(mentor_id)
        return read_record(row)

    async def cancel_scheduled_pause(self, mentor_id: UUID) -> bool:
        """See `MentorStatusRepository`."""
        (row,) = await self._sessions.call(self._caller, "cancel_scheduled_pause", {"mentor_id": mentor_id})
        return bool(row["cancelled"])

    async def _change(self, query: str, mentor_id: UUID, **parameters: object) -> MentorStatusRecord:
        """Change, and read what became of it, in one transaction: nobody comes in between."""
        answers, (row,) = await self._sessions.call_all(
            self._caller,
            Step(query, {"mentor_id": mentor_id, **parameters}),
            Step("read_mentor_status", {"mentor_id": mentor_id}),
        )
        if not answers:
            raise lost_race(mentor_id)
        record = read_record(row)
        answered_at = read_moment(answers[0]["updated_at"])
        if record.updated_at == answered_at:
            return record
        # The answer is an older one than the row: the request is a repetition, and others have changed the mentor since.
        (then,) = await self.fetch_status_history(mentor_id, limit=1, before=answered_at + SMALLEST_STEP)
        pause_at = parameters.get("pause_at")
        return record_as_answered(
            record, then, answer=answers[0], pause_at=pause_at if isinstance(pause_at, datetime) else None
        )

    async def _list(
        self,
        chapter_id: UUID,
        status: MentorStatus,
        search: str | None,
        limit: int,
        after: MentorCursor | None,
    ) -> MentorPage:
        parameters: dict[str, Any] = {
            "chapter_id": chapter_id,
            "status": str(status),
            "search": search,
            "limit": limit,
            "after_name": after and after.display_name,
            "after_id": after and after.mentor_id,
        }
        rows = await self._sessions.call(self._caller, "list_chapter_mentors", parameters)
        return read_page(rows, limit=limit)


def lost_race(mentor_id: UUID) -> Conflict:
    """The conflict of somebody whose view of the mentor was out of date."""
    return Conflict(
        "The mentor's status has moved on since it was read; nothing was changed.",
        detail={"mentor_id": str(mentor_id)},
        hint="Load the status again and decide anew.",
    )
