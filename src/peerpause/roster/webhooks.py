"""Tells organisations' websites of changes to their public rosters: takes what is due, sends it signed, writes down how it went.

A message names the chapter, the mentor and what happened, and where the roster can be read; it holds nothing of the roster itself,
so that one that arrives late cannot bring anybody back who has gone.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final, assert_never
from uuid import UUID

import structlog
from psycopg.types.json import Jsonb

from peerpause.database.session import Service, Sessions, Step
from peerpause.notifications.attempts import next_retry
from peerpause.notifications.channels import Channel, Delivered, Refused, TokenGone, TryAgain
from peerpause.notifications.channels.webhook import WebhookMessage
from peerpause.telemetry import Event, Metrics

GIVE_UP_AFTER: Final = timedelta(days=1)
"""How long after the first failure a message is still tried; afterwards the next change tells the website to read the roster."""

LEASE_SECONDS: Final = 60
"""How long a sender may hold a delivery: longer than one attempt can take."""

_PER_ENDPOINT: Final = 5
_CHANNEL: Final = "webhook"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DueWebhook:
    """A delivery somebody has taken to send. ``attempts`` counts this one too; times are aware."""

    id: UUID
    organisation_id: UUID
    endpoint_id: UUID
    event_id: UUID
    chapter_id: UUID
    mentor_id: UUID
    change: str
    found_at: datetime
    attempts: int
    first_tried_at: datetime
    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class WebhookSettlement:
    """What became of a delivery: ``pending`` where it is tried again at ``not_before``. ``gone``: the website wants no more."""

    delivery: DueWebhook
    state: str
    error_code: str | None = None
    not_before: datetime | None = None
    gone: bool = False


class WebhookBook:
    """The delivery log of webhooks as a work list. Safe for any number of senders at once."""

    def __init__(self, *, sessions: Sessions) -> None:
        self._sessions = sessions

    async def take(self, *, busy: Sequence[UUID] = ()) -> tuple[DueWebhook, ...]:
        """Take what is due, a few for each endpoint but the ``busy``. It comes due again after the lease."""
        parameters = {"per_endpoint": _PER_ENDPOINT, "lease": LEASE_SECONDS, "busy": list(busy)}
        rows = await self._sessions.call(Service(), "claim_webhook_deliveries", parameters)
        return tuple(_due(row) for row in rows)

    async def settle(self, settlements: Sequence[WebhookSettlement]) -> None:
        """Write down how deliveries went, and take endpoints out of service whose website is gone for good."""
        rows = [
            {
                "id": str(each.delivery.id),
                "organisation_id": str(each.delivery.organisation_id),
                "state": each.state,
                "error_code": each.error_code,
                "not_before": each.not_before and each.not_before.isoformat(),
            }
            for each in settlements
        ]
        gone = sorted({each.delivery.endpoint_id for each in settlements if each.gone})
        await self._sessions.call_all(
            Service(),
            Step("settle_webhook_deliveries", {"settlements": Jsonb(rows)}),
            *(Step("retire_webhook_endpoint", {"endpoint_id": endpoint_id}) for endpoint_id in gone),
        )


class WebhookSender:
    """Brings out what is due. Each endpoint has its own task, so that a slow website holds up no other."""

    def __init__(
        self,
        *,
        book: WebhookBook,
        channel: Channel[WebhookMessage],
        metrics: Metrics,
        public_url: str | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """``public_url`` is where visitors read rosters; without it messages hold no link."""
        self._book = book
        self._channel = channel
        self._metrics = metrics
        self._public_url = public_url
        self._now = now
        self._jitter = jitter
        self._under_way: dict[UUID, asyncio.Task[None]] = {}

    async def step(self) -> bool:
        """Take what is due and begin to send it. Tells whether there was anything."""
        due = await self._book.take(busy=tuple(self._under_way))
        ordered = sorted(due, key=lambda each: (str(each.endpoint_id), each.found_at))
        for endpoint_id, group in groupby(ordered, key=lambda each: each.endpoint_id):
            task = asyncio.create_task(self._bring_out(tuple(group)))
            self._under_way[endpoint_id] = task
            task.add_done_callback(self._through(endpoint_id))
        return bool(due)

    async def finish(self, *, within: float | None = None) -> None:
        """Wait for what is under way, ``within`` so many seconds. The rest comes due again after its lease."""
        tasks = tuple(self._under_way.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=within)
            for task in late:
                task.cancel()

    def _through(self, endpoint_id: UUID) -> Callable[[asyncio.Task[None]], None]:
        def through(task: asyncio.Task[None]) -> None:
            self._under_way.pop(endpoint_id, None)
            if not task.cancelled() and (error := task.exception()) is not None:
                # The deliveries come due again after their lease.
                _log.error(Event.DELIVERY_BROKEN, channel=_CHANNEL, error=type(error).__name__)

        return through

    async def _bring_out(self, group: Sequence[DueWebhook]) -> None:
        await self._book.settle(await asyncio.gather(*(self._send(due) for due in group)))

    async def _send(self, due: DueWebhook) -> WebhookSettlement:
        message = WebhookMessage(
            url=due.url,
            message_id=str(due.event_id),
            body=roster_changed(due, public_url=self._public_url),
            secrets=due.secrets,
        )
        reply = await self._channel.send(message)
        match reply:
            case Delivered():
                settlement = WebhookSettlement(due, "sent")
            case TryAgain():
                settlement = self._later(due, reply)
            case TokenGone(code=code):
                settlement = WebhookSettlement(due, "failed", code, gone=True)
            case Refused(code=code):
                settlement = WebhookSettlement(due, "failed", code)
            case _:
                assert_never(reply)
        self._report(settlement)
        return settlement

    def _later(self, due: DueWebhook, reply: TryAgain) -> WebhookSettlement:
        again = next_retry(
            due.attempts,
            reply=reply,
            first_failed_at=due.first_tried_at,
            now=self._now(),
            jitter=self._jitter(),
            horizon=GIVE_UP_AFTER,
        )
        return WebhookSettlement(due, "expired" if again is None else "pending", reply.code, not_before=again)

    def _report(self, settlement: WebhookSettlement) -> None:
        due = settlement.delivery
        self._metrics.delivery_settled(
            channel=_CHANNEL, state=settlement.state, outcome=settlement.error_code or settlement.state
        )
        level = _log.info if settlement.state == "sent" else _log.warning
        level(
            Event.DELIVERY_SETTLED,
            channel=_CHANNEL,
            delivery_id=str(due.id),
            endpoint_id=str(due.endpoint_id),
            chapter_id=str(due.chapter_id),
            state=settlement.state,
            error=settlement.error_code,
            attempt=due.attempts,
        )


def roster_changed(due: DueWebhook, *, public_url: str | None) -> str:
    """The message's body: what changed, for whom, and where the roster as it is now can be read."""
    data = {
        "organisation_id": str(due.organisation_id),
        "chapter_id": str(due.chapter_id),
        "mentor_id": str(due.mentor_id),
        "change": due.change,
    }
    if public_url is not None:
        data["roster_url"] = f"{public_url.rstrip('/')}/public/chapters/{due.chapter_id}/mentors.json"
    timestamp = due.found_at.astimezone(UTC).isoformat()
    return json.dumps({"type": "roster.changed", "timestamp": timestamp, "data": data}, separators=(",", ":"))


def _due(row: Mapping[str, Any]) -> DueWebhook:
    kept = {key: value for key, value in row.items() if key not in {"secret", "previous_secret"}}
    secrets = (row["secret"], row["previous_secret"])
    return DueWebhook(**kept, secrets=tuple(secret for secret in secrets if secret is not None))
