"""Runs everything that happens in the background, in one process, until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import psycopg
import structlog
from procrastinate import App
from procrastinate.exceptions import ConnectorException

from peerpause.errors import Unavailable
from peerpause.notifications.bell import OutboxBell
from peerpause.telemetry import Event
from peerpause.worker.announcing import Announcing
from peerpause.worker.listening import listen
from peerpause.worker.tasks import QUEUE, Tools, tasks
from peerpause.worker.telling import Telling

_LAST_JOBS: Final = 20.0
_REST_AFTER_FAULT: Final = 5.0

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def background(
    *, tools: Tools, telling: Telling, bell: OutboxBell, listen_url: str
) -> AsyncIterator[None]:
    """Run the worker beside the block: Procrastinate for what happens by the clock, and the telling of changes.

    Ends when the block ends, having let what is under way finish. ``listen_url`` is a direct address of the database. Raises
    ``Unavailable`` where the database is away at the start; later that is survived. Anything unforeseen ends the block with that
    error, for a supervisor to see.
    """
    await _see_that_it_answers(listen_url)
    tools.jobs.add_tasks_from(tasks, namespace=QUEUE)
    await tools.jobs.open_async()
    announcing = Announcing(watch=tools.roster_watch, sender=tools.webhooks)
    try:
        async with telling.running(), announcing.running(), asyncio.TaskGroup() as beside:
            both = (
                beside.create_task(listen(listen_url, bell)),
                beside.create_task(_work_through_jobs(tools)),
            )
            try:
                yield
            finally:
                for task in both:
                    task.cancel()
    except BaseExceptionGroup as group:
        raise _the_one_in(group) from None
    finally:
        await tools.jobs.close_async()


async def _see_that_it_answers(url: str) -> None:
    # Procrastinate's pool would wait for half a minute, and then leave its helpers behind.
    try:
        await (await psycopg.AsyncConnection.connect(url, connect_timeout=5)).close()
    except psycopg.OperationalError as error:
        raise Unavailable(
            "The database cannot be reached just now.", hint="Start the worker again in a moment."
        ) from error


async def _work_through_jobs(tools: Tools) -> None:
    """Without end: a schedule that stops with nobody noticing would leave lapsed mentors active."""
    while True:
        try:
            await _worker(tools.jobs, tools)
        except (ConnectorException, psycopg.Error, OSError) as error:
            _log.warning(Event.WORKER_INTERRUPTED, part="jobs", error=type(error).__name__)
        await asyncio.sleep(_REST_AFTER_FAULT)


async def _worker(app: App, tools: Tools) -> None:
    await app.run_worker_async(
        queues=[QUEUE],
        install_signal_handlers=False,
        shutdown_graceful_timeout=_LAST_JOBS,
        delete_jobs="successful",
        additional_context={"tools": tools},
    )


def _the_one_in(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """A block that raised one error raises that error, whatever ran beside it."""
    if len(group.exceptions) > 1:
        return group
    (error,) = group.exceptions
    return _the_one_in(error) if isinstance(error, BaseExceptionGroup) else error
