"""Hears which changes have been told, over one connection for the whole process, and remembers the latest of them for open pages."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import psycopg
import structlog

from peerpause import sql
from peerpause.telemetry import Event

REMEMBERED: Final = 1000
"""Changes a page that was away may catch up with; one that was away for longer loads anew."""

_REST_AFTER_FAULT: Final = 2.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """A change that has been told; what it was may be read by whoever may see it."""

    organisation_id: UUID
    history_id: UUID


class Closed(Exception):
    """The process is ending; there will be no more."""


class Gap(Exception):
    """Some changes were not heard, or are no longer remembered: whoever follows must load anew."""


class ToldChanges:
    """The latest changes, numbered from 1 as this process heard them. Readers keep the number they have come to."""

    def __init__(self, *, url: str, remembered: int = REMEMBERED) -> None:
        """``url`` is a direct address of the database: behind a pooler in transaction mode nothing is heard."""
        self._url = url
        self._latest: deque[Told] = deque(maxlen=remembered)
        self._heard = 0
        self._complete_since = 0
        self._news = asyncio.Event()
        self._is_closed = False

    @property
    def position(self) -> int:
        """The number of the newest change: who starts here hears what comes next."""
        return self._heard

    @property
    def newest(self) -> UUID | None:
        """The newest change's id, None before the first."""
        return self._latest[-1].history_id if self._latest else None

    def position_of(self, history_id: UUID) -> int | None:
        """Where a reader goes on that has seen this change last; None where it is not remembered."""
        for number, told in self._numbered():
            if told.history_id == history_id:
                return number
        return None

    async def after(self, position: int, *, patience: float) -> Sequence[Told]:
        """The changes behind a position, waiting up to ``patience`` seconds for the first: perhaps none.

        Raises ``Gap`` where some of them were missed, ``Closed`` when the process ends.
        """
        if position == self._heard and not self._is_closed:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), patience)
        if self._is_closed:
            raise Closed
        if position < max(self._complete_since, self._heard - len(self._latest)):
            raise Gap
        return tuple(told for number, told in self._numbered() if number > position)

    def hear(self, payload: str) -> None:
        """Take in a notification: pairs of an organisation's and a change's id."""
        for pair in payload.split(","):
            organisation_id, _, history_id = pair.partition(" ")
            self._latest.append(Told(UUID(organisation_id), UUID(history_id)))
            self._heard += 1
        self._wake()

    def lose_track(self) -> None:
        """Something may have been missed: from here on the count is complete again."""
        self._heard += 1
        self._complete_since = self._heard
        self._latest.clear()
        self._wake()

    def close(self) -> None:
        """Send every reader home. May be called from a signal handler."""
        self._is_closed = True
        self._wake()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Hear what is told for as long as the block lasts."""
        task = asyncio.create_task(self._listen())
        try:
            yield
        finally:
            self.close()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _listen(self) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, connect_timeout=10, keepalives_idle=30
                ) as connection:
                    await connection.execute(sql.query("listen_told"))
                    self.lose_track()
                    async for notification in connection.notifies():
                        self.hear(notification.payload)
            except psycopg.Error as error:
                _log.warning(Event.EVENTS_INTERRUPTED, error=type(error).__name__)
                await asyncio.sleep(_REST_AFTER_FAULT)

    def _numbered(self) -> Iterator[tuple[int, Told]]:
        return enumerate(self._latest, start=self._heard - len(self._latest) + 1)

    def _wake(self) -> None:
        # Those who wait hold the old event; those who come next wait for the new one.
        self._news.set()
        self._news = asyncio.Event()
