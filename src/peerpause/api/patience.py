"""How long the server waits for whoever is at the other end of a connection: a client that dawdles, by accident or to do harm, is let go.

uvicorn itself waits without end for the head of a request, for its body, and for an answer to be read.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle


@dataclass(frozen=True, slots=True)
class Patience:
    """In seconds: for the head of a request to be complete, then for its body, and for an answer to be read on when it is stuck."""

    head: float = 20
    body: float = 120
    reading: float = 60


_TOO_SLOW: Final = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, with an end to waiting. A request that comes too slowly is answered 408 and its connection closed."""

    patience = Patience()

    _asking: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # narrower than asyncio's, as uvicorn's own is
        """Wait for the head of the first request; between later ones, uvicorn's `timeout_keep_alive` counts."""
        super().connection_made(transport)
        self._wait_for_a_request(self.patience.head)

    def on_message_begin(self) -> None:
        """Wait for the head of a request that has begun; the first one has been waited for since the connection was made."""
        super().on_message_begin()
        if self._asking is None:
            self._wait_for_a_request(self.patience.head)

    def on_headers_complete(self) -> None:
        """Wait for the body."""
        self._wait_for_a_request(self.patience.body)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait no more: the request is here."""
        self._stop_waiting()
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Wait for the client to read on."""
        super().pause_writing()
        if self._reading is None:
            self._reading = self.loop.call_later(self.patience.reading, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the client has read."""
        super().resume_writing()
        self._stop_waiting_for_a_reader()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_waiting()
        self._stop_waiting_for_a_reader()
        super().connection_lost(exc)

    def _wait_for_a_request(self, seconds: float) -> None:
        self._stop_waiting()
        self._asking = self.loop.call_later(seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def _stop_waiting_for_a_reader(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _give_up(self) -> None:
        self._asking = None
        if self.transport.is_closing():
            return
        if self.pipeline:  # what is queued behind an answer is not read before that is through
            self._wait_for_a_request(self.patience.body)
            return
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        if cycle is not None and not cycle.response_complete:
            if cycle.response_started:  # a status of ours would land in the middle of the answer
                self.transport.close()
                return
            # What works on the request finds the client gone, and says nothing more.
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.write(_TOO_SLOW)
        self.transport.close()
