"""A listener on the wire between a client and PostgreSQL: it passes everything on and counts who had to wait for whom."""

from __future__ import annotations

import asyncio
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

_START = struct.Struct("!I")
_MESSAGE = struct.Struct("!cI")
_FLUSH = "H"


@dataclass(slots=True)
class Wiretap:
    """What passed since the last `reset`.

    ``messages`` counts the client's messages by their letter in PostgreSQL's protocol (P parse, B bind, E execute, S sync, Q query).
    ``round_trips`` is how often the client asked something new after the server had answered, the first time included. A
    request to flush asks nothing new: it only says that the client is waiting.
    """

    url: str = ""
    round_trips: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    _server_spoke: bool = True

    def reset(self) -> None:
        self.round_trips = 0
        self.messages.clear()
        self._server_spoke = True

    def client_said(self, letter: str) -> None:
        self.messages[letter] += 1
        if letter != _FLUSH and self._server_spoke:
            self.round_trips += 1
            self._server_spoke = False

    def server_spoke(self) -> None:
        self._server_spoke = True


@asynccontextmanager
async def tapped(url: str) -> AsyncIterator[Wiretap]:
    """Listen in on everybody who connects to the yielded `url`."""
    tap = Wiretap()
    there = urlsplit(url)
    lines: set[asyncio.Task[None]] = set()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(there.hostname, there.port)
        client = _ClientMessages(tap)
        lines.add(asyncio.create_task(_pass_on(reader, server_writer, client.feed)))
        lines.add(asyncio.create_task(_pass_on(server_reader, writer, lambda _: tap.server_spoke())))

    listener = await asyncio.start_server(connect, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    tap.url = urlunsplit(there._replace(netloc=f"{there.username}@127.0.0.1:{port}", query="sslmode=disable"))
    try:
        yield tap
    finally:
        listener.close()
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)


class _ClientMessages:
    """One client's bytes, cut into messages. The first has no letter."""

    def __init__(self, tap: Wiretap) -> None:
        self._tap = tap
        self._rest = b""
        self._started = False

    def feed(self, chunk: bytes) -> None:
        self._rest += chunk
        while (size := self._size()) and len(self._rest) >= size:
            self._tap.client_said(chr(self._rest[0]) if self._started else "startup")
            self._started = True
            self._rest = self._rest[size:]

    def _size(self) -> int:
        """The next message's length, 0 where too little of it has come to tell."""
        if not self._started:
            return int(_START.unpack_from(self._rest)[0]) if len(self._rest) >= _START.size else 0
        return 1 + int(_MESSAGE.unpack_from(self._rest)[1]) if len(self._rest) >= _MESSAGE.size else 0


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, note: Callable[[bytes], None]
) -> None:
    try:
        while chunk := await reader.read(1 << 16):
            note(chunk)
            writer.write(chunk)
            await writer.drain()
    finally:
        writer.close()
