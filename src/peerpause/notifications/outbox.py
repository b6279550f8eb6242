"""From history rows nobody has been told of to inbox entries and deliveries. The history is the outbox: there is no other queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from peerpause.database.session import Row, Service, Sessions, Step
from peerpause.telemetry import Event

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FanOut:
    """What one pass made of the changes it took: counts, and the mentors for whom there was no coordinator, or nobody."""

    changes: int = 0
    notices: int = 0
    inbox: int = 0
    deliveries: int = 0
    without_coordinator: tuple[UUID, ...] = ()
    without_anyone: tuple[UUID, ...] = ()

    @property
    def anything(self) -> bool:
        """Whether there was anything to tell, so that there may be more."""
        return self.changes + self.notices > 0


class Outbox:
    """Tells the changes that are waiting. Any number of them may work on one database at once."""

    def __init__(self, *, sessions: Sessions, public_url: str | None = None) -> None:
        """``public_url`` is where links in notices lead; without it they open the app."""
        self._sessions = sessions
        self._public_url = public_url

    async def tell_changes(self, *, at_most: int = 500, history_id: UUID | None = None) -> FanOut:
        """Turn up to so many untold changes, or only the one with this ``history_id``, into inbox entries and deliveries.

        Notices that no change caused (reminders) go along, unless it is about one change only. One transaction: after a crash what
        it had taken is untold still. Raises ``Unavailable``.
        """
        parameters = {"at_most": at_most, "base_url": self._public_url, "history_id": history_id}
        steps = [Step("fan_out_changes", parameters)]
        if history_id is None:
            steps.append(Step("fan_out_notices", {"at_most": at_most, "base_url": self._public_url}))
        told = _summed_up([row for (row,) in await self._sessions.call_all(Service(), *steps)])
        if history_id is None and not told.anything:
            # By itself, for it locks ends of audit chains, which the telling locks too, in another order; and in quiet moments.
            await self._sessions.call(Service(), "chain_waiting", {"at_most": at_most})
        for mentor_id in told.without_coordinator:
            _log.warning(Event.NO_COORDINATOR, mentor_id=str(mentor_id), told="admins")
        for mentor_id in told.without_anyone:
            _log.warning(Event.NO_COORDINATOR, mentor_id=str(mentor_id), told="nobody")
        return told


def _summed_up(rows: Sequence[Row]) -> FanOut:
    return FanOut(
        changes=sum(row.get("changes", 0) for row in rows),
        notices=sum(row.get("notices", 0) for row in rows),
        inbox=sum(row["inbox"] for row in rows),
        deliveries=sum(row["deliveries"] for row in rows),
        without_coordinator=_each_once(rows, "without_coordinator"),
        without_anyone=_each_once(rows, "without_anyone"),
    )


def _each_once(rows: Sequence[Row], column: str) -> tuple[UUID, ...]:
    return tuple(dict.fromkeys(mentor_id for row in rows for mentor_id in row[column]))
