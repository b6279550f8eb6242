"""Brings notices to people's devices: all devices of a person, many people at once, none of them in another's way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, assert_never
from uuid import UUID

import structlog

from peerpause.notifications.attempts import AttemptPolicy, AttemptResult, attempt
from peerpause.notifications.channels import Channel, ChannelReply, Delivered, Refused, TokenGone, TryAgain
from peerpause.notifications.channels.fcm_message import PushMessage
from peerpause.notifications.messages import Notice
from peerpause.notifications.outcomes import DispatchOutcome, RecipientOutcome
from peerpause.notifications.recipients import Device
from peerpause.telemetry import Event

MOST_AT_ONCE: Final = 100
"""People served at the same time by one dispatcher."""

_MISMATCH: Final = "SENDER_ID_MISMATCH"
_MISMATCHES_THAT_MEAN_US: Final = 5
# Apple's or the browsers' key is missing in the Firebase project; Android phones are reached all the same.
_ONE_PLATFORM_ONLY: Final = "THIRD_PARTY_AUTH_ERROR"

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
        pause_when_misconfigured: float = 60.0,
    ) -> None:
        """``sleep`` waits seconds and ``clock`` counts monotonic seconds; ``pause_when_misconfigured`` is in seconds."""
        self._channel = channel
        self._policy = policy
        self._sleep = sleep
        self._clock = clock
        self._slots = asyncio.Semaphore(at_once)
        self._pause = pause_when_misconfigured
        self._stopped_until = float("-inf")
        self._stopped_by = ""
        self._asked = 0
        self._mismatches = 0

    @property
    def is_configured(self) -> bool:
        """Whether there is a channel at all."""
        return self._channel is not None

    async def deliver(self, parcel: Parcel) -> Delivery:
        """Bring one parcel to all of the person's devices at once. Never raises for what the other side does."""
        if self._channel is None:
            return _not_tried(parcel, DispatchOutcome.NOT_CONFIGURED)
        if not parcel.devices:
            return _not_tried(parcel, DispatchOutcome.NO_TOKEN)
        async with self._slots:
            if self._clock() < self._stopped_until:
                return _misconfigured(parcel, self._stopped_by, attempts=0)
            channel = self._channel
            results = await asyncio.gather(*(self._attempt(channel, parcel, each) for each in parcel.devices))
        self._watch_for_our_own_fault([result.reply for result in results])
        return self._judged(parcel, results)

    async def deliver_all(self, parcels: Sequence[Parcel]) -> tuple[Delivery, ...]:
        """Bring many parcels to many people, side by side; the answers come in the order of the parcels."""
        return tuple(await asyncio.gather(*(self.deliver(parcel) for parcel in parcels)))

    async def _attempt(
        self, channel: Channel[PushMessage], parcel: Parcel, device: Device
    ) -> AttemptResult:
        return await attempt(
            channel, parcel.notice.to(device), policy=self._policy, sleep=self._sleep, clock=self._clock
        )

    def _watch_for_our_own_fault(self, replies: Sequence[ChannelReply]) -> None:
        """Stop after a refusal of our credentials, or when more than a fifth of a run says they are another project's."""
        self._asked += len(replies)
        for reply in replies:
            if isinstance(reply, Refused) and reply.misconfigured and reply.code != _ONE_PLATFORM_ONLY:
                self._stop(reply.code)
            elif isinstance(reply, TokenGone) and reply.code == _MISMATCH:
                self._mismatches += 1
        if self._mismatches >= _MISMATCHES_THAT_MEAN_US and self._mismatches * 5 > self._asked:
            self._stop(_MISMATCH)

    def _stop(self, code: str) -> None:
        if self._clock() >= self._stopped_until:
            _log.error(Event.PUSH_MISCONFIGURED, code=code, paused_seconds=self._pause)
        self._stopped_until = self._clock() + self._pause
        self._stopped_by = code
        self._asked = self._mismatches = 0

    def _judged(self, parcel: Parcel, results: Sequence[AttemptResult]) -> Delivery:
        """Make one outcome of all devices' replies: one that took it is enough, then the most hopeful reply counts."""
        stopped = self._clock() < self._stopped_until
        reply = min((result.reply for result in results), key=_hope)
        attempts = max(result.attempts for result in results)
        gone = tuple(
            (device, result.reply.code)
            for device, result in zip(parcel.devices, results, strict=True)
            if isinstance(result.reply, TokenGone) and not (stopped and result.reply.code == _MISMATCH)
        )
        elapsed_ms = max(result.elapsed_ms for result in results)

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
                return _misconfigured(parcel, code, attempts=attempts)
            case Refused(code):
                _log.error(Event.PUSH_REFUSED, code=code)
                failed = told(DispatchOutcome.FAILED_AFTER_RETRIES, code)
                return Delivery(failed, gone=gone, elapsed_ms=elapsed_ms)
            case TokenGone(code) if code == _MISMATCH and stopped:
                return _misconfigured(parcel, code, attempts=attempts)
            case TokenGone(code):
                retired = told(DispatchOutcome.TOKEN_RETIRED, code)
                return Delivery(retired, gone=gone, elapsed_ms=elapsed_ms)
            case _:
                assert_never(reply)


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


def _not_tried(parcel: Parcel, outcome: DispatchOutcome) -> Delivery:
    return Delivery(RecipientOutcome(parcel.user_id, outcome))


def _misconfigured(parcel: Parcel, code: str, *, attempts: int) -> Delivery:
    """Once somebody has mended our credentials a later try will work, so the delivery stays alive."""
    outcome = RecipientOutcome(parcel.user_id, DispatchOutcome.NOT_CONFIGURED, attempts=attempts, code=code)
    return Delivery(outcome, try_again=TryAgain(code, after=60.0))
