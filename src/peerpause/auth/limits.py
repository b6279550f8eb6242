"""What a request that changes something brings along: a caller who has not changed too much of late, and a key to repeat it by."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Header, Request

from peerpause.auth.callers import SignedIn
from peerpause.database.session import Caller, Claims
from peerpause.errors import TooManyRequests

_REMEMBERED: Final = 100_000


class ChangeLimiter:
    """A bucket of permissions for each person, refilled evenly. The service is not limited.

    ``per_minute`` 0 means no limit. Each process counts for itself; several of them allow as many times more. ``clock`` counts
    monotonic seconds.
    """

    def __init__(self, *, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        # For each person: permissions left, and when that was counted. Whoever changed something longest ago comes first.
        self._buckets: OrderedDict[UUID | None, tuple[float, float]] = OrderedDict()

    def take(self, caller: Caller) -> None:
        """Use one permission. Raises ``TooManyRequests`` where there is none left."""
        if self._per_minute == 0 or not isinstance(caller, Claims):
            return
        now = self._clock()
        rate = self._per_minute / 60
        left, counted_at = self._buckets.pop(caller.user_id, (float(self._per_minute), now))
        left = min(float(self._per_minute), left + (now - counted_at) * rate)
        allowed = left >= 1
        self._buckets[caller.user_id] = (left - 1 if allowed else left, now)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        if not allowed:
            wait = math.ceil((1 - left) / rate)
            raise TooManyRequests(
                "You are changing things faster than agreed; nothing was changed.",
                detail={"retry_after": wait},
                hint=f"Try again in {wait} seconds.",
            )


async def may_change(request: Request, caller: SignedIn) -> Caller:
    """Somebody signed in who has not changed too much of late, for routes that change something."""
    limiter: ChangeLimiter = request.app.state.limiter
    limiter.take(caller)
    return caller


Changing = Annotated[Caller, Depends(may_change)]

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="A new random word for each new request. Repeated within 24 hours it gives the first answer again.",
    ),
]
