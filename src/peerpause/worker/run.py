"""Runs everything that happens in the background, in one process, until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from procrastinate import App

from peerpause.notifications.bell import OutboxBell
from peerpause.worker.listening import listen
from peerpause.worker.tasks import QUEUE, Tools, tasks
from peerpause.worker.telling import Telling

_LAST_JOBS: Final = 20.0


@asynccontextmanager
async def background(*, tools: Tools, telling: Telling, bell: OutboxBell, listen_url: str) -> AsyncIterator[None]:
    """Run the worker beside the block: Procrastinate for what happens by the clock, and the telling of changes.

    Ends when the block ends, having let what is under way finish. ``listen_url`` is a direct address of the database.
    """
    tools.jobs.add_tasks_from(tasks, namespace=QUEUE)
    async with tools.jobs.open_async(), telling.running():
        listener = asyncio.create_task(listen(listen_url, bell))
        jobs = asyncio.create_task(_work_through_jobs(tools.jobs, tools))
        try:
            yield
        finally:
            listener.cancel()
            jobs.cancel()
            await asyncio.gather(listener, jobs, return_exceptions=True)


async def _work_through_jobs(app: App, tools: Tools) -> None:
    await app.run_worker_async(
        queues=[QUEUE],
        install_signal_handlers=False,
        shutdown_graceful_timeout=_LAST_JOBS,
        delete_jobs="successful",
        additional_context={"tools": tools},
    )
