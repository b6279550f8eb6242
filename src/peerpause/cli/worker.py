"""`peerpause worker`: what happens in the background, by itself: telling changes, sending what is due, keeping the schedule."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from uvicorn.loops.auto import auto_loop_factory

from peerpause.database.embedded import embedded_server
from peerpause.database.migrate import Migrator
from peerpause.settings import Settings, load_settings
from peerpause.telemetry import Event, configure_logging
from peerpause.wiring import services
from peerpause.worker.run import background
from peerpause.worker.schema import ensure_schema
from peerpause.worker.telling import Telling

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

_log = structlog.get_logger(__name__)


def worker() -> None:
    """Tell coordinators of changes, send what is due, and do what happens by the clock, until SIGTERM or Ctrl-C.

    Works on the database that PEERPAUSE_DATABASE_URL names, migrated with `peerpause migrate up`; without it on an embedded one in
    the folder .peerpause, which it prepares by itself. Any number of workers may run, on as many machines as you like. A signal
    lets what is under way finish, for 20 seconds at most; what a killed worker had taken is taken over after three minutes.
    """
    settings = load_settings()
    configure_logging(level=settings.log_level)
    # The event loop that `serve` has, which is the quickest there is.
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(_work(settings))


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop.set)
    async with _database(settings) as url, services(settings, database_url=url) as parts:
        telling = Telling(outbox=parts.outbox, senders=parts.senders, bell=parts.bell)
        async with background(tools=parts, telling=telling, bell=parts.bell, listen_url=url):
            _log.info(Event.WORKER_STARTED)
            await stop.wait()
    _log.info(Event.WORKER_STOPPED)


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[str]:
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        await ensure_schema(url)
        yield url
        return
    async with embedded_server() as url:
        await Migrator(url=url).up()
        await ensure_schema(url)
        yield url
