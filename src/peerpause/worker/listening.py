"""Hears, over one connection of its own, the bell that other processes ring after a commit."""

from __future__ import annotations

import asyncio
from typing import Final

import psycopg
import structlog

from peerpause import sql
from peerpause.notifications.bell import OutboxBell
from peerpause.telemetry import Event

_REST_AFTER_FAULT: Final = 2.0

_log = structlog.get_logger(__name__)


async def listen(url: str, bell: OutboxBell) -> None:
    """Ring ``bell`` in this process for each ring from elsewhere, until cancelled.

    The connection must be a direct one: behind a pooler in transaction mode nothing is heard, and changes are found by looking
    every few seconds instead. A lost connection is opened again.
    """
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
                await connection.execute(sql.query("listen_outbox"))
                bell.ring_here()
                async for _ in connection.notifies():
                    bell.ring_here()
        except psycopg.OperationalError as error:
            _log.warning(Event.WORKER_INTERRUPTED, part="listener", error=type(error).__name__)
            await asyncio.sleep(_REST_AFTER_FAULT)
