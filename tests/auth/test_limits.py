"""One limit for each caller, however many processes ask; each limiter here is what one process has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import psycopg
import pytest

from peerpause.auth.limits import ChangeLimiter, SharedLimiter
from peerpause.database.session import Claims, Service, Sessions
from peerpause.errors import TooManyRequests, Unavailable
from tests.servers import Database

ADA = UUID("00000000-0000-0000-0000-00000000ada0")


@pytest.fixture
async def sessions(database: Database) -> AsyncIterator[Sessions]:
    async with Sessions(url=database.server.url(database.name, user="authenticator"), size=4) as opened:
        yield opened


async def granted(limiter: SharedLimiter, subject: str, *, asked: int) -> int:
    """How many of so many requests are let through."""
    count = 0
    for _ in range(asked):
        try:
            await limiter.take(subject)
        except TooManyRequests:
            continue
        count += 1
    return count


def hold_still(database: Database) -> None:
    """Let the buckets not refill while a test counts: they were looked at a moment from now."""
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "update peerpause.request_allowances set counted_at = clock_timestamp() + interval '50 seconds'"
        )


def let_pass(database: Database, seconds: int) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "update peerpause.request_allowances set counted_at = clock_timestamp() - make_interval(secs => %s)",
            (seconds,),
        )


def process(sessions: Sessions, *, per_minute: int, scope: str = "sign-ins") -> SharedLimiter:
    # Its own clock stands still; what is left is what the database says.
    return SharedLimiter(counting=sessions, scope=scope, per_minute=per_minute, clock=lambda: 100.0)


async def test_a_small_limit_is_exact_over_all_processes(sessions: Sessions, database: Database) -> None:
    several = [process(sessions, per_minute=10) for _ in range(3)]
    await several[0].take("203.0.113.9")
    hold_still(database)
    counts = [await granted(each, "203.0.113.9", asked=5) for each in several]
    assert sum(counts) == 9


async def test_several_processes_that_ask_at_once_do_not_pass_a_small_limit(
    sessions: Sessions, database: Database
) -> None:
    several = [process(sessions, per_minute=10) for _ in range(4)]
    await several[0].take("203.0.113.9")
    hold_still(database)
    counts = await asyncio.gather(*(granted(each, "203.0.113.9", asked=5) for each in several))
    assert sum(counts) == 9


async def test_a_large_limit_is_passed_by_one_for_each_further_process_at_most(
    sessions: Sessions, database: Database
) -> None:
    several = [process(sessions, per_minute=100) for _ in range(4)]
    await granted(several[0], "ada", asked=2)  # the second asks the database
    hold_still(database)
    counts = [2]
    for each in several:
        async with each.reporting():  # what was used unasked is told to the others at the end, or before
            counts.append(await granted(each, "ada", asked=60))
    assert 100 <= sum(counts) <= 100 + len(several) - 1


async def test_what_was_used_unasked_is_told_to_the_others(sessions: Sessions, database: Database) -> None:
    one, another = process(sessions, per_minute=100), process(sessions, per_minute=100)
    async with one.reporting():
        await one.take("ada")  # the first goes through unasked …
    hold_still(database)  # … and has been reported by now
    await granted(another, "ada", asked=2)
    allowance = another.allowance("ada")
    assert allowance is not None
    assert allowance.remaining == 97


async def test_most_requests_far_from_the_limit_ask_nobody(database: Database) -> None:
    """A change does not wait for the count, and is not refused because nobody can count."""
    async with Sessions(url=database.server.url(database.name, user="authenticator"), size=1) as sessions:
        limiter = process(sessions, per_minute=800)
        await granted(limiter, "ada", asked=2)
    assert await granted(limiter, "ada", asked=50) == 50


async def test_near_the_limit_somebody_must_be_able_to_count(database: Database) -> None:
    limiter = process(Sessions(url="postgresql://127.0.0.1:1/nowhere", patience=0.1), per_minute=5)
    with pytest.raises(Unavailable):
        await limiter.take("ada")


async def test_permissions_come_back_evenly(sessions: Sessions, database: Database) -> None:
    now = 0.0
    limiter = SharedLimiter(counting=sessions, scope="changes", per_minute=10, clock=lambda: now)
    await limiter.take("ada")
    hold_still(database)
    assert await granted(limiter, "ada", asked=12) == 9
    with pytest.raises(TooManyRequests) as caught:
        await limiter.take("ada")
    assert caught.value.detail == {"retry_after": 6}
    assert "Try again in 6 seconds" in str(caught.value.hint)
    now = 7.0
    let_pass(database, 12)
    await limiter.take("ada")
    hold_still(database)
    assert await granted(limiter, "ada", asked=5) == 1


async def test_one_persons_haste_is_not_anothers_nor_one_kind_of_request_anothers(
    sessions: Sessions,
) -> None:
    changes, sign_ins = process(sessions, per_minute=1, scope="changes"), process(sessions, per_minute=1)
    for limiter in (changes, sign_ins):
        assert await granted(limiter, "ada", asked=3) == 1
        assert await granted(limiter, "bo", asked=3) == 1


async def test_the_service_is_not_limited(sessions: Sessions) -> None:
    limiter = ChangeLimiter(counting=sessions, per_minute=1)
    for _ in range(5):
        await limiter.take(Service())
    await limiter.take(Claims(ADA))
    await limiter.take(Claims(uuid4()))
    with pytest.raises(TooManyRequests):
        await limiter.take(Claims(ADA))


async def test_nought_is_no_limit(sessions: Sessions) -> None:
    limiter = process(sessions, per_minute=0)
    assert await granted(limiter, "ada", asked=1000) == 1000
    assert limiter.allowance("ada") is None


async def test_what_is_left_is_told_as_the_draft_names_it(sessions: Sessions) -> None:
    limiter = process(sessions, per_minute=60, scope="changes")
    await granted(limiter, "ada", asked=2)
    allowance = limiter.allowance("ada")
    assert allowance is not None
    assert allowance.headers == {
        "RateLimit-Policy": '"changes";q=60;w=60',
        "RateLimit": f'"changes";r={allowance.remaining};t={allowance.reset}',
    }
    assert (57 <= allowance.remaining <= 58, 1 <= allowance.reset <= 3) == (True, True)


async def test_who_asks_is_not_kept_in_the_clear_and_not_for_long(
    sessions: Sessions, database: Database
) -> None:
    await process(sessions, per_minute=5).take("203.0.113.9")
    with psycopg.connect(database.url) as connection:
        (row,) = connection.execute("select b::text from peerpause.request_allowances as b").fetchall()
        assert "203.0.113.9" not in row[0]
    let_pass(database, 601)
    await sessions.call(Service(), "forget_allowances")
    with psycopg.connect(database.url) as connection:
        assert connection.execute("select from peerpause.request_allowances").fetchall() == []
