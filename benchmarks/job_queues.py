"""Workers that turn changes into deliveries: ours, and two that run one job for each change, set up as their documentation shows."""

from __future__ import annotations

import asyncio
from multiprocessing.synchronize import Barrier
from typing import Any, Final
from uuid import UUID

from peerpause.database.session import Sessions
from peerpause.notifications.outbox import Outbox

AT_ONCE: Final = 10
"""Jobs that one process of a job queue works on at a time."""


async def drain_ours(url: str, start: Barrier) -> None:
    """A worker of ours: batch after batch until nothing is left."""
    async with Sessions(url=url, size=1) as sessions:
        outbox = Outbox(sessions=sessions)
        await outbox.tell_changes(at_most=0)  # connected, as the others are
        await asyncio.to_thread(start.wait)
        while (await outbox.tell_changes()).anything:
            pass


async def drain_procrastinate(url: str, start: Barrier) -> None:
    """A Procrastinate worker that ends when its queue is empty."""
    async with Sessions(url=url, size=AT_ONCE) as sessions:
        app = _procrastinate_app(url, Outbox(sessions=sessions))
        async with app.open_async():
            await asyncio.to_thread(start.wait)
            await app.run_worker_async(concurrency=AT_ONCE, wait=False, install_signal_handlers=False)


async def drain_pgqueuer(url: str, start: Barrier) -> None:
    """A PgQueuer worker that ends when its queue is empty."""
    import asyncpg
    from pgqueuer import AsyncpgDriver, PgQueuer
    from pgqueuer.types import QueueExecutionMode

    async with Sessions(url=url, size=AT_ONCE) as sessions:
        outbox = Outbox(sessions=sessions)
        connection = await asyncpg.connect(url)
        queuer = PgQueuer(AsyncpgDriver(connection))

        async def tell(job: Any) -> None:
            await outbox.tell_changes(at_most=1, history_id=UUID(job.payload.decode()))

        queuer.entrypoint("tell")(tell)

        await asyncio.to_thread(start.wait)
        await queuer.qm.run(batch_size=AT_ONCE, mode=QueueExecutionMode.drain)
        await connection.close()


async def set_up_queues(url: str) -> None:
    """Install both queues' tables beside ours."""
    import asyncpg
    from pgqueuer import AsyncpgDriver, Queries

    async with Sessions(url=url) as sessions:
        app = _procrastinate_app(url, Outbox(sessions=sessions))
        async with app.open_async():
            await app.schema_manager.apply_schema_async()
    connection = await asyncpg.connect(url)
    await Queries(AsyncpgDriver(connection)).install()
    await connection.close()


async def queue_in_procrastinate(url: str, history_ids: list[UUID]) -> None:
    """One job for each change, all queued at once."""
    async with Sessions(url=url) as sessions:
        app = _procrastinate_app(url, Outbox(sessions=sessions))
        async with app.open_async():
            jobs = [{"history_id": str(history_id)} for history_id in history_ids]
            await app.configure_task("tell").batch_defer_async(*jobs)


async def queue_in_pgqueuer(url: str, history_ids: list[UUID]) -> None:
    """One job for each change, all queued at once."""
    import asyncpg
    from pgqueuer import AsyncpgDriver, Queries

    connection = await asyncpg.connect(url)
    payloads = [str(history_id).encode() for history_id in history_ids]
    await Queries(AsyncpgDriver(connection)).enqueue(["tell"] * len(payloads), payloads, [0] * len(payloads))
    await connection.close()


def _procrastinate_app(url: str, outbox: Outbox) -> Any:
    from procrastinate import App, PsycopgConnector

    app = App(connector=PsycopgConnector(conninfo=url))

    @app.task(name="tell")
    async def tell(history_id: str) -> None:
        await outbox.tell_changes(at_most=1, history_id=UUID(history_id))

    return app
