"""Brings a database from one migration to the next and back, in step with the Supabase CLI.

Each migration runs in one transaction together with its row in the ledger, so it is there wholly or not at all. Migrators wait for each
other; the one that waited reads the ledger again and goes on from there.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg
from psycopg.rows import class_row

from peerpause import sql
from peerpause.database.ledger import Finding, Ledger, LedgerRow
from peerpause.database.statements import Statement, split
from peerpause.errors import MigrationError, Unavailable
from peerpause.sql import Migration, query

_LINE_IN_BLOCK = re.compile(r"inline_code_block line (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrator:
    """Applies, takes back and inspects the migrations of the database at ``url``.

    ``lock_timeout`` bounds the wait for a table that others use, ``statement_timeout`` a single statement and the wait for another
    migrator. ``on_step`` hears of each migration once it is committed, ``on_notice`` what PostgreSQL remarks on the way.

    Every method raises Unavailable when the database does not answer and MigrationError when it refuses.
    """

    url: str = field(repr=False)
    migrations: Sequence[Migration] = field(default_factory=sql.migrations, repr=False)
    lock_timeout: timedelta = timedelta(seconds=5)
    statement_timeout: timedelta = timedelta(minutes=15)
    on_step: Callable[[Migration], None] = field(default=lambda migration: None, repr=False)
    on_notice: Callable[[str], None] = field(default=lambda notice: None, repr=False)

    async def up(self) -> tuple[Migration, ...]:
        """Apply what is pending, oldest first, and return it; nothing the second time.

        Raises MigrationError when a newer program has been here, or when a migration fails: that one is rolled back, earlier ones stay.
        """
        done: list[Migration] = []
        async with self._connection() as connection:
            while migration := await self._apply_next(connection, done):
                done.append(migration)
                self.on_step(migration)
        return tuple(done)

    async def down(self, *, steps: int | None = None, to: str | None = None) -> tuple[Migration, ...]:
        """Take back the newest ``steps`` migrations (default 1), or all after version ``to`` ("0": all of ours); newest first.

        Raises MigrationError before anything is changed when a rollback is missing or ``to`` is not applied.
        """
        done: list[Migration] = []
        async with self._connection() as connection:
            plan = _plan_down(await self._read(connection), steps=steps, to=to)
            for migration in plan:
                await self._take_back(connection, migration, done)
                done.append(migration)
                self.on_step(migration)
        return tuple(done)

    async def status(self) -> Ledger:
        """What is applied, pending, unknown or somebody else's. Changes nothing, not even an absent ledger."""
        async with self._connection() as connection:
            return await self._read(connection)

    async def verify(self) -> tuple[Finding, ...]:
        """What is wrong between the ledger and our files; empty when every migration was applied as it is written now."""
        return (await self.status()).findings()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection]:
        try:
            connection = await psycopg.AsyncConnection.connect(
                self.url, autocommit=True, application_name="peerpause migrate", prepare_threshold=None
            )
        except psycopg.OperationalError as error:
            raise Unavailable(
                f"The database does not answer: {str(error).splitlines()[0]}",
                hint="Check PEERPAUSE_DATABASE_URL or --database-url, and that the server runs.",
            ) from error
        connection.add_notice_handler(lambda notice: self.on_notice(notice.message_primary or ""))
        async with connection:
            try:
                yield connection
            except psycopg.OperationalError as error:
                if not connection.broken:
                    raise
                raise Unavailable(
                    "The connection to the database was lost; the migration at work was rolled back.",
                    hint="Run it again: it goes on where it stopped.",
                ) from error

    async def _apply_next(
        self, connection: psycopg.AsyncConnection, done: Sequence[Migration]
    ) -> Migration | None:
        async with self._step(connection):
            await connection.execute(query("prepare_ledger"))
            ledger = await self._read(connection)
            ledger.require_no_newer()
            if not ledger.pending:
                return None
            migration = ledger.pending[0]
            statements = split(migration.text)
            await _run(connection, f"{migration.stem}.sql", statements, kept=done)
            await connection.execute(
                query("enter_in_ledger"),
                {
                    "version": migration.version,
                    "name": migration.name,
                    "statements": [statement.text for statement in statements],
                },
            )
            return migration

    async def _take_back(
        self, connection: psycopg.AsyncConnection, migration: Migration, done: Sequence[Migration]
    ) -> None:
        async with self._step(connection):
            ledger = await self._read(connection)
            ledger.require_no_newer()
            if not ledger.applied or ledger.applied[-1] != migration:
                raise MigrationError(
                    f"Somebody else migrates this database: {migration.stem} is no longer its newest migration.",
                    hint="See `peerpause migrate status`, then run it again.",
                )
            statements = split(migration.rollback or "")
            await _run(connection, f"rollbacks/{migration.stem}.sql", statements, kept=done)
            await connection.execute(query("strike_from_ledger"), {"version": migration.version})

    @asynccontextmanager
    async def _step(self, connection: psycopg.AsyncConnection) -> AsyncIterator[None]:
        """A transaction that has the ledger to itself: wait for other migrators first, and only then shorten the patience."""
        try:
            async with connection.transaction():
                await self._limit(connection, lock_timeout=self.statement_timeout)
                await connection.execute(query("lock_ledger"))
                await self._limit(connection, lock_timeout=self.lock_timeout)
                yield
        except psycopg.Error as error:
            if connection.broken:
                raise
            raise _ledger_failure(error) from error

    async def _limit(self, connection: psycopg.AsyncConnection, *, lock_timeout: timedelta) -> None:
        await connection.execute(
            query("limit_waiting"),
            {
                "lock_timeout": _milliseconds(lock_timeout),
                "statement_timeout": _milliseconds(self.statement_timeout),
            },
        )

    async def _read(self, connection: psycopg.AsyncConnection) -> Ledger:
        found = await (await connection.execute(query("find_ledger"))).fetchone()
        rows: Sequence[LedgerRow] = ()
        if found is not None and found[0]:
            async with connection.cursor(row_factory=class_row(_Row)) as cursor:
                rows = [row.frozen() for row in await (await cursor.execute(query("read_ledger"))).fetchall()]
        return Ledger(rows=rows, known=self.migrations)


