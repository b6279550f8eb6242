"""How often somebody may ask: one limit for each caller over all processes, counted in the database but seldom waited for.

A limit that each process kept for itself would grow with their number; one that asked the database each time would cost every change
a second trip. So a process asks, remembers what is left, and lets a caller use up to an eighth of that before it asks again; what
was used is reported four times a second, all callers in one statement. Near the limit an eighth is less than one, so every
request asks: there the count is exact. So a limit may be passed by the first request of somebody new to a process, which goes through
unasked, and by what other processes let through in the last quarter of a second, at most an eighth of what they were told is left.
Small limits, such as those on signing in, are exact throughout.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Annotated, Any, Final, Protocol

import structlog
from fastapi import Depends, Header, Request

from peerpause.auth.callers import Admits, only_the_signed_in
from peerpause.database.session import Caller, Claims, Service
from peerpause.errors import PeerPauseError, TooManyRequests
from peerpause.telemetry import Event

WINDOW: Final = 60
"""Seconds within which an empty bucket is full again."""

_REMEMBERED: Final = 100_000
_REPORT_EVERY: Final = 0.25
_SHARE: Final = 8  # so many processes may each use what they were told is left without passing the limit
_ALWAYS_ASK: Final = 2 * _SHARE  # a limit below this is small enough to be exact

_log = structlog.get_logger(__name__)


class Counting(Protocol):
    """Where all processes count: the database."""

    async def call(
        self, caller: Caller, query: str, parameters: Mapping[str, object] | None = None
    ) -> Sequence[Mapping[str, Any]]:
        """Ask one thing as somebody."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller may still ask for: ``remaining`` of ``most``, all of them again in ``reset`` seconds."""

    scope: str
    most: int
    remaining: int
    reset: int

    @property
    def headers(self) -> Mapping[str, str]:
        """The fields `RateLimit-Policy` and `RateLimit`, as the IETF's draft names them."""
        return {
            "RateLimit-Policy": f'"{self.scope}";q={self.most};w={WINDOW}',
            "RateLimit": f'"{self.scope}";r={self.remaining};t={self.reset}',
        }


@dataclass(slots=True)
class _Bucket:
    """What this process knows of a caller: what was left when the database was last asked (None: never), and what was used since."""

    left: float | None
    asked_at: float
    unreported: int = 0
    refused_until: float = 0.0


