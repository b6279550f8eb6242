"""A local server that speaks FCM's wire: sign-in, ``messages:send``, Google's refusals; for the demo, the tests and the benchmarks.

It keeps what arrived so that a person or a test can look, and can be told to misbehave: per device, by chance, or by ending
its access tokens. ``python -m peerpause.demo.fcm_standin --port 8086`` runs it by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import sys
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from peerpause.demo import fcm_answers
from peerpause.demo.fcm_answers import Behaviour
from peerpause.demo.fcm_oauth import ServiceAccount, TokenOffice
from peerpause.demo.fcm_wire import violations

_CHANCE_FAILURES = (fcm_answers.UNAVAILABLE, fcm_answers.INTERNAL, fcm_answers.DROP)
_SHUTDOWN_SECONDS = 0.1
_SEND_SUFFIX = "/messages:send"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message that came: when (UTC), what, how the stand-in treated it, and whether the sender was told it was taken."""

    at: datetime
    message: Mapping[str, Any]
    outcome: str
    accepted: bool

    @property
    def target(self) -> str:
        """The device's registration token or installation id."""
        return str(self.message.get("token") or self.message.get("fid") or "")

    def to_json(self) -> dict[str, Any]:
        """For ``GET /arrivals``."""
        return {"at": self.at.isoformat(), "outcome": self.outcome, "message": self.message}


