"""A passing fault is tried again at the right moments and no others; everything else ends the call at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peerpause.notifications.attempts import AttemptPolicy, AttemptResult, attempt, next_retry
from peerpause.notifications.channels import ChannelReply, Delivered, Refused, TokenGone, TryAgain

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BUSY = TryAgain("UNAVAILABLE")


class ScriptedChannel:
    """Answers with the given replies, one after the other."""

    def __init__(self, replies: Iterable[ChannelReply]) -> None:
        self._replies = iter(replies)
        self.calls = 0

    async def send(self, message: str) -> ChannelReply:
        self.calls += 1
        return next(self._replies)

    async def close(self) -> None: ...


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    def clock(self) -> float:
        return sum(self.waits)


async def tried(
    *replies: ChannelReply, policy: AttemptPolicy | None = None
) -> tuple[AttemptResult, list[float], int]:
    channel, time = ScriptedChannel(replies), FakeTime()
    result = await attempt(channel, "hello", policy=policy, sleep=time.sleep, clock=time.clock)
    return result, time.waits, channel.calls


async def test_success_at_once_is_one_call_and_no_wait() -> None:
    assert await tried(Delivered("1")) == (AttemptResult(Delivered("1"), attempts=1, elapsed_ms=0), [], 1)


async def test_two_failures_and_a_success_are_exactly_three_calls_two_and_four_seconds_apart() -> None:
    result, waits, calls = await tried(BUSY, BUSY, Delivered("1"))
    assert result == AttemptResult(Delivered("1"), attempts=3, elapsed_ms=6000)
    assert waits == [2, 4]
    assert calls == 3


async def test_after_three_failures_the_last_reply_is_handed_back() -> None:
    last = TryAgain("INTERNAL")
    result, waits, calls = await tried(BUSY, BUSY, last)
    assert (result.reply, result.attempts, waits, calls) == (last, 3, [2, 4], 3)


@pytest.mark.parametrize(
    "reply", [TokenGone("UNREGISTERED"), Refused("INVALID_ARGUMENT"), Refused("PERMISSION_DENIED", True)]
)
async def test_what_will_not_pass_is_not_tried_again(reply: ChannelReply) -> None:
    result, waits, calls = await tried(reply)
    assert (result.reply, waits, calls) == (reply, [], 1)


async def test_a_device_found_gone_on_the_second_attempt_ends_it() -> None:
    result, waits, calls = await tried(BUSY, TokenGone("UNREGISTERED"))
    assert (result.reply, waits, calls) == (TokenGone("UNREGISTERED"), [2], 2)


async def test_a_longer_wait_asked_for_is_waited() -> None:
    _, waits, _ = await tried(TryAgain("QUOTA_EXCEEDED", 7.0), TryAgain("QUOTA_EXCEEDED", 1.0), Delivered())
    assert waits == [7, 4]


async def test_a_wait_too_long_for_a_call_is_handed_back_unslept() -> None:
    reply = TryAgain("QUOTA_EXCEEDED", 60.0)
    result, waits, calls = await tried(reply)
    assert (result.reply, result.attempts, waits, calls) == (reply, 1, [], 1)


async def test_the_limits_are_the_policys() -> None:
    policy = AttemptPolicy(attempts=4, longest_wait=5.0)
    _, waits, calls = await tried(BUSY, BUSY, BUSY, policy=policy)
    assert (waits, calls) == ([2, 4], 3)
    _, waits, calls = await tried(BUSY, policy=AttemptPolicy(attempts=1))
    assert (waits, calls) == ([], 1)


async def test_a_defect_in_a_channel_is_neither_hidden_nor_repeated() -> None:
    class Broken(ScriptedChannel):
        async def send(self, message: str) -> ChannelReply:
            self.calls += 1
            raise LookupError(message)

    channel = Broken([])
    with pytest.raises(LookupError):
        await attempt(channel, "hello", sleep=FakeTime().sleep)
    assert channel.calls == 1


def retry_in(
    number: int,
    reply: TryAgain = BUSY,
    *,
    jitter: float = 0.0,
    failed_for: timedelta = timedelta(),
    **more: timedelta,
) -> float | None:
    moment = next_retry(
        number, reply=reply, first_failed_at=NOON - failed_for, now=NOON, jitter=jitter, **more
    )
    return (moment - NOON).total_seconds() if moment else None


def test_the_pauses_of_the_later_retries_begin_at_ten_seconds_and_double() -> None:
    assert [retry_in(number) for number in (1, 2, 3, 4, 5)] == [10, 20, 40, 80, 160]


def test_jitter_only_lengthens_a_pause() -> None:
    assert retry_in(1, jitter=1.0) == 15
    assert retry_in(1, TryAgain("UNAVAILABLE", 30.0), jitter=1.0) == 45


def test_the_other_sides_wish_counts_where_it_is_longer() -> None:
    assert retry_in(1, TryAgain("UNAVAILABLE", 25.0)) == 25
    assert retry_in(4, TryAgain("UNAVAILABLE", 25.0)) == 80


def test_an_exhausted_quota_without_a_time_waits_a_minute() -> None:
    assert retry_in(1, TryAgain("QUOTA_EXCEEDED")) == 60
    assert retry_in(1, TryAgain("QUOTA_EXCEEDED", 12.0)) == 12


def test_an_hour_after_the_first_failure_it_is_given_up() -> None:
    assert retry_in(1, failed_for=timedelta(minutes=59, seconds=50)) == 10
    assert retry_in(1, failed_for=timedelta(minutes=59, seconds=51)) is None
    assert retry_in(1, TryAgain("UNAVAILABLE", 3601.0)) is None


def test_a_longer_horizon_keeps_trying_at_most_an_hour_apart() -> None:
    assert retry_in(500, failed_for=timedelta(hours=5), horizon=timedelta(days=1)) == 3600


@given(
    number=st.integers(1, 10_000),
    after=st.none() | st.floats(0, 1e9),
    jitter=st.floats(0, 1),
    failed_for=st.floats(0, 10_000),
)
def test_a_retry_is_never_early_and_never_past_the_horizon(
    number: int, after: float | None, jitter: float, failed_for: float
) -> None:
    wait = retry_in(number, TryAgain("X", after), jitter=jitter, failed_for=timedelta(seconds=failed_for))
    if wait is not None:
        assert wait >= max(10.0, after or 0.0) - 1e-6
        assert failed_for + wait <= 3600 + 1e-6
