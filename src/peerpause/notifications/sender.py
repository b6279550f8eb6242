"""Sends what is due, without end: takes deliveries, bundles them, brings them out side by side and writes down how it went.

One slow phone holds up nobody: deliveries are taken as room comes free, and settled in batches as they finish.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import structlog

from peerpause.notifications.attempts import next_retry
from peerpause.notifications.bundles import Bundle, plan_pushes
from peerpause.notifications.carriers import Carrier
from peerpause.notifications.dispatch import Delivery
from peerpause.notifications.due import DeliveryBook, DueDelivery, Settlement
from peerpause.notifications.outcomes import DispatchOutcome, DispatchResult, RecipientOutcome
from peerpause.notifications.recipients import Device
from peerpause.telemetry import Event, Metrics

IN_FLIGHT: Final = 400
"""Bundles one sender has under way at most; those waiting for a slow phone count too."""

_BATCH: Final = 200
_SKIPPED: Final = frozenset({DispatchOutcome.NO_TOKEN, DispatchOutcome.NOT_CONFIGURED})

_log = structlog.get_logger(__name__)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Sender:
    """Brings out what is due on one channel. Several may work on one database: each delivery is taken by one at a time."""

    def __init__(
        self,
        *,
        channel: str,
        book: DeliveryBook,
        carrier: Carrier,
        metrics: Metrics,
        now: Callable[[], datetime] = _utc_now,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._channel = channel
        self._book = book
        self._carrier = carrier
        self._metrics = metrics
        self._now = now
        self._jitter = jitter
        self._under_way: set[asyncio.Task[Sequence[RecipientOutcome]]] = set()
        self._finished: list[tuple[Settlement, tuple[tuple[Device, str], ...]]] = []
        self._news = asyncio.Event()

    async def step(self) -> bool:
        """Settle what has finished, then take what is due as far as there is room. Tells whether there was anything to do."""
        settled = await self._settle_finished()
        room = IN_FLIGHT - len(self._under_way)
        due = await self._book.take(self._channel, limit=min(room, _BATCH)) if room > 0 else ()
        for bundle in await self._planned(due):
            self._start(bundle)
        return settled or bool(due)

    async def finish(self, *, within: float | None = None) -> None:
        """Wait for what is under way, ``within`` so many seconds, and settle it. The rest comes due again after its lease."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within)
        for task in tuple(self._under_way):
            task.cancel()
        await self._settle_finished()

    def wake(self) -> None:
        """Say that there may be something to take."""
        self._news.set()

    async def wait_for_news(self, seconds: float) -> None:
        """Sleep until woken or until something under way is through, at most ``seconds``."""
        if self._finished:
            return
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return

    async def send_change(self, due: Sequence[DueDelivery]) -> DispatchResult:
        """Send these deliveries now, wait for them and settle them."""
        bundles = await self._planned(due)
        outcomes = await asyncio.gather(*(self._bring_out(bundle) for bundle in bundles))
        await self._settle_finished()
        return DispatchResult(tuple(each for group in outcomes for each in group))

    def _start(self, bundle: Bundle[DueDelivery]) -> None:
        task = asyncio.create_task(self._bring_out(bundle))
        self._under_way.add(task)
        task.add_done_callback(self._through)

    def _through(self, task: asyncio.Task[Sequence[RecipientOutcome]]) -> None:
        self._under_way.discard(task)
        self._news.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # The delivery comes due again after its lease; its ids are in the log of that try.
            _log.error(Event.DELIVERY_BROKEN, error=type(error).__name__)

    async def _planned(self, due: Sequence[DueDelivery]) -> Sequence[Bundle[DueDelivery]]:
        if not due:
            return ()
        plan = plan_pushes(due, now=self._now())
        ties = [
            (each, bundle.summary_id)
            for bundle in plan.bundles
            for each in bundle.deliveries
            if bundle.summary_id is not None and each.summary_id is None
        ]
        ties += [(each.delivery, each.summary_id) for each in plan.postponed]
        if ties:
            await self._book.tie(ties)
        self._finished += [
            (Settlement(each.delivery, "pending", not_before=each.until), ()) for each in plan.postponed
        ]
        return plan.bundles

    async def _bring_out(self, bundle: Bundle[DueDelivery]) -> Sequence[RecipientOutcome]:
        delivery = await self._carrier.carry(bundle)
        for position, due in enumerate(bundle.deliveries):
            settlement = self._settlement(due, delivery)
            self._finished.append((settlement, delivery.gone if position == 0 else ()))
            self._report(settlement, delivery)
        return [delivery.outcome]

    def _settlement(self, due: DueDelivery, delivery: Delivery) -> Settlement:
        outcome = delivery.outcome
        if outcome.outcome is DispatchOutcome.SENT:
            return Settlement(due, "sent", outcome.outcome, reference=delivery.reference)
        if delivery.try_again is not None:
            again = next_retry(
                due.attempts,
                reply=delivery.try_again,
                first_failed_at=due.first_tried_at,
                now=self._now(),
                jitter=self._jitter(),
            )
            state = "expired" if again is None else "pending"
            return Settlement(due, state, outcome.outcome, error_code=outcome.code, not_before=again)
        state = "skipped" if outcome.outcome in _SKIPPED else "failed"
        return Settlement(due, state, outcome.outcome, error_code=outcome.code)

    def _report(self, settlement: Settlement, delivery: Delivery) -> None:
        due = settlement.delivery
        seconds = (self._now() - due.changed_at).total_seconds()
        self._metrics.delivery_settled(channel=self._channel, state=settlement.state, outcome=settlement.outcome)
        if settlement.state == "sent":
            self._metrics.told_after(seconds)
        # A delivery that fails is worth a warning; it never failed the change.
        level = _log.warning if settlement.state in {"failed", "expired"} else _log.info
        level(
            Event.DELIVERY_SETTLED,
            delivery_id=str(due.id),
            mentor_id=str(due.mentor_id),
            recipient_id=str(due.recipient_id),
            transition=f"{due.payload.previous_status}->{due.payload.new_status}",
            channel=self._channel,
            state=settlement.state,
            outcome=settlement.outcome,
            error=settlement.error_code,
            attempt=due.attempts,
            milliseconds=delivery.elapsed_ms,
            reference=settlement.reference,
        )

    async def _settle_finished(self) -> bool:
        self._news.clear()
        finished, self._finished = self._finished, []
        if not finished:
            return False
        since = min(settlement.delivery.taken_at for settlement, _ in finished)
        gone = [each for _, devices in finished for each in devices]
        try:
            await self._book.settle([settlement for settlement, _ in finished], gone=gone, since=since)
        except BaseException:
            self._finished = finished + self._finished
            raise
        return True