@dataclass(slots=True)
class _Row:
    version: str
    name: str | None
    statements: list[str] | None

    def frozen(self) -> LedgerRow:
        return LedgerRow(self.version, self.name, None if self.statements is None else tuple(self.statements))


def _plan_down(ledger: Ledger, *, steps: int | None, to: str | None) -> tuple[Migration, ...]:
    ledger.require_no_newer()
    newest_first = tuple(reversed(ledger.applied))
    if to is None:
        plan = newest_first[: 1 if steps is None else steps]
    elif to == "0" or to in {migration.version for migration in ledger.applied}:
        plan = tuple(migration for migration in newest_first if migration.version > to)
    else:
        raise MigrationError(
            f"This database does not hold a migration of ours with the version {to}.",
            hint="`peerpause migrate status` lists them; 0 means all of ours.",
        )
    for migration in plan:
        if migration.rollback is None:
            raise MigrationError(
                f"{migration.stem} cannot be taken back: there is no rollbacks/{migration.stem}.sql. Nothing was changed.",
                hint="Write it, or go down no further than this migration.",
            )
    return plan


async def _run(
    connection: psycopg.AsyncConnection,
    file: str,
    statements: Sequence[Statement],
    *,
    kept: Sequence[Migration],
) -> None:
    for statement in statements:
        if statement.ends_transaction:
            raise MigrationError(
                f"{file} line {statement.code_line}: a migration may not begin, commit or roll back transactions.",
                detail={"file": file, "line": statement.code_line},
                hint="Take the statement out; the whole file is one transaction already.",
            )
    for statement in statements:
        try:
            await connection.execute(statement.text.encode())
        except psycopg.Error as error:
            if connection.broken:
                raise
            raise _failure(file, statement, error, kept=kept) from error


def _failure(
    file: str, statement: Statement, error: psycopg.Error, *, kept: Sequence[Migration]
) -> MigrationError:
    line = _line(statement, error.diag)
    # The message alone: DETAIL may quote a row, and rows hold names.
    reason = error.diag.message_primary or type(error).__name__
    stays = f"; {len(kept)} earlier in this run stay" if kept else ""
    return MigrationError(
        f"{file} line {line}: {reason} (SQLSTATE {error.sqlstate}). The whole file was rolled back{stays}.",
        detail={"file": file, "line": line, "sqlstate": error.sqlstate, "kept": [each.stem for each in kept]},
        hint=_advice(error),
    )


def _ledger_failure(error: psycopg.Error) -> MigrationError:
    match error:
        case psycopg.errors.LockNotAvailable() | psycopg.errors.QueryCanceled():
            return MigrationError(
                "Another migrator has been at work on this database for too long; nothing was changed.",
                hint="Find it in pg_stat_activity (application_name 'peerpause migrate'), then run it again.",
            )
        case psycopg.errors.InsufficientPrivilege():
            reason = f"The ledger supabase_migrations.schema_migrations is closed to us: {error.diag.message_primary}"
        case _:
            reason = f"The migration could not be entered in the ledger: {error.diag.message_primary}"
    return MigrationError(
        f"{reason} (SQLSTATE {error.sqlstate}). It was rolled back.",
        detail={"sqlstate": error.sqlstate},
        hint=_advice(error),
    )


def _line(statement: Statement, diag: psycopg.errors.Diagnostic) -> int:
    if diag.statement_position:
        return statement.line_of(int(diag.statement_position) - 1)
    if in_block := _LINE_IN_BLOCK.findall(diag.context or ""):
        # PL/pgSQL counts from the line of the opening quote; the outermost block stands last in the context.
        opening = statement.text.find("$")
        return statement.line_of(max(opening, 0)) + int(in_block[-1]) - 1
    return statement.code_line


def _advice(error: psycopg.Error) -> str:
    match error:
        case psycopg.errors.LockNotAvailable():
            return (
                "Somebody else uses the table. Run it again at a quieter moment, or end the session that "
                "holds the lock (pg_stat_activity, pg_blocking_pids)."
            )
        case psycopg.errors.QueryCanceled():
            return "Run it again with a longer --statement-timeout."
        case psycopg.errors.InsufficientPrivilege():
            return "Migrate as the database's owner (on Supabase: postgres)."
        case psycopg.errors.DeadlockDetected() | psycopg.errors.SerializationFailure():
            return "Run it again."
        case psycopg.errors.ActiveSqlTransaction():
            return "Each file is one transaction, so it cannot hold a statement that must stand outside one."
        case _:
            return (
                error.diag.message_hint
                or "Mend what the message names, then run it again: it goes on where it stopped."
            )


def _milliseconds(duration: timedelta) -> str:
    return f"{round(duration / timedelta(milliseconds=1))}ms"
