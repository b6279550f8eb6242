"""`Idempotency-Key` on every POST: the first answer is kept for a day and given again, by whatever process, after whatever restart.

Changes that are one function of the database keep their key in the change's own transaction; their routes take it as a parameter and
are left alone here. For all others this stands around the app: it claims the key before the work, keeps the answer after it, and
lets go of the key where the request was refused, because then nothing happened that could happen twice. While the first request
runs, a repetition waits for its answer, and after ten seconds is told to come back (409). A process that dies leaves its claim to
whoever repeats the request after the lease.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import structlog
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from psycopg.types.json import Jsonb
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from peerpause.api.problems import REST, answer, problem_of
from peerpause.auth.callers import Doorkeeper
from peerpause.auth.limits import KEY_PATTERN, LONGEST_KEY
from peerpause.database.errors import refusal_behind
from peerpause.database.session import Caller, Claims, Sessions
from peerpause.errors import (
    IdempotencyKeyReused,
    InvalidArgument,
    NotSignedIn,
    PeerPauseError,
    RequestInProgress,
)
from peerpause.telemetry import Event

LEASE: Final = 30.0
"""Seconds a claim outlives its process; while the request runs it is extended."""

PATIENCE: Final = 10.0
"""Seconds a repetition waits for the first answer."""

_HEADER: Final = b"idempotency-key"
_KEY: Final = re.compile(KEY_PATTERN)
_FIRST_LOOK, _LAST_LOOK = 0.05, 0.5
_KEPT_HEADERS: Final = frozenset({"content-type", "etag", "location", "content-range", "preference-applied"})

_log = structlog.get_logger(__name__)


def kept_by_the_database(routers: Iterable[APIRouter]) -> tuple[re.Pattern[str], ...]:
    """The paths whose routes hand their key to the database themselves, to be kept with the change."""
    return tuple(
        route.path_regex
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute) and "POST" in (route.methods or ()) and _takes_a_key(route)
    )


def _takes_a_key(route: APIRoute) -> bool:
    return any(
        parameter.alias.lower().encode() == _HEADER
        and getattr(parameter.field_info, "include_in_schema", True)
        for parameter in route.dependant.header_params
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request as its key stands for it: who asks, by which key, and a digest of what was asked."""

    caller: Caller
    key: str
    request: str
    fingerprint: str


