"""The part of the worker that watches public rosters and tells organisations' websites of their changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog

from peerpause.errors import PeerPauseError
from peerpause.roster.watch import LOOK_EVERY, RosterWatch
from peerpause.roster.webhooks import WebhookSender
from peerpause.telemetry import Event

_SEND_EVERY: Final = 2.0
_REST_AFTER_FAULT: Final = 1.0
_LAST_SENDS: Final = 20.0

_log = structlog.get_logger(__name__)


class Announcing:
    """One loop that looks for changes and one that sends. They meet in the delivery log only."""

    def __init__(self, *, watch: RosterWatch, sender: WebhookSender) -> None:
        self._watch = watch
        self._sender = sender

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the loops until the block ends; then let what is under way finish, for 20 seconds at most.

        The database being away is survived. Anything unforeseen ends the block with that error, for a supervisor to see.
        """
        async with asyncio.TaskGroup() as loops:
            both = (
                loops.create_task(_forever("roster_watch", self._look)),
                loops.create_task(_forever("webhooks", self._send)),
            )
            try:
                yield
            finally:
                for task in both:
                    task.cancel()
        await self._sender.finish(within=_LAST_SENDS)

    async def drain(self) -> None:
        """Look at once and send until nothing is due any more. For commands that end, and for tests."""
        await self._watch.look(rest=0)
        while await self._sender.step():
            await self._sender.finish()

    async def _look(self) -> None:
        await self._watch.look()
        await asyncio.sleep(LOOK_EVERY)

    async def _send(self) -> None:
        if not await self._sender.step():
            await asyncio.sleep(_SEND_EVERY)


async def _forever(part: str, turn: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await turn()
        except PeerPauseError as error:
            _log.warning(Event.WORKER_INTERRUPTED, part=part, error=error.code)
            await asyncio.sleep(_REST_AFTER_FAULT)
