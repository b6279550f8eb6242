"""What people and programs do with a mentor's status: ask, pause, come back, leave.

The database judges; this refuses early what is wrong by itself, tries again where a race was lost that nobody asked to be told of, and
wakes whoever tells the coordinators.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from peerpause.errors import Conflict, InvalidArgument, InvalidTransition
from peerpause.status.records import StatusHistoryEntry
from peerpause.status.repository import MentorStatusRepository
from peerpause.status.rules import MAX_NOTE_LENGTH, MentorStatus, MentorStatusRecord, ReasonCode
from peerpause.telemetry import Event

RETRIES: Final = 3
"""How often a change is tried again after a lost race."""

_log = structlog.get_logger(__name__)

# Where the calendar is furthest behind. A day that is over there is over everywhere.
_LAST_ZONE: Final = timedelta(hours=-12)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class MentorStatusService:
    """Changes and answers for the repository's caller.

    ``wake_outbox`` is called after each change that succeeded. What it answers, how long it takes and whether it fails is nothing to
    the change: an awaitable runs beside it, a failure is logged. ``now`` gives the time with its zone.

    Methods raise what `MentorStatusRepository` raises, Unavailable when the database is away.
    """

    def __init__(
        self,
        *,
        repository: MentorStatusRepository,
        wake_outbox: Callable[[], Awaitable[None] | None] | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._repository = repository
        self._wake_outbox = wake_outbox
        self._now = now
        self._waking: set[asyncio.Task[None]] = set()

    async def pause_mentor(
        self,
        mentor_id: UUID,
        reason: str | None,
        *,
        pause_at: datetime | None = None,
        expected_return_on: date | None = None,
        note: str | None = None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        """Pause a mentor now, or plan it: see `MentorStatusRepository.pause_mentor`."""
        reason = _required_reason(reason)
        _refuse_long(note)
        _refuse_without_zone("pause_at", pause_at)
        _refuse_without_zone("expected_updated_at", expected_updated_at)
        self._refuse_past(expected_return_on)
        return await self._change(
            lambda: self._repository.pause_mentor(
                mentor_id, reason, pause_at, expected_return_on, note, expected_updated_at, idempotency_key
            ),
            mentor_id=mentor_id,
            to=MentorStatus.PAUSED,
            may_retry=expected_updated_at is None,
        )

    async def reactivate_mentor(
        self,
        mentor_id: UUID,
        *,
        reason: str | None = None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        """Bring a paused mentor back; a reason may be given."""
        reason = None if reason is None else _required_reason(reason)
        _refuse_without_zone("expected_updated_at", expected_updated_at)
        return await self._change(
            lambda: self._repository.reactivate_mentor(
                mentor_id, reason, expected_updated_at, idempotency_key
            ),
            mentor_id=mentor_id,
            to=MentorStatus.ACTIVE,
            may_retry=expected_updated_at is None,
        )

    async def deactivate_mentor(
        self,
        mentor_id: UUID,
        reason: str | None,
        *,
        note: str | None = None,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        """Let an active or paused mentor leave for good."""
        reason = _required_reason(reason)
        _refuse_long(note)
        _refuse_without_zone("expected_updated_at", expected_updated_at)
        return await self._change(
            lambda: self._repository.deactivate_mentor(
                mentor_id, reason, note, expected_updated_at, idempotency_key
            ),
            mentor_id=mentor_id,
            to=MentorStatus.INACTIVE,
            may_retry=expected_updated_at is None,
        )

    async def update_expected_return(
        self,
        mentor_id: UUID,
        expected_return_on: date | None,
        *,
        expected_updated_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> MentorStatusRecord:
        """Change when a paused mentor is expected back, while the pause goes on; None for no day in sight.

        The status stays, so nobody is notified; reminders follow the new day.
        """
        _refuse_without_zone("expected_updated_at", expected_updated_at)
        self._refuse_past(expected_return_on)
        return await self._repository.update_expected_return(
            mentor_id, expected_return_on, expected_updated_at, idempotency_key
        )

    async def get_mentor_status(self, mentor_id: UUID) -> MentorStatusRecord:
        """Where the mentor stands."""
        return await self._repository.fetch_mentor_status(mentor_id)

    async def history(
        self, mentor_id: UUID, *, limit: int = 50, before: datetime | None = None
    ) -> tuple[StatusHistoryEntry, ...]:
        """The mentor's changes, newest first, 1 to 500 of them from before a moment; page on with the last `changed_at`."""
        _refuse_without_zone("before", before)
        return await self._repository.fetch_status_history(mentor_id, limit, before)

    async def cancel_scheduled_pause(self, mentor_id: UUID) -> bool:
        """Take back a pause that has not begun; tells whether there was one."""
        return await self._repository.cancel_scheduled_pause(mentor_id)

    async def close(self) -> None:
        """Wait for the calls of ``wake_outbox`` that are under way."""
        if self._waking:
            await asyncio.wait(self._waking)

    async def _change(
        self,
        attempt: Callable[[], Awaitable[MentorStatusRecord]],
        *,
        mentor_id: UUID,
        to: MentorStatus,
        may_retry: bool,
    ) -> MentorStatusRecord:
        retries = RETRIES if may_retry else 0
        while True:
            try:
                record = await attempt()
            except InvalidTransition:
                raise  # Already there, or no such move: trying again changes nothing.
            except Conflict:
                if retries == 0:
                    raise
                retries -= 1
                _log.info(Event.STATUS_RETRIED, mentor_id=str(mentor_id), to=to.value)
            else:
                self._wake(record)
                return record

    def _wake(self, record: MentorStatusRecord) -> None:
        if self._wake_outbox is None:
            return
        try:
            waking = self._wake_outbox()
        except Exception as error:  # whatever it is, the change has been made
            _warn(record, error)
            return
        if inspect.isawaitable(waking):
            task = asyncio.ensure_future(_finish(waking, record))
            # Held, for the event loop does not hold it.
            self._waking.add(task)
            task.add_done_callback(self._waking.discard)

    def _refuse_past(self, day: date | None) -> None:
        if day is not None and day < (self._now().astimezone(UTC) + _LAST_ZONE).date():
            raise InvalidArgument(
                "The expected return date lies in the past.",
                hint="Give today or a later day, or none.",
                field="expected_return_on",
            )


