"""Procrastinate's own tables, in a schema of their own, made by whoever may create things: the role that migrates."""

from __future__ import annotations

from typing import Final

import psycopg
from procrastinate.schema import SchemaManager

from peerpause import sql
from peerpause.errors import MigrationError, Unavailable

SCHEMA: Final = "procrastinate"


async def ensure_schema(url: str) -> bool:
    """Make Procrastinate's tables where they are missing; two at once wait for each other. Tells whether it made them.

    Raises ``MigrationError`` where the role may not create them, ``Unavailable`` where the database is away.
    """
    try:
        async with await psycopg.AsyncConnection.connect(url) as connection:
            await connection.execute(sql.query("lock_procrastinate"))
            cursor = await connection.execute(sql.query("find_procrastinate"))
            row = await cursor.fetchone()
            if row is not None and row[0]:
                return False
            await connection.execute(sql.query("prepare_procrastinate"))
            # Procrastinate's own text, which names its schema nowhere: the search path says where it goes.
            await connection.execute(SchemaManager.get_schema())
            await connection.execute(sql.query("open_procrastinate"))
            return True
    except psycopg.Error as error:
        if error.sqlstate is None:
            raise Unavailable(
                "The database cannot be reached just now.", hint="Try again in a moment."
            ) from error
        raise MigrationError(
            f"Procrastinate's tables could not be made (SQLSTATE {error.sqlstate}).",
            hint="Run `peerpause migrate up` as the role that owns the database.",
        ) from error
