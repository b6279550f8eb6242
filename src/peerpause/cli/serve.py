"""`peerpause serve`: the HTTP API, and beside it the worker that tells of changes."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from peerpause.database.embedded import EmbeddedServer
from peerpause.database.migrate import Migrator
from peerpause.settings import load_settings, variable
from peerpause.worker.schema import ensure_schema

Host = Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for every one of the machine.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")]
Processes = Annotated[
    int, typer.Option("--workers", min=1, max=64, metavar="N", help="Processes that share the port.")
]
NoWorker = Annotated[
    bool, typer.Option("--no-worker", help="Answer requests only; `peerpause worker` runs elsewhere.")
]


def serve(
    host: Host = "127.0.0.1", port: Port = 8000, processes: Processes = 1, no_worker: NoWorker = False
) -> None:
    """Serve the HTTP API, and tell of changes unless --no-worker is given.

    Works on the database that PEERPAUSE_DATABASE_URL names, migrated with `peerpause migrate up`; without it on an embedded one in
    the folder .peerpause, which it prepares by itself. SIGTERM and Ctrl-C let requests under way finish.
    """
    from peerpause.api.serving import serve as serve_http

    settings = load_settings()
    if settings.database_url is not None:
        serve_http(host=host, port=port, processes=processes, with_worker=not no_worker)
        return
    database = EmbeddedServer()
    url = asyncio.run(_prepare(database))
    # The processes that serve read the environment.
    os.environ[variable("database_url")] = url
    try:
        serve_http(host=host, port=port, processes=processes, with_worker=not no_worker)
    finally:
        asyncio.run(database.close())


async def _prepare(database: EmbeddedServer) -> str:
    url = await database.start()
    await Migrator(url=url).up()
    await ensure_schema(url)
    return url
