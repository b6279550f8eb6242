"""Deliveries that are due, as the database hands them out, and what is written down of each when it is settled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from psycopg.types.json import Jsonb

from peerpause.database.session import Service, Sessions, Step
from peerpause.notifications.messages import Manner
from peerpause.notifications.outcomes import DispatchOutcome, RecipientOutcome
from peerpause.notifications.payload import NotificationPayload
from peerpause.notifications.recipients import Device, devices_from
from peerpause.telemetry import Event

LEASE_SECONDS: Final = 180.0
"""How long a sender may hold a delivery: longer than three attempts with their longest waits can take."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery somebody has taken to send. ``attempts`` counts calls, this one included; times are aware.

    ``first_tried_at`` is when the first call ended without success, ``None`` before that.
    """

    id: UUID
    organisation_id: UUID
    recipient_id: UUID
    mentor_id: UUID
    about_self: bool
    job_run_id: UUID | None
    summary_id: UUID | None
    attempts: int
    changed_at: datetime
    first_tried_at: datetime | None
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
    """What became of a delivery: its new ``state`` (``pending`` where it is tried again at ``not_before``) and why.

    ``untried`` means that it was only put off, without a call.
    """

    delivery: DueDelivery
    state: str
    outcome: str | None = None
    error_code: str | None = None
    reference: str | None = None
    not_before: datetime | None = None
    untried: bool = False


class DeliveryBook:
    """The delivery log as a work list: take what is due, tie together, settle. Safe for any number of senders at once."""

    def __init__(self, *, sessions: Sessions, lease: float = LEASE_SECONDS) -> None:
        """``lease`` is for how many seconds a delivery belongs to whoever took it."""
        self._sessions = sessions
        self.lease = lease

    async def take(
        self, channel: str, *, at_most: int, history_id: UUID | None = None
    ) -> tuple[DueDelivery, ...]:
        """Take what is due on one channel, or the part of it that tells one change. It comes due again after the lease.

        ``at_most`` due deliveries choose the people; of each of them everything that is due is taken, so it may be more.
        One whose payload cannot be read is settled as failed, so that it holds nobody up.
        """
        parameters = {
            "channel": channel,
            "at_most": at_most,
            "lease": self.lease,
            "history_id": history_id,
        }
        rows = await self._sessions.call(Service(), "claim_due_deliveries", parameters)
        due, unreadable = [], []
        for row in rows:
            try:
                due.append(_due(row))
            except ValueError:
                unreadable.append(row)
        if unreadable:
            await self._give_up(unreadable)
        return tuple(due)

    async def outcomes(self, history_id: UUID) -> tuple[RecipientOutcome, ...]:
        """How the pushes of one change have gone so far; those still to be sent are not in it."""
        rows = await self._sessions.call(Service(), "push_outcomes", {"history_id": history_id})
        return tuple(
            RecipientOutcome(
                row["recipient_id"], DispatchOutcome(row["outcome"]), row["attempts"], row["error_code"]
            )
            for row in rows
        )

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
        steps = [Step("settle_deliveries", {"settlements": Jsonb([_written(each) for each in settlements])})]
        if gone:
            tokens, reasons = [device.token for device, _ in gone], [code for _, code in gone]
            steps.append(Step("retire_device_tokens", {"tokens": tokens, "reasons": reasons, "since": since}))
        await self._sessions.call_all(Service(), *steps)

    async def _give_up(self, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            _log.error(Event.DELIVERY_BROKEN, delivery_id=str(row["id"]), error="UNREADABLE_PAYLOAD")
        settlements = [
            {
                **_key(row["id"], row["organisation_id"], row["attempts"]),
                "state": "failed",
                "outcome": DispatchOutcome.FAILED_AFTER_RETRIES,
                "error_code": "UNREADABLE_PAYLOAD",
                "untried": False,
            }
            for row in rows
        ]
        await self._sessions.call(Service(), "settle_deliveries", {"settlements": Jsonb(settlements)})


def _key(delivery_id: UUID, organisation_id: UUID, attempts: int) -> dict[str, Any]:
    # The number of attempts says whose turn it is: whoever takes the delivery next, counts it up.
    return {"id": str(delivery_id), "organisation_id": str(organisation_id), "attempts": attempts}


def _written(settlement: Settlement) -> dict[str, Any]:
    due = settlement.delivery
    return {
        **_key(due.id, due.organisation_id, due.attempts),
        "state": settlement.state,
        "outcome": settlement.outcome,
        "error_code": settlement.error_code,
        "reference": settlement.reference,
        "not_before": settlement.not_before and settlement.not_before.isoformat(),
        "untried": settlement.untried,
    }


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
