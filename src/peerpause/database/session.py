"""Sessions in the database, each as somebody: the only place that opens a transaction and the only one that commits.

The login behind the pool (`authenticator`, or on the embedded server a superuser) is never used as itself. Every transaction first
takes the caller's role and claims, for its own length, so that row-level security and `auth.uid()` speak of the caller and nothing is
left on the connection afterwards. No state of a session is relied on, so a transaction pooler may stand in between.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol, Self, TypeAlias
from uuid import UUID

import psycopg
from psycopg import AsyncConnection, AsyncTransaction
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from peerpause import sql
from peerpause.database.errors import refusals_translated

Connection: TypeAlias = AsyncConnection[DictRow]
Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Claims:
    """Who asks: the person a verified token names, or with ``user_id=None`` a visitor without one.

    ``others`` are the token's further claims. They cannot change the role: a person is `authenticated`, a visitor `anon`.
    """

    user_id: UUID | None = None
    others: Mapping[str, Any] = field(default_factory=dict, hash=False, repr=False)

    @property
    def role(self) -> Literal["authenticated", "anon"]:
        """The database role this caller has."""
        return "anon" if self.user_id is None else "authenticated"

    def to_json(self) -> str:
        """The claims as `auth.uid()` reads them."""
        claims = {key: value for key, value in self.others.items() if key not in {"sub", "role"}}
        if self.user_id is not None:
            claims["sub"] = str(self.user_id)
        return json.dumps({**claims, "role": self.role}, default=str)


@dataclass(frozen=True, slots=True)
class Service:
    """The system itself: jobs and servers, above row-level security."""

    @property
    def role(self) -> Literal["service_role"]:
        """The database role of the system."""
        return "service_role"

    def to_json(self) -> str:
        """Claims that name nobody."""
        return json.dumps({"role": self.role})


Caller: TypeAlias = Claims | Service


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a call: the name of a file in `sql/queries`, and its parameters."""

    query: str
    parameters: Mapping[str, object] = field(default_factory=dict, repr=False)

    @property
    def text(self) -> str:
        """The statement."""
        return sql.query(self.query)


class Statement(Protocol):
    """A statement of a call, whatever its text comes from."""

    @property
    def text(self) -> str:
        """SQL with psycopg's placeholders."""

    @property
    def parameters(self) -> Mapping[str, object]:
        """What stands for the placeholders."""


# For libpq: a machine at the other end that is gone without a word is given up after a minute, whoever waits.
_NOTICE_A_DEAD_NETWORK: Final = {
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 4,
    "tcp_user_timeout": 60_000,
}


