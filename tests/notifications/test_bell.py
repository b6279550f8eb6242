"""The bell after a commit: heard at once, never twice under way, and never a reason to fail."""

from __future__ import annotations

import asyncio
from typing import Any

from structlog.testing import capture_logs

from peerpause.errors import Unavailable
from peerpause.notifications.bell import OutboxBell

A_LONG_TIME = 3600.0


class Line:
    """Stands in for the database: each message is under way until let through."""

    def __init__(self, *, is_away: bool = False) -> None:
        self.messages = 0
        self.under_way = 0
        self.let_through = asyncio.Event()
        self._is_away = is_away

    async def call(self, caller: object, query: str) -> list[Any]:
        assert query == "ring_outbox"
        self.messages += 1
        self.under_way += 1
        assert self.under_way == 1
        await self.let_through.wait()
        self.under_way -= 1
        if self._is_away:
            raise Unavailable("The database cannot be reached just now.")
        return []


def bell_on(line: Line, *, rest: float = 0) -> OutboxBell:
    sessions: Any = line
    return OutboxBell(sessions=sessions, rest=rest)


async def test_it_is_heard_here_at_once() -> None:
    bell = OutboxBell()
    waiting = asyncio.create_task(bell.wait(A_LONG_TIME))
    await asyncio.sleep(0)
    bell.ring()
    await waiting


async def test_a_ring_before_the_wait_counts() -> None:
    bell = OutboxBell()
    bell.ring()
    await bell.wait(A_LONG_TIME)


async def test_without_a_ring_it_looks_by_itself() -> None:
    await OutboxBell().wait(0)


async def test_one_ring_wakes_once() -> None:
    bell, woken = OutboxBell(), 0
    bell.ring()
    bell.ring()

    async def listener() -> None:
        nonlocal woken
        while True:
            await bell.wait(A_LONG_TIME)
            woken += 1

    task = asyncio.create_task(listener())
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    assert woken == 1


async def test_a_thousand_rings_are_two_messages() -> None:
    line = Line()
    bell = bell_on(line)
    bell.ring()
    await asyncio.sleep(0)
    for _ in range(999):
        bell.ring()
    line.let_through.set()
    await bell.close()
    assert line.messages == 2, "the one under way, and one for all that rang meanwhile"


async def test_what_rings_while_it_rests_shares_the_next_message() -> None:
    line = Line()
    line.let_through.set()
    bell = bell_on(line, rest=A_LONG_TIME)
    for _ in range(5):
        bell.ring()
        for _ in range(5):
            await asyncio.sleep(0)
    assert line.messages == 1, "the first at once, then it rests"
    await bell.close()
    assert line.messages == 2, "closing cuts the rest short and loses no ring"


async def test_ringing_waits_for_nobody_and_rings_again_later() -> None:
    line = Line()
    bell = bell_on(line)
    line.let_through.set()
    for number in range(1, 4):
        bell.ring()
        await bell.close()
        assert line.messages == number


async def test_a_database_that_is_away_is_a_warning_and_no_error() -> None:
    line = Line(is_away=True)
    line.let_through.set()
    bell = bell_on(line)
    with capture_logs() as logs:
        bell.ring()
        await bell.close()
    assert logs == [{"event": "outbox.bell_unheard", "log_level": "warning", "error": "unavailable"}]
    await bell.wait(A_LONG_TIME)


async def test_closing_without_a_ring_is_fine() -> None:
    await bell_on(Line()).close()