class SharedLimiter:
    """A bucket of permissions for each subject, refilled evenly, shared by all processes that use the same database.

    ``scope`` names the kind of request, ``per_minute`` 0 means no limit. ``clock`` counts monotonic seconds. For signing in:
    ``await limiter.take(address)`` before each attempt, with the client's address as the subject; subjects are kept hashed.
    """

    def __init__(
        self,
        *,
        counting: Counting,
        scope: str,
        per_minute: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._counting = counting
        self._scope = scope
        self._most = per_minute
        self._rate = per_minute / WINDOW
        self._clock = clock
        # Who asked longest ago comes first.
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._used: dict[str, int] = {}
        self._has_used = asyncio.Event()

    async def take(self, subject: str) -> None:
        """Use one permission. Raises ``TooManyRequests`` where there is none left, ``Unavailable`` where the database had to be asked and is away."""
        if self._most == 0:
            return
        key = self._key(subject)
        bucket = self._bucket(key)
        if self._clock() < bucket.refused_until:
            raise self._refusal(bucket)
        if self._may_go_unasked(bucket):
            bucket.unreported += 1
            self._used[key] = self._used.get(key, 0) + 1
            self._has_used.set()
        else:
            await self._ask(key, bucket)

    def allowance(self, subject: str) -> Allowance | None:
        """What the subject has left, as far as this process knows; None where there is no limit."""
        if self._most == 0:
            return None
        bucket = self._buckets.get(self._key(subject)) or _Bucket(left=None, asked_at=self._clock())
        left = max(0.0, self._left(bucket) - bucket.unreported)
        return Allowance(
            scope=self._scope,
            most=self._most,
            remaining=math.floor(left),
            reset=math.ceil((self._most - left) / self._rate),
        )

    @asynccontextmanager
    async def reporting(self) -> AsyncIterator[None]:
        """Report what was used, for as long as the block lasts."""
        task = asyncio.create_task(self._report_forever())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self._report()

    def _key(self, subject: str) -> str:
        return hashlib.sha256(f"{self._scope} {subject}".encode()).hexdigest()

    def _bucket(self, key: str) -> _Bucket:
        bucket = self._buckets.pop(key, None)
        if bucket is None or self._clock() - bucket.asked_at > WINDOW:
            unreported = 0 if bucket is None else bucket.unreported
            bucket = _Bucket(left=None, asked_at=self._clock(), unreported=unreported)
        self._buckets[key] = bucket
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        return bucket

    def _may_go_unasked(self, bucket: _Bucket) -> bool:
        if bucket.left is None:
            return self._most >= _ALWAYS_ASK and bucket.unreported == 0
        return bucket.unreported + 1 <= self._left(bucket) / _SHARE

    async def _ask(self, key: str, bucket: _Bucket) -> None:
        used = self._used.pop(key, 0)
        try:
            rows = await self._count({key: used}, wants_one=True)
        except BaseException:
            self._used[key] = self._used.get(key, 0) + used
            raise
        self._learn(bucket, used, min(row["remaining"] for row in rows))
        if not any(row["granted"] for row in rows):
            left = self._left(bucket)
            bucket.refused_until = self._clock() + (1 - min(left, 0.999)) / self._rate
            raise self._refusal(bucket)

    async def _report_forever(self) -> None:
        while True:
            await self._has_used.wait()
            await asyncio.sleep(_REPORT_EVERY)
            await self._report()

    async def _report(self) -> None:
        self._has_used.clear()
        used, self._used = self._used, {}
        if not used:
            return
        try:
            rows = await self._count(used, wants_one=False)
        except PeerPauseError as error:
            _log.debug(Event.LIMITS_NOT_COUNTED, error=error.code)
            for key, count in used.items():
                self._used[key] = self._used.get(key, 0) + count
            return
        for row in rows:
            bucket = self._buckets.get(row["subject"])
            if bucket is not None:
                self._learn(bucket, used[row["subject"]], row["remaining"])

    async def _count(self, used: Mapping[str, int], *, wants_one: bool) -> Sequence[Mapping[str, Any]]:
        return await self._counting.call(
            Service(),
            "count_requests",
            {
                "scope": self._scope,
                "subjects": list(used),
                "used": list(used.values()),
                "most": self._most,
                "wants_one": wants_one,
            },
        )

    def _learn(self, bucket: _Bucket, reported: int, remaining: float) -> None:
        bucket.left = remaining
        bucket.asked_at = self._clock()
        bucket.unreported = max(0, bucket.unreported - reported)

    def _left(self, bucket: _Bucket) -> float:
        """What is left by now of what the database said, without what was used since."""
        left = self._most if bucket.left is None else bucket.left
        return min(float(self._most), left + (self._clock() - bucket.asked_at) * self._rate)

    def _refusal(self, bucket: _Bucket) -> TooManyRequests:
        wait = max(1, math.ceil(bucket.refused_until - self._clock()))
        return TooManyRequests(
            "You are asking faster than agreed; nothing was changed.",
            detail={"retry_after": wait},
            hint=f"Try again in {wait} seconds.",
        )


class ChangeLimiter:
    """How many changes one person may make in a minute. The service is not limited. Used as `SharedLimiter` is."""

    def __init__(
        self, *, counting: Counting, per_minute: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.shared = SharedLimiter(counting=counting, scope="changes", per_minute=per_minute, clock=clock)

    async def take(self, caller: Caller) -> None:
        """Use one permission of the caller's. Raises as ``SharedLimiter.take``."""
        if isinstance(caller, Claims):
            await self.shared.take(str(caller.user_id))

    def allowance(self, caller: Caller) -> Allowance | None:
        """What the caller has left, as far as this process knows; None for who is not limited."""
        return self.shared.allowance(str(caller.user_id)) if isinstance(caller, Claims) else None


async def count_change(request: Request, caller: Caller) -> None:
    """Use one of the caller's permissions to change something; the answer's headers will say what is left.

    Raises ``TooManyRequests`` where there is none left.
    """
    limiter: ChangeLimiter = request.app.state.limiter
    try:
        await limiter.take(caller)
    finally:
        request.state.allowance = limiter.allowance(caller)


async def may_change(request: Request) -> Caller:
    """Somebody signed in who has not changed too much of late, for routes that change something."""
    caller = await only_the_signed_in(request)
    await count_change(request, caller)
    return caller


Changing = Annotated[Caller, Depends(Admits(may_change))]

KEY_PATTERN: Final = r"^[\x21-\x7e]+$"
LONGEST_KEY: Final = 255
ABOUT_KEYS: Final = (
    "A new random word for each new request. Repeated within 24 hours it gives the first answer again."
)

IdempotencyKey = Annotated[
    str | None, Header(min_length=1, max_length=LONGEST_KEY, pattern=KEY_PATTERN, description=ABOUT_KEYS)
]
"""The key of a change that the database keeps with the change itself, in one transaction."""

KeyOfMany = Annotated[str | None, Header(alias="Idempotency-Key", include_in_schema=False)]
"""The key of a request of many changes, to make a key for each; the request's answer as a whole is kept by the API."""
