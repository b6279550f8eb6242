"""The delivery log as operators use it: look up how deliveries went, and let failed ones start over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from peerpause.database.session import Service, Sessions

STATES: Final = ("pending", "sent", "skipped", "failed", "expired")
"""Every state a delivery can be in."""


@dataclass(frozen=True, slots=True)
class LoggedDelivery:
    """One delivery: ids, codes and times (aware), nothing personal. ``not_before`` is when a pending one is due."""

    id: UUID
    organisation_id: UUID
    mentor_id: UUID
    recipient_id: UUID
    channel: str
    event: str
    state: str
    outcome: str | None
    error_code: str | None
    attempts: int
    changed_at: datetime
    not_before: datetime
    first_tried_at: datetime | None
    settled_at: datetime | None
    summary_id: UUID | None
    reference: str | None


class DeliveryLog:
    """The log of one database, over all its organisations."""

    def __init__(self, *, sessions: Sessions) -> None:
        self._sessions = sessions

    async def list(
        self, *, states: Sequence[str] | None = None, mentor_id: UUID | None = None, at_most: int = 50
    ) -> tuple[LoggedDelivery, ...]:
        """The newest deliveries, of these states and about this mentor where given. Raises ``Unavailable``."""
        parameters = {
            "states": None if states is None else list(states),
            "mentor_id": mentor_id,
            "at_most": at_most,
        }
        rows = await self._sessions.call(Service(), "list_deliveries", parameters)
        return tuple(LoggedDelivery(**row) for row in rows)

    async def retry(self, ids: Sequence[UUID] | None = None) -> tuple[UUID, ...]:
        """Let these start over, or with ``None`` all that failed or expired; answers those that will be tried.

        What was sent, and what its recipient does not want, is left alone. Raises ``Unavailable``.
        """
        parameters = {"ids": None if ids is None else [*ids]}
        rows = await self._sessions.call(Service(), "retry_deliveries", parameters)
        if rows:
            await self._sessions.call(Service(), "ring_outbox")
        return tuple(row["id"] for row in rows)


@asynccontextmanager
async def delivery_log(database_url: str) -> AsyncIterator[DeliveryLog]:
    """The log of the database at this address, for a command that needs nothing else."""
    async with Sessions(url=database_url, size=2) as sessions:
        yield DeliveryLog(sessions=sessions)
