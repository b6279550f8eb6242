"""From history rows nobody has been told of to inbox entries and deliveries. The history is the outbox: there is no other queue."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import structlog

from peerpause.database.session import Service, Sessions
from peerpause.telemetry import Event

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FanOut:
    """What one pass made of the changes it took: counts, and the mentors for whom there was no coordinator, or nobody."""

    changes: int = 0
    inbox: int = 0
    deliveries: int = 0
    without_coordinator: tuple[UUID, ...] = ()
    without_anyone: tuple[UUID, ...] = ()


class Outbox:
    """Tells the changes that are waiting. Any number of them may work on one database at once."""

    def __init__(self, *, sessions: Sessions, public_url: str | None = None) -> None:
        """``public_url`` is where links in notices lead; without it they open the app."""
        self._sessions = sessions
        self._public_url = public_url

    async def tell_changes(self, *, at_most: int = 500, history_id: UUID | None = None) -> FanOut:
        """Turn up to so many untold changes, or only the one with this ``history_id``, into inbox entries and deliveries.

        One statement, one transaction: after a crash the changes it had taken are untold still. Raises ``Unavailable``.
        """
        parameters = {"at_most": at_most, "base_url": self._public_url, "history_id": history_id}
        (row,) = await self._sessions.call(Service(), "fan_out_changes", parameters)
        told = FanOut(
            changes=row["changes"],
            inbox=row["inbox"],
            deliveries=row["deliveries"],
            without_coordinator=tuple(row["without_coordinator"]),
            without_anyone=tuple(row["without_anyone"]),
        )
        for mentor_id in told.without_coordinator:
            _log.warning(Event.NO_COORDINATOR, mentor_id=str(mentor_id), told="admins")
        for mentor_id in told.without_anyone:
            _log.warning(Event.NO_COORDINATOR, mentor_id=str(mentor_id), told="nobody")
        return told
