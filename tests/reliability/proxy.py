"""A network that can be spoilt: a TCP proxy before the database that is cut, slow, or swallows everything without a word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum


class Network(Enum):
    """How the network is."""

    WELL = "well"
    SLOW = "slow"  # each piece takes a tenth of a second
    SWALLOWS = "swallows"  # half open: takes everything, brings nothing
    CUT = "cut"  # refuses, and what was open is gone


@dataclass(slots=True)
class Proxy:
    """A listening proxy. ``network`` may be set at any time."""

    port: int = 0
    network: Network = Network.WELL
    _lines: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """Cut every line there is, and refuse new ones."""
        self.network = Network.CUT
        for line in list(self._lines):
            line.transport.abort()

    async def serve(self, target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        if self.network is Network.CUT:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
        self._lines |= {writer, far_writer}
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._carry(reader, far_writer))
                both.create_task(self._carry(far_reader, writer))
        finally:
            for line in (writer, far_writer):
                self._lines.discard(line)
                line.transport.abort()

    async def _carry(self, source: asyncio.StreamReader, goal: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await source.read(65536):
                if self.network is Network.SLOW:
                    await asyncio.sleep(0.1)
                if self.network is not Network.SWALLOWS:
                    goal.write(piece)
                    await goal.drain()
        if self.network is not Network.SWALLOWS:
            goal.transport.abort()


@asynccontextmanager
async def proxy(target: int) -> AsyncIterator[Proxy]:
    """A proxy before a port of this machine."""
    network = Proxy()
    serving: set[asyncio.Task[None]] = set()

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        with suppress(ConnectionError):
            await network.serve(target, reader, writer)
        serving.discard(task)

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    network.port = server.sockets[0].getsockname()[1]
    try:
        yield network
    finally:
        server.close()
        network.cut()
        for task in list(serving):
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
