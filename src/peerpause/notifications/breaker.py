"""Leaves a channel alone for a while after it said that our own set-up is at fault: the next thousand answers would say the same."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import structlog

from peerpause.notifications.channels import Channel, ChannelReply, Delivered, Refused, TokenGone
from peerpause.telemetry import Event

MessageT = TypeVar("MessageT")

SENDER_MISMATCH: Final = "SENDER_ID_MISMATCH"
"""Google's word for a device that belongs to another project than our credentials, or the other way about."""

_FEWEST_MISMATCHES: Final = 5
_MISMATCH_SHARE: Final = 5  # one in so many
_WINDOW: Final = 100
# Apple's or the browsers' key is missing in the Firebase project; Android phones are reached all the same.
_ONE_PLATFORM_ONLY: Final = "THIRD_PARTY_AUTH_ERROR"

_log = structlog.get_logger(__name__)


class Breaker:
    """Watches the replies of one channel and says when it is to be left alone. Each fault is logged once a rest.

    It opens at the first reply that blames our set-up, and when more than a fifth of the last hundred replies (five at least) say
    that devices are another project's: then the credentials are wrong, not the devices. After that a single such reply opens it
    again, until the channel has delivered something.
    """

    def __init__(
        self, channel: str, *, rest: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``rest`` is in seconds; ``clock`` counts monotonic seconds."""
        self._channel = channel
        self._rest = rest
        self._clock = clock
        self._until = float("-inf")
        self._code = ""
        self._told: dict[str, float] = {}
        self._window: deque[bool] = deque(maxlen=_WINDOW)
        self._on_probation = False

    @property
    def open_because(self) -> str | None:
        """The code of the fault for which the channel is left alone just now, or ``None``."""
        return self._code if self._clock() < self._until else None

    def heed(self, reply: ChannelReply) -> None:
        """Take note of a reply."""
        is_mismatch = isinstance(reply, TokenGone) and reply.code == SENDER_MISMATCH
        self._window.append(is_mismatch)
        if isinstance(reply, Delivered):
            self._on_probation = False
        elif isinstance(reply, Refused) and reply.misconfigured:
            self._tell(reply.code)
            if reply.code != _ONE_PLATFORM_ONLY:
                self._open(reply.code)
        elif is_mismatch and (self._on_probation or self._too_many_mismatches()):
            self._tell(SENDER_MISMATCH)
            self._open(SENDER_MISMATCH)
            self._on_probation = True

    def _too_many_mismatches(self) -> bool:
        count = sum(self._window)
        return count >= _FEWEST_MISMATCHES and count * _MISMATCH_SHARE > len(self._window)

    def _open(self, code: str) -> None:
        self._until = self._clock() + self._rest
        self._code = code

    def _tell(self, code: str) -> None:
        now = self._clock()
        if now >= self._told.get(code, float("-inf")) + self._rest:
            self._told[code] = now
            _log.error(Event.CHANNEL_MISCONFIGURED, channel=self._channel, code=code, rest_seconds=self._rest)


class GuardedChannel(Generic[MessageT]):
    """A channel behind a breaker, with so many calls under way at once at most."""

    def __init__(self, channel: Channel[MessageT], *, breaker: Breaker, at_once: int) -> None:
        self._channel = channel
        self._breaker = breaker
        self._slots = asyncio.Semaphore(at_once)

    async def send(self, message: MessageT) -> ChannelReply:
        """Make one attempt when there is a slot free, unless the breaker is open by then."""
        async with self._slots:
            if (code := self._breaker.open_because) is not None:
                return Refused(code, misconfigured=True)
            reply = await self._channel.send(message)
        self._breaker.heed(reply)
        return reply

    async def close(self) -> None:
        """Nothing of its own: the channel is closed by whoever opened it."""
