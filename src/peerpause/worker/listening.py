"""Hears, over one connection of its own, the bell that other processes ring after a commit."""

from __future__ import annotations

import asyncio
from typing import Final

import psycopg
import structlog

from peerpause import sql
from peerpause.notifications.bell import OutboxBell
from peerpause.telemetry import Event

_FIRST_REST: Final = 2.0
_LONGEST_REST: Final = 60.0

_log = structlog.get_logger(__name__)


async def listen(url: str, bell: OutboxBell) -> None:
    """Ring ``bell`` in this process for each ring from elsewhere, until cancelled.

    The connection must be a direct one: behind a pooler in transaction mode nothing is heard, and changes are found by looking
    every few seconds instead. A lost connection is opened again.
    """
    rest = _FIRST_REST
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(
                url, autocommit=True, connect_timeout=10, keepalives_idle=30
            ) as connection:
                await connection.execute(sql.query("listen_outbox"))
                rest = _FIRST_REST
                bell.ring_here()
                async for _ in connection.notifies():
                    bell.ring_here()
        except psycopg.Error as error:
            # Never more than a nuisance: whoever does not hear the bell looks by itself.
            _log.warning(Event.WORKER_INTERRUPTED, part="listener", error=type(error).__name__)
            await asyncio.sleep(rest)
            rest = min(rest * 2, _LONGEST_REST)
