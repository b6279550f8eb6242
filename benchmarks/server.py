"""The machine's own PostgreSQL, set up the way one would run it where a lost commit is a lost pause."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from peerpause.database.migrate import Migrator
from tests import servers
from tests.servers import Server

DATABASE: Final = "bench"

_SETTINGS: Final[Mapping[str, str]] = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "1GB",
    "effective_cache_size": "2GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    # Not so small that a run measures its own checkpoints.
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "autovacuum_naptime": "1min",
    "random_page_cost": "1.1",
    "shared_preload_libraries": "pg_stat_statements",
    "log_lock_waits": "off",
}


@contextmanager
def durable_server(settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A server of this run's own, empty but for the migrated database `bench`; it ends with the block, whatever happens to us."""
    with servers.run_folder() as run:
        server = servers.start_server(
            _own_kind(),
            run=run,
            settings={**_SETTINGS, **(settings or {})},
            under=Path(tempfile.gettempdir()),  # a disk, not memory
        )
        migrated_database(server)
        with psycopg.connect(server.socket_url(), autocommit=True) as connection:
            # As an operator would, so that callers can come in the way real requests do.
            connection.execute("alter role authenticator login")
        yield server


def migrated_database(server: Server, name: str = DATABASE) -> str:
    """One more database with our migrations in it; gives its address over the socket, with all rights."""
    with psycopg.connect(server.socket_url(), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    asyncio.run(Migrator(url=server.socket_url(name)).up())
    return server.socket_url(name)


def url(server: Server, *, user: str = "postgres") -> str:
    """The address of the database `bench`, over the socket."""
    return server.socket_url(DATABASE, user=user)


def version(server: Server) -> str:
    """Which PostgreSQL it is, and how it was set up."""
    with psycopg.connect(server.socket_url()) as connection:
        number = connection.info.server_version
    return f"PostgreSQL {number // 10000}.{number % 10000}, shared_buffers {_SETTINGS['shared_buffers']}"


def _own_kind() -> servers.ServerKind:
    for kind in servers.installed():
        if kind.id != "pg18-embedded":
            return kind
    raise SystemExit(
        "Benchmarks run on the machine's own PostgreSQL and there is none. On Debian: apt-get install postgresql"
    )
