"""When a message that did not get through is tried again: within one call, and later by the delivery's own row."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from peerpause.notifications.channels import Channel, ChannelReply, TryAgain

MessageT = TypeVar("MessageT")

GIVE_UP_AFTER = timedelta(hours=1)
"""How long after the first failure a delivery is still tried: news of a pause is worth little later, and the inbox has it."""

FIRST_RETRY = 10.0
"""Seconds before the first later retry; Google asks for no less."""

LONGEST_RETRY = 3600.0
"""Seconds between two later retries at most, unless the other side asked for more."""

QUOTA_RETRY = 60.0
"""Seconds to wait after an exhausted quota where the other side did not say."""

_JITTER_SHARE = 0.5
_QUOTA_CODES = frozenset({"QUOTA_EXCEEDED", "RESOURCE_EXHAUSTED"})
_MOST_DOUBLINGS = 20


@dataclass(frozen=True, slots=True)
class AttemptPolicy:
    """How often a call tries: ``attempts`` in all, with 2 s, then 4 s between them, or longer where the other side asks.

    A wait beyond ``longest_wait`` seconds is not sat out in the call: the caller gets the ``TryAgain`` back and schedules it.
    """

    attempts: int = 3
    longest_wait: float = 30.0

    def wait_after(self, attempt: int, reply: TryAgain) -> float:
        """Seconds between failed attempt number ``attempt`` (from 1) and the next. No jitter: that is the outer layer's."""
        return max(float(2**attempt), reply.after or 0.0)


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """How a call ended: the last reply, how many attempts it took, and how long all of it was, in milliseconds."""

    reply: ChannelReply
    attempts: int
    elapsed_ms: int


async def attempt(
    channel: Channel[MessageT],
    message: MessageT,
    *,
    policy: AttemptPolicy | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> AttemptResult:
    """Send, and send again after a ``TryAgain`` as the policy allows; any other reply ends it at once.

    ``sleep`` waits seconds and ``clock`` counts monotonic seconds, so that tests need no time.
    """
    rules = policy or AttemptPolicy()
    began = clock()
    made = 0
    while True:
        reply = await channel.send(message)
        made += 1
        wait = rules.wait_after(made, reply) if isinstance(reply, TryAgain) else None
        if wait is None or made >= rules.attempts or wait > rules.longest_wait:
            return AttemptResult(reply=reply, attempts=made, elapsed_ms=round((clock() - began) * 1000))
        await sleep(wait)


def next_retry(
    attempt_number: int,
    *,
    reply: TryAgain,
    first_failed_at: datetime,
    now: datetime,
    jitter: float,
    horizon: timedelta = GIVE_UP_AFTER,
) -> datetime | None:
    """When the delivery's row is tried again after its ``attempt_number``-th failed call (from 1), or ``None``: expired.

    The pause is 10 s, doubled each time up to an hour, and never shorter than the other side asked (60 s for an exhausted
    quota that names no time). ``jitter`` (0 to 1, drawn by the caller) lengthens it by up to half, so that many do not come
    back together. Later than ``horizon`` after ``first_failed_at`` nothing is tried. Times are aware.
    """
    doublings = min(max(attempt_number, 1) - 1, _MOST_DOUBLINGS)
    asked = QUOTA_RETRY if reply.after is None and reply.code in _QUOTA_CODES else reply.after or 0.0
    pause = max(min(FIRST_RETRY * 2**doublings, LONGEST_RETRY), asked) * (1 + _JITTER_SHARE * jitter)
    if pause > (first_failed_at + horizon - now).total_seconds():
        return None
    return now + timedelta(seconds=pause)
