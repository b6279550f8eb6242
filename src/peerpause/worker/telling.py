"""The part of the worker that never sleeps long: it tells changes and sends what is due."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import structlog

from peerpause.errors import PeerPauseError
from peerpause.notifications.bell import OutboxBell
from peerpause.notifications.outbox import Outbox
from peerpause.notifications.sender import Sender
from peerpause.telemetry import Event

LOOK_EVERY: Final = 2.0
"""Seconds after which changes made by other paths (an app's own call, SQL) are found without a bell."""

_REST_AFTER_FAULT: Final = 1.0
_LAST_SENDS: Final = 20.0

_log = structlog.get_logger(__name__)


class Telling:
    """One loop that fans changes out, and one for each channel that sends. They meet in the delivery log only."""

    def __init__(self, *, outbox: Outbox, senders: Sequence[Sender], bell: OutboxBell) -> None:
        self._outbox = outbox
        self._senders = senders
        self._bell = bell
        self._stopping = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the loops until the block ends, however it ends; then let what is under way finish, for 20 seconds at most.

        The database being away is survived. Anything unforeseen ends the block with that error, for a supervisor to see.
        """
        try:
            async with asyncio.TaskGroup() as loops:
                loops.create_task(self._forever("outbox", self._tell))
                for sender in self._senders:
                    loops.create_task(self._forever("sender", partial(self._send, sender)))
                try:
                    yield
                finally:
                    self._stop()
        finally:
            await self._finish()

    async def drain(self) -> None:
        """Tell and send until nothing is due any more. For commands that end, and for tests."""
        while (await self._outbox.tell_changes()).anything:
            pass
        for sender in self._senders:
            while await sender.step():
                await sender.finish()

    def _stop(self) -> None:
        self._stopping.set()
        self._bell.ring_here()
        for sender in self._senders:
            sender.wake()

    async def _finish(self) -> None:
        for sender in self._senders:
            try:
                await sender.finish(within=_LAST_SENDS)
            except PeerPauseError as error:
                # What could not be written down comes due again after its lease.
                _log.warning(Event.WORKER_INTERRUPTED, part="sender", error=error.code)

    async def _forever(self, part: str, turn: Callable[[], Awaitable[None]]) -> None:
        while not self._stopping.is_set():
            try:
                await _undisturbed(turn, on_cancel=self._stop)
            except PeerPauseError as error:
                _log.warning(Event.WORKER_INTERRUPTED, part=part, error=error.code)
                await self._rest()

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), _REST_AFTER_FAULT)
        except TimeoutError:
            return

    async def _tell(self) -> None:
        told = await self._outbox.tell_changes()
        if told.anything:
            for sender in self._senders:
                sender.wake()
        else:
            await self._bell.wait(LOOK_EVERY)

    async def _send(self, sender: Sender) -> None:
        # A step forgets earlier news, the news of stopping too when that came as the step was about to begin.
        if not await sender.step() and not self._stopping.is_set():
            await sender.wait_for_news(LOOK_EVERY)


async def _undisturbed(turn: Callable[[], Awaitable[None]], *, on_cancel: Callable[[], None]) -> None:
    """Take a turn to its end even when cancelled: what was taken in it would else be nobody's until its lease is over."""
    under_way = asyncio.ensure_future(turn())
    try:
        await asyncio.shield(under_way)
    except asyncio.CancelledError:
        on_cancel()
        await asyncio.wait({under_way})
        if not under_way.cancelled():
            under_way.exception()  # taken note of: the cancellation is what counts now
        raise
