"""What every answer has in common: a request id, security headers, a line in the log, a figure, a limit to what is read.

Plain ASGI, because it stands in the way of every request.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Protocol
from uuid import uuid4

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from peerpause.api.problems import Problem, answer
from peerpause.auth.limits import Allowance
from peerpause.telemetry import Event

LARGEST_BODY: Final = 256 * 1024
"""Bytes of a request's body; our largest honest one, 500 device tokens, is below it."""

_HEARD_OUT: Final = 16
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_ALWAYS: Final[Mapping[bytes, bytes]] = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"same-site",
    b"cache-control": b"no-store",
}
_NO_ROUTE: Final = "none"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_log = structlog.get_logger(__name__)


class RequestFigures(Protocol):
    """Where requests are counted."""

    def request_answered(self, *, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer."""


class Manners:
    """Stands around an app. What the app answers itself (a header of its own) is left alone.

    ``figures`` gives the counter once the app runs. ``only_https`` tells browsers to come back by HTTPS only. ``larger_bodies``
    are patterns of whole paths with the bytes a body may have there.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        figures: Callable[[], RequestFigures | None],
        only_https: bool,
        larger_bodies: Mapping[re.Pattern[str], int],
    ) -> None:
        self._app = app
        self._larger_bodies = larger_bodies
        self._figures = figures
        self._headers = dict(_ALWAYS)
        if only_https:
            self._headers[b"strict-transport-security"] = b"max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: the ASGI interface."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = _request_id(scope)
        status = 0

        async def send_with_manners(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._complete(scope, message, request_id)
            await send(message)

        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id.decode())
        try:
            await self._answer(scope, receive, send_with_manners)
        except Exception:  # a defect of ours: the caller hears that, and nothing of what it was
            _log.error(Event.REQUEST_BROKEN, route=_route(scope), exc_info=True)
            if not status:
                with suppress(OSError):
                    await _say(scope, Problem(500, "internal_error", _BROKEN), send_with_manners)
        finally:
            self._note(scope, status or 499, time.perf_counter() - began)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _has_body(scope):
            await self._app(scope, receive, send)
            return
        body = await _read(receive, largest=self._largest_body(scope["path"]))
        match body:
            case bytes():
                await self._app(scope, _replay(body, receive), send)
            case Problem():
                await _say(scope, body, send)
            case None:
                return  # the caller has gone

    def _largest_body(self, path: str) -> int:
        return next(
            (size for pattern, size in self._larger_bodies.items() if pattern.fullmatch(path)), LARGEST_BODY
        )

    def _complete(self, scope: Scope, message: Message, request_id: bytes) -> None:
        headers: list[tuple[bytes, bytes]] = list(message.get("headers", ()))
        given = {name.lower() for name, _ in headers}
        headers += [(name, value) for name, value in self._headers.items() if name not in given]
        headers.append((b"x-request-id", request_id))
        allowance: Allowance | None = scope.get("state", {}).get("allowance")
        if allowance is not None:
            headers += [(name.encode(), value.encode()) for name, value in allowance.headers.items()]
        message["headers"] = headers

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route, method = _route(scope), scope["method"] if scope["method"] in _METHODS else "other"
        figures = self._figures()
        if figures is not None:
            figures.request_answered(route=route, method=method, status=status, seconds=seconds)
        _log.info(
            Event.REQUEST_ANSWERED,
            route=route,
            method=method,
            status=status,
            milliseconds=round(seconds * 1000, 1),
        )


_BROKEN: Final = "Something went wrong on our side."


def _request_id(scope: Scope) -> bytes:
    given: bytes = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given if _REQUEST_ID.fullmatch(given) else uuid4().hex.encode()


def _route(scope: Scope) -> str:
    """The pattern of the path and never the path itself, which may hold a device's token."""
    route: Any = scope.get("route")
    return getattr(route, "path", _NO_ROUTE)


def _has_body(scope: Scope) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


async def _read(receive: Receive, *, largest: int) -> bytes | Problem | None:
    """The whole body; a problem where it is too large; None where the caller hung up.

    Of a body that is somewhat too large the rest is read and thrown away: a caller who is cut off while talking hears no answer.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        size += len(part)
        if size <= largest:
            parts.append(part)
        if size > _HEARD_OUT * largest or not message.get("more_body", False):
            return b"".join(parts) if size <= largest else _too_large(largest)


def _replay(body: bytes, receive: Receive) -> Receive:
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _say(scope: Scope, problem: Problem, send: Send) -> None:
    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    await answer(scope["path"], problem)(scope, nothing, send)


def _too_large(largest: int) -> Problem:
    return Problem(
        413,
        "too_large",
        f"The request's body is larger than {largest // 1024} KiB.",
        "Send less at once.",
        headers={"Connection": "close"},
    )
