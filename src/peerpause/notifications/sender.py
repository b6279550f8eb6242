"""Sends what is due, without end: takes deliveries, bundles them, brings them out side by side and writes down how it went.

One slow phone holds up nobody: deliveries are taken as room comes free, and settled in batches as they finish.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import structlog

from peerpause.errors import PeerPauseError
from peerpause.notifications.attempts import next_retry
from peerpause.notifications.bundles import Bundle, plan_pushes
from peerpause.notifications.carriers import Carrier
from peerpause.notifications.channels import TryAgain
from peerpause.notifications.dispatch import Delivery
from peerpause.notifications.due import DeliveryBook, DueDelivery, Settlement
from peerpause.notifications.outcomes import DispatchOutcome, DispatchResult, RecipientOutcome
from peerpause.notifications.recipients import Device
from peerpause.telemetry import Event, Metrics

IN_FLIGHT: Final = 400
"""Bundles one sender has under way at most; those waiting for a slow phone count too."""

_BATCH: Final = 200
_SKIPPED: Final = frozenset({DispatchOutcome.NO_TOKEN, DispatchOutcome.NOT_CONFIGURED})
# The rest of the lease is for writing down how it went, before another sender may take it for lost.
_SHARE_OF_LEASE: Final = 0.8

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
        """``now`` gives the aware time; ``jitter`` draws from 0 to 1."""
        self._channel = channel
        self._book = book
        self._carrier = carrier
        self._metrics = metrics
        self._now = now
        self._jitter = jitter
        self._under_way: set[asyncio.Task[RecipientOutcome]] = set()
        self._finished: list[tuple[Settlement, tuple[tuple[Device, str], ...]]] = []
        self._news = asyncio.Event()

    async def step(self) -> bool:
        """Settle what has finished, then take what is due as far as there is room. Tells whether there was anything to do."""
        self._news.clear()
        settled = await self._settle_finished()
        room = IN_FLIGHT - len(self._under_way)
        due = await self._book.take(self._channel, at_most=min(room, _BATCH)) if room > 0 else ()
        for bundle in await self._planned(due):
            self._start(bundle)
        return settled or bool(due)

    async def finish(self, *, within: float | None = None) -> None:
        """Wait for what is under way, ``within`` so many seconds, and settle it. The rest comes due again after its lease."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within)
        late = tuple(self._under_way)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
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

    async def send_now(self, due: Sequence[DueDelivery]) -> DispatchResult:
        """Send these deliveries, wait for them and settle them.

        Where the database is away by then, the answer is given all the same and settling is left to the next step.
        """
        bundles = await self._planned(due)
        outcomes = await asyncio.gather(*(self._bring_out(bundle) for bundle in bundles))
        try:
            await self._settle_finished()
        except PeerPauseError as error:
            _log.warning(Event.WORKER_INTERRUPTED, part="sender", error=error.code)
        return DispatchResult(tuple(outcomes))

    def _start(self, bundle: Bundle[DueDelivery]) -> None:
        task = asyncio.create_task(self._bring_out(bundle))
        self._under_way.add(task)
        task.add_done_callback(self._through)

    def _through(self, task: asyncio.Task[RecipientOutcome]) -> None:
        self._under_way.discard(task)
        self._news.set()

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
            (Settlement(each.delivery, "pending", not_before=each.until, untried=True), ())
            for each in plan.postponed
        ]
        return plan.bundles

    async def _bring_out(self, bundle: Bundle[DueDelivery]) -> RecipientOutcome:
        delivery = await self._carried(bundle)
        gone = delivery.gone
        for settlement in self._settlements(bundle, delivery):
            self._finished.append((settlement, gone))
            gone = ()
            self._report(settlement, delivery)
        return delivery.outcome

    async def _carried(self, bundle: Bundle[DueDelivery]) -> Delivery:
        try:
            async with asyncio.timeout(self._book.lease * _SHARE_OF_LEASE):
                return await self._carrier.carry(bundle)
        except TimeoutError:
            code = "TOO_SLOW"
        except Exception as error:  # a defect of ours: one recipient's trouble, never another's, and seen
            code = "BROKEN"
            for due in bundle.deliveries:
                _log.error(Event.DELIVERY_BROKEN, delivery_id=str(due.id), error=type(error).__name__)
        recipient_id = bundle.deliveries[0].recipient_id
        outcome = RecipientOutcome(recipient_id, DispatchOutcome.FAILED_AFTER_RETRIES, attempts=1, code=code)
        return Delivery(outcome, try_again=TryAgain(code))

    def _settlements(self, bundle: Bundle[DueDelivery], delivery: Delivery) -> Iterator[Settlement]:
        """What is written down of each; all of a bundle alike, so that it stays together when it is tried again."""
        outcome = delivery.outcome
        again = None
        if outcome.outcome is DispatchOutcome.SENT:
            state = "sent"
        elif delivery.try_again is not None:
            again = self._next_try(bundle, delivery.try_again)
            state = "expired" if again is None else "pending"
        else:
            state = "skipped" if outcome.outcome in _SKIPPED else "failed"
        for due in bundle.deliveries:
            yield Settlement(
                due,
                state,
                outcome.outcome,
                error_code=outcome.code,
                reference=delivery.reference,
                not_before=again,
            )

    def _next_try(self, bundle: Bundle[DueDelivery], reply: TryAgain) -> datetime | None:
        now = self._now()
        return next_retry(
            max(due.attempts for due in bundle.deliveries),
            reply=reply,
            first_failed_at=min(due.first_tried_at or now for due in bundle.deliveries),
            now=now,
            jitter=self._jitter(),
        )

    def _report(self, settlement: Settlement, delivery: Delivery) -> None:
        due = settlement.delivery
        self._metrics.delivery_settled(
            channel=self._channel, state=settlement.state, outcome=settlement.outcome
        )
        if settlement.state == "sent":
            self._metrics.told_after((self._now() - due.changed_at).total_seconds())
        if settlement.state == "pending" and delivery.outcome.outcome is DispatchOutcome.NOT_CONFIGURED:
            return  # the breaker has said it once for all of them
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
