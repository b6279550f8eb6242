"""What PeerPause does by the clock inside the database: registered with pg_cron where that extension is there.

Where it is not, the worker does the same by its own schedule. Both at once is harmless: each job takes a lock, and doing it twice
changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from peerpause import sql
from peerpause.errors import PermissionDenied


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """A job in pg_cron: when it runs (cron notation, UTC), the statement, and how its last run ended (``None``: not yet run)."""

    name: str
    schedule: str
    command: str
    active: bool
    last_status: str | None
    last_run_at: str | None

    def to_json(self) -> Mapping[str, Any]:
        """The job as JSON values."""
        return asdict(self)


async def install(connection: psycopg.AsyncConnection[Any]) -> bool:
    """Register our jobs, or put them right where they are registered already. Tells whether this database has pg_cron.

    Raises ``PermissionDenied`` where the login may not create the extension or schedule jobs.
    """
    if not await _is_available(connection):
        return False
    try:
        async with connection.transaction():
            await connection.execute(sql.query("create_pg_cron"))
            await connection.execute(sql.query("install_schedule"))
    except psycopg.errors.InsufficientPrivilege:
        raise PermissionDenied(
            "This login may not schedule jobs in the database.",
            hint="Use the role that owns the database, or on Supabase the role postgres.",
        ) from None
    return True


async def jobs(connection: psycopg.AsyncConnection[Any]) -> tuple[ScheduledJob, ...] | None:
    """Our jobs in pg_cron; None where this database has no pg_cron."""
    if not await _is_created(connection):
        return None
    async with connection.cursor(row_factory=class_row(ScheduledJob)) as cursor:
        await cursor.execute(sql.query("list_schedule"))
        return tuple(await cursor.fetchall())


async def remove(connection: psycopg.AsyncConnection[Any]) -> int:
    """Take our jobs out of pg_cron, and leave everybody else's. Answers how many there were."""
    if not await _is_created(connection):
        return 0
    async with connection.transaction():
        cursor = await connection.execute(sql.query("remove_schedule"))
        return len(await cursor.fetchall())


async def _is_available(connection: psycopg.AsyncConnection[Any]) -> bool:
    return bool(await _asked(connection, "find_pg_cron", "available"))


async def _is_created(connection: psycopg.AsyncConnection[Any]) -> bool:
    return bool(await _asked(connection, "find_pg_cron", "created"))


async def _asked(connection: psycopg.AsyncConnection[Any], query: str, column: str) -> object:
    async with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        await cursor.execute(sql.query(query))
        row = await cursor.fetchone()
    return None if row is None else row[column]
