"""Wakes those who tell changes, right after one was committed: in this process at once, in others through the database.

Ringing never waits and never fails; whoever misses the bell looks by itself every few seconds.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from peerpause.database.session import Service, Sessions
from peerpause.errors import PeerPauseError
from peerpause.telemetry import Event

REST: Final = 0.05
"""Seconds between two messages to the database: many changes a second are worth one message, for each is a transaction."""

_log = structlog.get_logger(__name__)


class OutboxBell:
    """Rung after a commit. The first ring is passed on at once; those that follow within a moment share the next message."""

    def __init__(self, *, sessions: Sessions | None = None, rest: float = REST) -> None:
        """Without ``sessions`` only those in this process hear it. ``rest`` is in seconds."""
        self._sessions = sessions
        self._rest = rest
        self._closing = asyncio.Event()
        self._heard = asyncio.Event()
        self._again = False
        self._message: asyncio.Task[None] | None = None

    def ring(self) -> None:
        """Wake everybody. Returns at once."""
        self._heard.set()
        if self._sessions is None:
            return
        self._again = True
        if self._message is None or self._message.done():
            self._message = asyncio.create_task(self._send(self._sessions))

    def ring_here(self) -> None:
        """Wake those in this process only."""
        self._heard.set()

    async def wait(self, seconds: float) -> None:
        """Sleep until the bell is rung, at most ``seconds``. A ring since the last call counts."""
        try:
            await asyncio.wait_for(self._heard.wait(), seconds)
        except TimeoutError:
            return
        finally:
            self._heard.clear()

    async def close(self) -> None:
        """Let what was rung arrive, without waiting for the moment between two messages."""
        if self._message is not None:
            self._closing.set()
            await self._message
            self._closing.clear()

    async def _send(self, sessions: Sessions) -> None:
        while self._again:
            self._again = False
            try:
                await sessions.call(Service(), "ring_outbox")
            except PeerPauseError as error:
                _log.warning(Event.BELL_UNHEARD, error=error.code)
            await self._rest_a_moment()

    async def _rest_a_moment(self) -> None:
        try:
            await asyncio.wait_for(self._closing.wait(), self._rest)
        except TimeoutError:
            return