class FcmStandin:
    """The stand-in, started by ``async with``.

    ``validate=False`` is for benchmarks: messages are neither looked at nor kept, only counted in ``count``. ``fail_rate``
    (0 to 1) of all messages fail by chance, in an order fixed by ``seed``. ``token_lifetime`` is in seconds. ``keep`` bounds
    how many calls are remembered; ``None`` remembers all.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        project_id: str = "peerpause-demo",
        validate: bool = True,
        fail_rate: float = 0.0,
        seed: int | None = None,
        token_lifetime: float = 3600.0,
        keep: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.account = ServiceAccount(project_id=project_id)
        self.tokens = TokenOffice(self.account, lifetime=token_lifetime, clock=clock)
        self.fail_rate = fail_rate
        self.count = 0
        self._host, self._port = host, port
        self._validate = validate
        self._chance = random.Random(seed)
        self._scripts: dict[str, deque[Behaviour]] = {}
        self._afterwards: defaultdict[str, Behaviour] = defaultdict(lambda: fcm_answers.OK)
        self._calls: deque[Arrival] = deque(maxlen=keep)
        self._listeners: set[asyncio.Queue[Arrival | None]] = set()
        self._numbers = itertools.count(1)
        self._token_faults: deque[Behaviour] = deque()
        self._server: asyncio.Server | None = None
        self._web: web.Server | None = None

    async def __aenter__(self) -> Self:
        self._web = web.Server(self._handle, handler_cancellation=True, access_log=None)
        self._server = await asyncio.get_running_loop().create_server(
            self._web, self._host, self._port, backlog=1024
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        assert self._web is not None
        self._server.close()
        await self._web.shutdown(_SHUTDOWN_SECONDS)
        await self._server.wait_closed()
        for listener in self._listeners:
            listener.put_nowait(None)

    @property
    def endpoint(self) -> str:
        """Where it listens: the value for ``PEERPAUSE_FCM_ENDPOINT``."""
        return f"http://{self._host}:{self._port}"

    @property
    def credentials(self) -> str:
        """Its service account as JSON text: the value for ``PEERPAUSE_FCM_CREDENTIALS``."""
        return json.dumps(self.account.to_json(token_uri=self._token_uri))

    @property
    def calls(self) -> list[Arrival]:
        """Every message that came, however it was treated, oldest first."""
        return list(self._calls)

    @property
    def arrivals(self) -> list[Arrival]:
        """The messages it accepted, oldest first."""
        return [call for call in self._calls if call.accepted]

    def script(
        self, target: str, behaviours: Iterable[Behaviour], *, then: Behaviour = fcm_answers.OK
    ) -> None:
        """Treat the next messages to this token or installation id so, one after the other, and all later ones as ``then``."""
        self._scripts[target] = deque(behaviours)
        self._afterwards[target] = then

    def script_token_endpoint(self, behaviours: Iterable[Behaviour]) -> None:
        """Treat the next requests for an access token so, and later ones properly again."""
        self._token_faults = deque(behaviours)

    def expire_access_tokens(self) -> None:
        """End every access token now, although its holder was told it would last longer."""
        self.tokens.revoke_all()

    def on_arrival(self) -> AsyncIterator[Arrival]:
        """Each message from now on as it comes, refused ones too, until the stand-in stops."""
        inbox: asyncio.Queue[Arrival | None] = asyncio.Queue()
        self._listeners.add(inbox)
        return self._listen(inbox)

    async def _listen(self, inbox: asyncio.Queue[Arrival | None]) -> AsyncIterator[Arrival]:
        try:
            while (arrival := await inbox.get()) is not None:
                yield arrival
        finally:
            self._listeners.discard(inbox)

    @property
    def _token_uri(self) -> str:
        return f"{self.endpoint}/token"

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "POST" and request.raw_path.endswith(_SEND_SUFFIX):
            return await self._answer(request, await self._judge(request))
        if request.method == "POST" and request.raw_path == "/token":
            return await self._token(request)
        if request.method == "GET" and request.raw_path == "/arrivals":
            return web.json_response([arrival.to_json() for arrival in self._calls])
        return await self._answer(request, fcm_answers.NOT_FOUND)

    async def _judge(self, request: web.BaseRequest) -> Behaviour:
        body = await request.read()
        if not self.tokens.accepts(request.headers.get("Authorization", "")):
            return fcm_answers.UNAUTHENTICATED
        if not self._validate:
            self.count += 1
            return self._by_chance()
        if request.raw_path != f"/v1/projects/{self.account.project_id}{_SEND_SUFFIX}":
            return fcm_answers.WRONG_PROJECT
        try:
            content = json.loads(body)
        except ValueError:
            content = None
        if found := list(violations(content)):
            behaviour = fcm_answers.invalid_request(found)
        else:
            behaviour = self._scripted(content["message"])
        message = content.get("message") if isinstance(content, dict) else None
        self._record(message if isinstance(message, dict) else {}, behaviour)
        return behaviour

    def _scripted(self, message: Mapping[str, Any]) -> Behaviour:
        target = str(message.get("token") or message.get("fid") or "")
        if target not in self._scripts:
            return self._by_chance()
        script = self._scripts[target]
        return script.popleft() if script else self._afterwards[target]

    def _by_chance(self) -> Behaviour:
        if self.fail_rate and self._chance.random() < self.fail_rate:
            return self._chance.choice(_CHANCE_FAILURES)
        return fcm_answers.OK

    def _record(self, message: Mapping[str, Any], behaviour: Behaviour) -> None:
        self.count += 1
        arrival = Arrival(
            at=datetime.now(UTC), message=message, outcome=behaviour.outcome, accepted=behaviour.accepts
        )
        self._calls.append(arrival)
        for listener in self._listeners:
            listener.put_nowait(arrival)

    async def _token(self, request: web.BaseRequest) -> web.StreamResponse:
        form = await request.post()
        if self._token_faults:
            return await self._answer(request, self._token_faults.popleft())
        answer = self.tokens.answer(form, audience=self._token_uri)
        return web.json_response(dict(answer.body), status=answer.status)

    async def _answer(self, request: web.BaseRequest, behaviour: Behaviour) -> web.StreamResponse:
        if behaviour.delay:
            await asyncio.sleep(behaviour.delay)
        if behaviour.drop and request.transport is not None:
            request.transport.abort()
        body = behaviour.body
        if body is None:
            body = b'{"name":"projects/%b/messages/%d"}' % (
                self.account.project_id.encode(),
                next(self._numbers),
            )
        return web.Response(
            body=body, status=behaviour.status, headers=behaviour.headers, content_type="application/json"
        )


def main(arguments: list[str] | None = None) -> None:
    """Run the stand-in until interrupted; prints its address, then a line for each message."""
    parser = argparse.ArgumentParser(prog="python -m peerpause.demo.fcm_standin", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument(
        "--fail-rate", type=float, default=0.0, help="share of messages that fail by chance, 0 to 1"
    )
    parser.add_argument("--seed", type=int, default=None, help="fixes which ones")
    parser.add_argument("--quick", action="store_true", help="for benchmarks: only count messages")
    parser.add_argument("--credentials", type=Path, help="write the service-account file here")
    chosen = parser.parse_args(arguments)
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(chosen))


async def _serve(chosen: argparse.Namespace) -> None:
    standin = FcmStandin(
        port=chosen.port, fail_rate=chosen.fail_rate, seed=chosen.seed, validate=not chosen.quick, keep=10_000
    )
    async with standin:
        if chosen.credentials:
            await asyncio.to_thread(_write_private, chosen.credentials, standin.credentials)
        _say(standin.endpoint)
        async for arrival in standin.on_arrival():
            _say(json.dumps(arrival.to_json(), ensure_ascii=False))


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
