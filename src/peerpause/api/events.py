"""`/v1/events`: server-sent events, so that an open page follows changes made elsewhere. Each reader sees what row security shows them."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse

from peerpause.api.told import Closed, Gap, ToldChanges
from peerpause.auth.callers import SignedIn
from peerpause.database.session import Caller, Claims, Sessions
from peerpause.errors import PeerPauseError, Unavailable

router = APIRouter(prefix="/v1", tags=["status"])

MOST_STREAMS: Final = 1000
"""Pages one process lets follow at the same time."""

HEARTBEAT: Final = 15.0
"""Seconds after which a quiet stream shows that it is alive, for proxies and for us to notice that the reader has gone."""

_BREATH: Final = 0.2  # between two batches, so that a burst of changes is one question to the database

_EXAMPLE: Final = """retry: 2000

id: 0192f0c1-7a2b-7c3d-8e4f-5a6b7c8d9e0f
event: status
data: {"mentor_id": "6f1c5f0e-3f0b-4c57-9c2b-1d1f5a7f9b10", "previous_status": "active", "new_status": "paused", "changed_at": "2026-11-01T09:30:00.123456+00:00"}

event: reset
data: {}
"""


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Events `status`, one for each change, and `reset` where some may have been missed: load anew.",
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}},
        }
    },
)
async def follow(
    request: Request,
    caller: SignedIn,
    last_event_id: Annotated[
        UUID | None, Header(description="The id of the last event seen, to go on behind it.")
    ] = None,
) -> StreamingResponse:
    """Follow the changes of the mentors the caller may see, until the token expires or the server ends."""
    told: ToldChanges = request.app.state.told
    slots: asyncio.Semaphore = request.app.state.event_slots
    if slots.locked():
        raise Unavailable("Too many pages follow along just now.", hint="Try again in a moment.")
    sessions: Sessions = request.app.state.services.sessions
    return StreamingResponse(
        _stream(told, sessions, caller, last_event_id, slots),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@contextmanager
def closing_early(told: ToldChanges) -> Iterator[None]:
    """End the streams at SIGTERM or Ctrl-C: the server waits for requests under way, and a stream would never end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {}

    def chained(number: int, frame: FrameType | None) -> None:
        told.close()
        handler: Callable[[int, FrameType | None], object] | int | None = before[number]
        if callable(handler):
            handler(number, frame)

    for number in (signal.SIGTERM, signal.SIGINT):
        before[number] = signal.getsignal(number)
        if callable(before[number]):
            signal.signal(number, chained)
    try:
        yield
    finally:
        for caught, handler in before.items():
            if signal.getsignal(caught) is chained:
                signal.signal(caught, handler)


async def _stream(
    told: ToldChanges, sessions: Sessions, caller: Caller, seen: UUID | None, slots: asyncio.Semaphore
) -> AsyncIterator[str]:
    async with slots:
        yield "retry: 2000\n\n"
        position = told.position if seen is None else told.position_of(seen)
        if position is None:
            position = told.position
            yield _RESET
        while not _has_expired(caller):
            try:
                changes = await told.after(position, patience=HEARTBEAT)
                position += len(changes)
                rows = await _visible(
                    sessions, caller, [(each.organisation_id, each.history_id) for each in changes]
                )
            except Gap:
                position = told.position
                yield _RESET
                continue
            except (Closed, PeerPauseError):
                return  # the reader comes back, and says what it saw last
            for row in rows:
                yield _event(row)
            # Also moves the reader's place on past what was not for them.
            yield f"id: {told.newest}\n\n" if told.newest and changes else ": still here\n\n"
            await asyncio.sleep(_BREATH)


async def _visible(
    sessions: Sessions, caller: Caller, pairs: list[tuple[UUID, UUID]]
) -> list[dict[str, Any]]:
    if not pairs:
        return []
    return await sessions.call(
        caller,
        "read_told_changes",
        {
            "organisations": [organisation for organisation, _ in pairs],
            "ids": [change for _, change in pairs],
        },
    )


def _event(row: Mapping[str, Any]) -> str:
    data = {
        "mentor_id": str(row["mentor_id"]),
        "previous_status": row["previous_status"],
        "new_status": row["new_status"],
        "changed_at": row["changed_at"].isoformat(),
    }
    return f"id: {row['id']}\nevent: status\ndata: {json.dumps(data)}\n\n"


def _has_expired(caller: Caller) -> bool:
    expires_at = caller.others.get("exp") if isinstance(caller, Claims) else None
    return isinstance(expires_at, int | float) and time.time() > expires_at


_RESET: Final = "event: reset\ndata: {}\n\n"
