"""Brings notices to people's devices: all devices of a person, many people at once, none of them in another's way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, assert_never
from uuid import UUID

import structlog

from peerpause.errors import InvalidArgument
from peerpause.notifications.attempts import AttemptPolicy, AttemptResult, attempt
from peerpause.notifications.breaker import SENDER_MISMATCH, Breaker, GuardedChannel
from peerpause.notifications.channels import Channel, ChannelReply, Delivered, Refused, TokenGone, TryAgain
from peerpause.notifications.channels.fcm_message import PushMessage
from peerpause.notifications.messages import Notice
from peerpause.notifications.outcomes import DispatchOutcome, RecipientOutcome
from peerpause.notifications.recipients import Device
from peerpause.telemetry import Event

MOST_AT_ONCE: Final = 100
"""Calls under way at the same time through one dispatcher; waiting between attempts takes up no place."""

UNSET_RETRY: Final = 60.0
"""Seconds until a delivery is tried again that failed because of our own set-up."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A notice and the person it is for, with all their devices."""

    user_id: UUID
    devices: tuple[Device, ...]
    notice: Notice


@dataclass(frozen=True, slots=True)
class Delivery:
    """How one parcel went.

    ``try_again`` is set where a later try makes sense. ``gone`` are devices that will never answer again, each with Google's
    code. ``reference`` is FCM's name of the message, ``elapsed_ms`` how long the calls took.
    """

    outcome: RecipientOutcome
    reference: str | None = None
    try_again: TryAgain | None = None
    gone: tuple[tuple[Device, str], ...] = ()
    elapsed_ms: int = 0


class PushDispatcher:
    """Sends parcels through one push channel. Without a channel every parcel ends as ``not_configured``.

    A channel that says our own credentials are at fault is asked no more for a while: the rest would only repeat it.
    """

    def __init__(
        self,
        *,
        channel: Channel[PushMessage] | None,
        policy: AttemptPolicy | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        at_once: int = MOST_AT_ONCE,
    ) -> None:
        """``sleep`` waits seconds and ``clock`` counts monotonic seconds."""
        self._policy = policy
        self._sleep = sleep
        self._clock = clock
        self._breaker = Breaker("push", clock=clock)
        self._channel = channel and GuardedChannel[PushMessage](
            channel, breaker=self._breaker, at_once=at_once
        )

    @property
    def is_configured(self) -> bool:
        """Whether there is a channel at all."""
        return self._channel is not None

    async def deliver(self, parcel: Parcel) -> Delivery:
        """Bring one parcel to all of the person's devices at once. Never raises for what the other side does."""
        if self._channel is None:
            return Delivery(RecipientOutcome(parcel.user_id, DispatchOutcome.NOT_CONFIGURED))
        if not parcel.devices:
            return Delivery(RecipientOutcome(parcel.user_id, DispatchOutcome.NO_TOKEN))
        if (code := self._breaker.open_because) is not None:
            return unset(parcel.user_id, code)
        channel = self._channel
        results = await asyncio.gather(*(self._attempt(channel, parcel, each) for each in parcel.devices))
        return self._judged(parcel, results)

    async def deliver_all(self, parcels: Sequence[Parcel]) -> tuple[Delivery, ...]:
        """Bring many parcels to many people, side by side; the answers come in the order of the parcels."""
        return tuple(await asyncio.gather(*(self.deliver(parcel) for parcel in parcels)))

    async def _attempt(self, channel: Channel[PushMessage], parcel: Parcel, device: Device) -> AttemptResult:
        try:
            message = parcel.notice.to(device)
        except InvalidArgument:
            # What Google would refuse; the person's other devices are reached all the same.
            return AttemptResult(Refused("INVALID_MESSAGE"), attempts=0, elapsed_ms=0)
        return await attempt(channel, message, policy=self._policy, sleep=self._sleep, clock=self._clock)

    def _judged(self, parcel: Parcel, results: Sequence[AttemptResult]) -> Delivery:
        """Make one outcome of all devices' replies: one that took it is enough, then the most hopeful reply counts."""
        reply = min((result.reply for result in results), key=_hope)
        attempts = max(result.attempts for result in results)
        elapsed_ms = max(result.elapsed_ms for result in results)
        keeps_mismatches = self._breaker.open_because == SENDER_MISMATCH
        gone = tuple(
            (device, result.reply.code)
            for device, result in zip(parcel.devices, results, strict=True)
            if isinstance(result.reply, TokenGone)
            and not (keeps_mismatches and result.reply.code == SENDER_MISMATCH)
        )

        def told(outcome: DispatchOutcome, code: str | None) -> RecipientOutcome:
            return RecipientOutcome(parcel.user_id, outcome, attempts=attempts, code=code)

        match reply:
            case Delivered(reference):
                sent = told(DispatchOutcome.SENT, None)
                return Delivery(sent, reference=reference, gone=gone, elapsed_ms=elapsed_ms)
            case TryAgain(code):
                failed = told(DispatchOutcome.FAILED_AFTER_RETRIES, code)
                return Delivery(failed, try_again=reply, gone=gone, elapsed_ms=elapsed_ms)
            case Refused(code, misconfigured=True):
                return unset(parcel.user_id, code, attempts=attempts, gone=gone, elapsed_ms=elapsed_ms)
            case Refused(code):
                _log.error(Event.PUSH_REFUSED, recipient_id=str(parcel.user_id), code=code)
                failed = told(DispatchOutcome.FAILED_AFTER_RETRIES, code)
                return Delivery(failed, gone=gone, elapsed_ms=elapsed_ms)
            case TokenGone(code) if code == SENDER_MISMATCH and keeps_mismatches:
                return unset(parcel.user_id, code, attempts=attempts, gone=gone, elapsed_ms=elapsed_ms)
            case TokenGone(code):
                retired = told(DispatchOutcome.TOKEN_RETIRED, code)
                return Delivery(retired, gone=gone, elapsed_ms=elapsed_ms)
            case _:
                assert_never(reply)


def unset(
    user_id: UUID,
    code: str,
    *,
    attempts: int = 0,
    gone: tuple[tuple[Device, str], ...] = (),
    elapsed_ms: int = 0,
) -> Delivery:
    """Our set-up is at fault. Once somebody has mended it a later try will work, so the delivery stays alive."""
    outcome = RecipientOutcome(user_id, DispatchOutcome.NOT_CONFIGURED, attempts=attempts, code=code)
    again = TryAgain(code, after=UNSET_RETRY)
    return Delivery(outcome, try_again=again, gone=gone, elapsed_ms=elapsed_ms)


def _hope(reply: ChannelReply) -> int:
    match reply:
        case Delivered():
            return 0
        case TryAgain():
            return 1
        case Refused():
            return 2
        case TokenGone():
            return 3
        case _:
            assert_never(reply)