class Sessions:
    """A pool of connections to one database.

    ``url`` is a libpq address. At most ``size`` connections are open; who finds none free within ``patience`` seconds, or no server,
    gets Unavailable. ``prepare_after`` is how often a statement is sent before the server is asked to remember it: None, never, for
    PgBouncer before 1.21. ``lock_timeout`` is what a transaction waits for another's lock, in PostgreSQL's notation. A person waits
    ``answer_within`` seconds for the database at most, then they get Unavailable: a network may swallow what is sent and say nothing. Jobs may take longer.
    """

    def __init__(
        self,
        *,
        url: str,
        size: int = 10,
        patience: float = 5.0,
        prepare_after: int | None = 5,
        lock_timeout: str = "10s",
        answer_within: float = 30.0,
    ) -> None:
        self._lock_timeout = lock_timeout
        self._answer_within = answer_within
        self._prepares = prepare_after is not None
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            connection_class=AsyncConnection[DictRow],
            kwargs={
                "autocommit": True,
                "row_factory": dict_row,
                "prepare_threshold": prepare_after,
                "connect_timeout": max(2, round(patience)),
                **_NOTICE_A_DEAD_NETWORK,
            },
            min_size=min(1, size),
            max_size=size,
            timeout=patience,
            check=_refuse_if_closed,
            open=False,
            name="peerpause",
        )

    async def __aenter__(self) -> Self:
        await self._pool.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.close()

    async def call(
        self, caller: Caller, query: str, parameters: Mapping[str, object] | None = None
    ) -> list[DictRow]:
        """Ask one thing as ``caller`` and commit, in one round trip; gives the rows.

        Raises what the database refuses with (see `peerpause.database.errors`), Unavailable when it is away.
        """
        (rows,) = await self.call_all(caller, Step(query, parameters or {}))
        return rows

    async def call_all(self, caller: Caller, *steps: Statement) -> Sequence[list[DictRow]]:
        """Ask several things in one transaction and one round trip: all are done, or none. Gives the rows of each step, none where
        a step answers with none by its nature.

        A later step sees what an earlier one did. None can use what another answered; for that there is ``as_user``.
        """
        with refusals_translated():
            async with self._pool.connection() as connection:
                try:
                    # What is sent down a pipeline is one transaction, which its end commits: no begin and no commit need to be sent.
                    with self._in_time(connection, caller):
                        async with connection.pipeline():
                            try:
                                await self._assume(connection, caller)
                                prepare = _may_prepare(caller)
                                cursors = [
                                    await connection.execute(step.text, step.parameters, prepare=prepare)
                                    for step in steps
                                ]
                            except BaseException:
                                # A step that never left us would else leave those before it to be committed.
                                await connection.execute("rollback")
                                raise
                except psycopg.Error:
                    await self._forget_prepared(connection)
                    raise
                return [await cursor.fetchall() if cursor.description else [] for cursor in cursors]

    @asynccontextmanager
    async def as_user(self, claims: Claims) -> AsyncIterator[Connection]:
        """One transaction as the person who asks: committed at the end of the block, rolled back if it raises."""
        async with self._as(claims) as connection:
            yield connection

    @asynccontextmanager
    async def as_service(self) -> AsyncIterator[Connection]:
        """One transaction as the system: committed at the end of the block, rolled back if it raises."""
        async with self._as(Service()) as connection:
            yield connection

    @asynccontextmanager
    async def _as(self, caller: Caller) -> AsyncIterator[Connection]:
        with refusals_translated():
            async with self._pool.connection() as connection, AsyncExitStack() as transaction:
                transaction.enter_context(self._in_time(connection, caller))
                async with connection.pipeline():
                    # Not connection.transaction(): in a pipeline it would wait for the server twice more. Inside either of them
                    # the driver refuses commit(), so that nobody works on without the caller's role.
                    await transaction.enter_async_context(AsyncTransaction(connection))
                    await self._assume(connection, caller)
                yield connection

    @contextmanager
    def _in_time(self, connection: Connection, caller: Caller) -> Iterator[None]:
        """Hang up on a database that answers a person nothing: whoever waits for it then hears that the connection is gone."""
        if isinstance(caller, Service):
            yield
            return
        timer = asyncio.get_running_loop().call_later(self._answer_within, _hang_up, connection)
        try:
            yield
        finally:
            timer.cancel()

    async def _forget_prepared(self, connection: Connection) -> None:
        """Let driver and server agree again on which statements are prepared.

        The driver takes a statement for prepared once it has sent it, but behind a refusal the server skips what else comes down the
        pipeline. Asked for later, the statement would not exist, on this connection for good. At a rollback the driver forgets
        everything, and a rollback it makes only of a transaction that it sees.
        """
        if self._prepares:
            with suppress(psycopg.Error):  # where the connection is gone, so is what was prepared on it
                await connection.execute("begin")
                await connection.rollback()

    async def _assume(self, connection: Connection, caller: Caller) -> None:
        await connection.execute(
            sql.query("assume_caller"),
            {"role": caller.role, "claims": caller.to_json(), "lock_timeout": self._lock_timeout},
        )


def _may_prepare(caller: Caller) -> bool | None:
    """The system's statements are about many rows at once, and each is planned for the tables as they are now.

    Prepared, they would keep a plan from when a queue was empty, which takes many times as long once it is not.
    """
    return False if isinstance(caller, Service) else None


_READABLE: Final = select.POLLIN | select.POLLHUP | select.POLLERR


async def _refuse_if_closed(connection: Connection) -> None:
    """Find out without asking the server that it has hung up meanwhile: on a quiet connection there is nothing to read."""
    for _ in range(2):  # its last words first, then the end
        if not _has_something_to_read(connection):
            return
        connection.pgconn.consume_input()


def _hang_up(connection: Connection) -> None:
    # Beneath the driver, which waits for a word from the other side whatever it is told.
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def _has_something_to_read(connection: Connection) -> bool:
    poll = select.poll()
    poll.register(connection.pgconn.socket, _READABLE)
    return bool(poll.poll(0))