@dataclass(slots=True)
class _Answer:
    """An answer while it is made, and as it is kept."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    messages: list[Message] = field(default_factory=list)

    async def take_in(self, message: Message) -> None:
        """Hold back what the route sends, until it is kept."""
        self.messages.append(message)
        if message["type"] == "http.response.start":
            self.status = message["status"]
            pairs = {
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in message["headers"]
            }
            self.headers = {name: value for name, value in pairs.items() if name in _KEPT_HEADERS}
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    @property
    def to_keep(self) -> Jsonb:
        """The answer as the database keeps it."""
        return Jsonb({"status": self.status, "headers": self.headers, "body": self.body.decode()})


class Repeating:
    """Stands around the app. ``kept_elsewhere`` are the paths it leaves alone."""

    def __init__(self, app: ASGIApp, *, kept_elsewhere: Sequence[re.Pattern[str]]) -> None:
        self._app = app
        self._kept_elsewhere = kept_elsewhere

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: the ASGI interface."""
        key = self._key(scope)
        if key is None:
            await self._app(scope, receive, send)
            return
        try:
            await self._answer(key, scope, receive, send)
        except PeerPauseError as error:
            await answer(scope["path"], problem_of(error), refusal_behind(error))(scope, receive, send)

    def _key(self, scope: Scope) -> bytes | None:
        if scope["type"] != "http" or scope["method"] != "POST":
            return None
        key: bytes | None = next((value for name, value in scope["headers"] if name == _HEADER), None)
        if key is None or any(pattern.match(scope["path"]) for pattern in self._kept_elsewhere):
            return None
        return key

    async def _answer(self, key: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        caller = await _caller(request)
        if caller is None:
            await self._app(scope, receive, send)
            return
        body = await request.body()
        asked = _asked(request, caller, _checked(key), body)
        sessions: Sessions = request.app.state.services.sessions
        claim = await _claim(sessions, asked)
        if isinstance(claim, Mapping):
            await _repeat(claim, send)
            return
        await self._answer_and_keep(sessions, asked, claim, scope, _replay(body, receive), send)

    async def _answer_and_keep(
        self, sessions: Sessions, asked: _Asked, until: datetime, scope: Scope, receive: Receive, send: Send
    ) -> None:
        answer = _Answer()
        async with _holding(sessions, asked, until) as held:
            try:
                await self._app(scope, receive, answer.take_in)
            except Exception:  # whatever it was, nothing is kept that could be given again
                await held.settle(None)
                raise
            # What was refused changed nothing; asked again it may well be granted.
            await held.settle(answer.to_keep if 200 <= answer.status < 300 else None)
        for message in answer.messages:
            await send(message)


class _Held:
    """A claim while its request runs."""

    def __init__(self, sessions: Sessions, asked: _Asked, until: datetime) -> None:
        self._sessions = sessions
        self._asked = asked
        self._until: datetime | None = until

    async def extend_forever(self) -> None:
        """Hold on to the claim as long as the request takes."""
        while self._until is not None:
            await asyncio.sleep(LEASE / 3)
            with suppress(PeerPauseError):
                parameters = {"key": self._asked.key, "until": self._until, "lease": LEASE}
                (row,) = await self._sessions.call(self._asked.caller, "extend_claim", parameters)
                self._until = row["until"]

    async def settle(self, answer: Jsonb | None) -> None:
        """Keep the answer, or let go of the key. The change has been made by now: a fault here must not hide its answer."""
        parameters = {"key": self._asked.key, "until": self._until, "response": answer}
        try:
            await self._sessions.call(self._asked.caller, "settle_claim", parameters)
        except PeerPauseError as error:
            _log.warning(Event.ANSWER_NOT_KEPT, error=error.code)


@asynccontextmanager
async def _holding(sessions: Sessions, asked: _Asked, until: datetime) -> AsyncIterator[_Held]:
    held = _Held(sessions, asked, until)
    extending = asyncio.create_task(held.extend_forever())
    try:
        yield held
    finally:
        extending.cancel()
        with suppress(asyncio.CancelledError):
            await extending


async def _caller(request: Request) -> Caller | None:
    """Who asks, if it is somebody; the route itself refuses everybody else."""
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    try:
        caller = await doorkeeper.admit(
            authorization=request.headers.get("authorization"), apikey=request.headers.get("apikey")
        )
    except NotSignedIn:
        return None
    return None if isinstance(caller, Claims) and caller.user_id is None else caller


def _checked(key: bytes) -> str:
    text = key.decode("latin-1")
    if len(text) > LONGEST_KEY or not _KEY.fullmatch(text):
        raise InvalidArgument(
            f"The Idempotency-Key is not a word of 1 to {LONGEST_KEY} plain characters.",
            hint="A random uuid is a good key.",
            field="header.Idempotency-Key",
        )
    return text


def _asked(request: Request, caller: Caller, key: str, body: bytes) -> _Asked:
    if request.url.path.startswith(f"{REST}/"):
        # A function that takes a key as an argument keeps it under its own name.
        key = hashlib.sha256(f"{REST} {key}".encode()).hexdigest()
    query = f"?{request.url.query}" if request.url.query else ""
    return _Asked(
        caller=caller,
        key=key,
        request=f"{request.method} {request.url.path}{query}"[:1000],
        fingerprint=hashlib.sha256(_plain(body) + query.encode()).hexdigest(),
    )


def _plain(body: bytes) -> bytes:
    """The body such that two ways to write the same JSON are one."""
    try:
        return json.dumps(json.loads(body), sort_keys=True).encode()
    except (ValueError, RecursionError):
        return body


async def _claim(sessions: Sessions, asked: _Asked) -> datetime | Mapping[str, Any]:
    """The end of our claim; or the first answer, waiting for it if need be."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    wait = _FIRST_LOOK
    while True:
        (row,) = await sessions.call(
            asked.caller,
            "claim_key",
            {"key": asked.key, "request": asked.request, "fingerprint": asked.fingerprint, "lease": LEASE},
        )
        match row["state"]:
            case "claimed":
                until: datetime = row["until"]
                return until
            case "answered":
                response: Mapping[str, Any] = row["response"]
                return response
            case "reused":
                raise IdempotencyKeyReused(
                    "This idempotency key was used for another request; nothing was changed.",
                    hint="Use a new key for a new request.",
                    field="header.Idempotency-Key",
                )
        if asyncio.get_running_loop().time() + wait > deadline:
            raise RequestInProgress(
                "The first request with this idempotency key still runs.",
                detail={"retry_after": 2},
                hint="Send the same request again in a moment; it will get the first one's answer.",
            )
        await asyncio.sleep(wait)
        wait = min(2 * wait, _LAST_LOOK)


async def _repeat(kept: Mapping[str, Any], send: Send) -> None:
    body = str(kept["body"]).encode()
    headers = {**kept["headers"], "content-length": str(len(body))}
    if kept["status"] == 204:
        del headers["content-length"]
    await send(
        {
            "type": "http.response.start",
            "status": kept["status"],
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": body})


def _replay(body: bytes, receive: Receive) -> Receive:
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
