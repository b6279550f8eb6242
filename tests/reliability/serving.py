"""The API as an operator runs it: `peerpause serve` in a process of its own."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import psycopg

from peerpause.database.migrate import Migrator
from tests.api.serving import SECRET, SERVICE_KEY
from tests.servers import Database, Server


async def migrated(server: Server, name: str) -> Database:
    """A new database on a server of a test's own, migrated, with the login that an operator gives the API."""
    database = Database(name=name, server=server)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
        await Migrator(url=database.url).up()
        connection.execute("alter role authenticator login")
    return database


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@asynccontextmanager
async def served(
    database: Database, *options: str, port: int | None = None, through: int | None = None
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """`peerpause serve` in a process of its own, ready; killed at the end of the block if it still runs.

    ``port`` is where it listens, ``through`` the port by which it reaches the database if not the server's own.
    """
    port = port or free_port()
    address = database.server.url(database.name, user="authenticator")
    if through is not None:
        address = address.replace(f":{database.server.port}/", f":{through}/")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PEERPAUSE_")},
        "PEERPAUSE_DATABASE_URL": address,
        "PEERPAUSE_JWT_SECRET": SECRET,
        "PEERPAUSE_SERVICE_KEY": SERVICE_KEY,
        "PEERPAUSE_CHANGES_PER_MINUTE": "0",
    }
    command = (sys.executable, "-c", "from peerpause.cli import main; main()", "serve", "--port", str(port))
    process = await asyncio.create_subprocess_exec(
        *command, *options, env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        await until_ready(process, url)
        yield process, url
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        await process.wait()


async def until_ready(process: asyncio.subprocess.Process, url: str) -> None:
    async with httpx.AsyncClient() as client:
        while True:
            assert process.returncode is None, f"serve ended with {process.returncode}"
            with suppress(httpx.TransportError):
                if (await client.get(f"{url}/readyz")).status_code == 200:
                    return
            await asyncio.sleep(0.1)
