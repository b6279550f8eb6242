"""Deliveries that are due, as the database hands them out, and what is written down of each when it is settled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from peerpause.database.session import Service, Sessions, Step
from peerpause.notifications.messages import Manner
from peerpause.notifications.payload import NotificationPayload
from peerpause.notifications.recipients import Device, devices_from

LEASE_SECONDS = 180
"""How long a sender may hold a delivery: longer than three attempts with their longest waits can take."""


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery somebody has taken to send. ``attempts`` counts calls, this one included; times are aware."""

    id: UUID
    organisation_id: UUID
    recipient_id: UUID
    mentor_id: UUID
    about_self: bool
    job_run_id: UUID | None
    summary_id: UUID | None
    attempts: int
    changed_at: datetime
    first_tried_at: datetime
    taken_at: datetime
    payload: NotificationPayload
    manner: Manner
    email: str | None
    devices: tuple[Device, ...]
    recently_sent: tuple[datetime, ...]

    def __repr__(self) -> str:
        """Ids only: a repr may end up in a log."""
        return f"DueDelivery(id={self.id!s})"


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a delivery: its new ``state`` (``pending`` where it is tried again at ``not_before``) and why."""

    delivery: DueDelivery
    state: str
    outcome: str | None = None
    error_code: str | None = None
    reference: str | None = None
    not_before: datetime | None = None


class DeliveryBook:
    """The delivery log as a work list: take what is due, tie together, settle. Safe for any number of senders at once."""

    def __init__(self, *, sessions: Sessions) -> None:
        self._sessions = sessions

    async def take(self, channel: str, *, limit: int, history_id: UUID | None = None) -> tuple[DueDelivery, ...]:
        """Take up to ``limit`` due deliveries of one channel, or those of one change. They come due again after the lease."""
        parameters = {"channel": channel, "limit": limit, "lease": LEASE_SECONDS, "history_id": history_id}
        rows = await self._sessions.call(Service(), "claim_due_deliveries", parameters)
        return tuple(_due(row) for row in rows)

    async def tie(self, groups: Sequence[tuple[DueDelivery, UUID]]) -> None:
        """Write down which deliveries go out as one, before they do."""
        rows = [
            {"id": str(due.id), "organisation_id": str(due.organisation_id), "summary_id": str(summary_id)}
            for due, summary_id in groups
        ]
        await self._sessions.call(Service(), "group_deliveries", {"groups": Jsonb(rows)})

    async def settle(
        self, settlements: Sequence[Settlement], *, gone: Sequence[tuple[Device, str]] = (), since: datetime
    ) -> None:
        """Write down how deliveries went and retire the devices that are gone, unless one has registered anew ``since``."""
        rows = [
            {
                "id": str(each.delivery.id),
                "organisation_id": str(each.delivery.organisation_id),
                "state": each.state,
                "outcome": each.outcome,
                "error_code": each.error_code,
                "reference": each.reference,
                "not_before": each.not_before and each.not_before.isoformat(),
            }
            for each in settlements
        ]
        steps = [Step("settle_deliveries", {"settlements": Jsonb(rows)})]
        if gone:
            tokens, reasons = [device.token for device, _ in gone], [code for _, code in gone]
            steps.append(Step("retire_device_tokens", {"tokens": tokens, "reasons": reasons, "since": since}))
        await self._sessions.call_all(Service(), *steps)


def _due(row: Mapping[str, Any]) -> DueDelivery:
    return DueDelivery(
        id=row["id"],
        organisation_id=row["organisation_id"],
        recipient_id=row["recipient_id"],
        mentor_id=row["mentor_id"],
        about_self=row["about_self"],
        job_run_id=row["job_run_id"],
        summary_id=row["summary_id"],
        attempts=row["attempts"],
        changed_at=row["changed_at"],
        first_tried_at=row["first_tried_at"],
        taken_at=row["taken_at"],
        payload=NotificationPayload.from_json(row["payload"]),
        manner=Manner(
            language=row["language"],
            about_self=row["about_self"],
            minimal=row["minimal"],
            role_word=row["role_word"],
        ),
        email=row["email"],
        devices=devices_from(row["devices"]),
        recently_sent=tuple(row["recently_sent"] or ()),
    )