async def _finish(waking: Awaitable[None], record: MentorStatusRecord) -> None:
    try:
        await waking
    except Exception as error:  # whatever it is, the change has been made
        _warn(record, error)


def _warn(record: MentorStatusRecord, error: Exception) -> None:
    _log.warning(
        Event.OUTBOX_WAKE_FAILED,
        mentor_id=str(record.mentor_id),
        transition=f"{record.previous_status}->{record.status}",
        error=type(error).__name__,
    )


def _required_reason(reason: str | None) -> str:
    if reason is None or not reason.strip():
        raise InvalidArgument("A reason is required.", hint=_REASONS, field="reason")
    if reason not in _KNOWN_REASONS:
        # The word itself is not repeated: it may be somebody's free text.
        raise InvalidArgument(
            "There is no such reason.", hint=f"{_REASONS} Free text belongs into the note.", field="reason"
        )
    return reason


def _refuse_long(note: str | None) -> None:
    if note is not None and len(note.strip()) > MAX_NOTE_LENGTH:
        raise InvalidArgument(
            f"The note is longer than {MAX_NOTE_LENGTH} characters.", hint="Shorten it.", field="note"
        )


def _refuse_without_zone(name: str, moment: datetime | None) -> None:
    if moment is not None and moment.utcoffset() is None:
        raise InvalidArgument(
            f"{name} has no time zone.", hint="Give it one, for example +00:00.", field=name
        )


_KNOWN_REASONS: Final = frozenset(code.value for code in ReasonCode)
_REASONS: Final = f"Give one of: {', '.join(ReasonCode)}."
