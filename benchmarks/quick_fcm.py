"""A stand-in for FCM that is quicker than anything that can be measured against it: it takes messages, counts them and says yes.

It looks at nothing but the length and the beginning of a token: one that begins with `gone-` is refused as UNREGISTERED. A process of
its own (`python -m benchmarks.quick_fcm`), so that it shares no interpreter with those it serves. The demo's stand-in
judges messages as Google would, which takes longer than sending them.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.request import ProxyHandler, build_opener

from peerpause.demo.fcm_oauth import ServiceAccount

GONE: Final = "gone-"
"""What the tokens begin with that are refused."""

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TOKEN: Final = re.compile(rb'"token": ?"([^"]*)"')
_REFUSAL: Final = json.dumps(
    {
        "error": {
            "code": 404,
            "message": "Requested entity was not found.",
            "status": "NOT_FOUND",
            "details": [
                {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "UNREGISTERED"}
            ],
        }
    }
).encode()
_ACCESS: Final = b'{"access_token":"a-token-for-benchmarks","expires_in":3600,"token_type":"Bearer"}'


@dataclass(frozen=True, slots=True)
class QuickFcm:
    """A running stand-in: where it listens."""

    endpoint: str

    @property
    def account(self) -> str:
        """A service account for it, as JSON text."""
        account = ServiceAccount(project_id="peerpause-bench")
        return json.dumps(account.to_json(token_uri=f"{self.endpoint}/token"))

    @property
    def url(self) -> str:
        """Where messages of that account's project are posted."""
        return f"{self.endpoint}/v1/projects/peerpause-bench/messages:send"

    def counts(self) -> tuple[int, int]:
        """How many messages it has taken, and how many it has refused."""
        found: dict[str, int] = self._ask("/counts")
        return found["taken"], found["refused"]

    def arrivals(self) -> dict[str, list[float]]:
        """When messages of each collapse key came, in seconds since 1970, since this was last asked."""
        found: dict[str, list[float]] = self._ask("/arrivals")
        return found

    def _ask(self, path: str) -> Any:
        with build_opener(ProxyHandler({})).open(f"{self.endpoint}{path}") as answer:
            return json.load(answer)


@contextmanager
def quick_fcm() -> Iterator[QuickFcm]:
    """Start one, and stop it at the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.quick_fcm"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield QuickFcm(process.stdout.readline().strip())
    finally:
        process.terminate()
        process.communicate()


_KEY: Final = re.compile(rb'"collapseKey": ?"([^"]*)"')


class _Wire(asyncio.Protocol):
    """One connection: requests one after the other."""

    taken = 0
    refused = 0
    arrived: dict[str, list[float]] = {}  # noqa: RUF012  all connections count together

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its type
        self._heard = b""

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while (end := self._heard.find(b"\r\n\r\n")) >= 0:
            found = _LENGTH.search(self._heard, 0, end + 2)
            last = end + 4 + (int(found[1]) if found else 0)
            if len(self._heard) < last:
                return
            request, self._heard = self._heard[:last], self._heard[last:]
            self._answer(request, end)

    def _answer(self, request: bytes, end: int) -> None:
        kind = _Wire
        if request.startswith(b"POST /token"):
            self._say(b"200 OK", _ACCESS)
        elif request.startswith(b"GET /counts"):
            self._say(b"200 OK", json.dumps({"taken": kind.taken, "refused": kind.refused}).encode())
        elif request.startswith(b"GET /arrivals"):
            self._say(b"200 OK", json.dumps(kind.arrived).encode())
            kind.arrived = {}
        elif (token := _TOKEN.search(request, end)) and token[1].startswith(GONE.encode()):
            kind.refused += 1
            self._say(b"404 Not Found", _REFUSAL)
        else:
            kind.taken += 1
            if key := _KEY.search(request, end):
                kind.arrived.setdefault(key[1].decode(), []).append(time.time())
            self._say(b"200 OK", b'{"name":"projects/peerpause-bench/messages/%d"}' % kind.taken)

    def _say(self, status: bytes, body: bytes) -> None:
        self._transport.write(
            b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (status, len(body), body)
        )


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Wire, "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_serve())
