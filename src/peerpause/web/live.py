"""`/live`: tells an open page that something its reader may see has changed; the page then asks for itself anew.

Nothing but the fact travels here: what changed is read with the page, under the same rules as ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from peerpause.api.events import HEARTBEAT
from peerpause.api.told import Closed, Gap, ToldChanges
from peerpause.database.session import Sessions
from peerpause.errors import PeerPauseError, Unavailable
from peerpause.web.asking import SignedIn, WebPerson, web_sessions
from peerpause.web.cookies import SESSION, read_cookie
from peerpause.web.refusals import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_BREATH: Final = 0.2  # between two looks, so that a burst of changes is one question to the database
_CHANGED: Final = "event: changed\ndata: {}\n\n"
_STILL_HERE: Final = ": still here\n\n"


@router.get("/live")
async def live(request: Request, person: SignedIn) -> StreamingResponse:
    """Follow along until the session ends, the page is closed or the server stops."""
    slots: asyncio.Semaphore = request.app.state.event_slots
    if slots.locked():
        raise Unavailable("Too many pages follow along just now.", hint="Try again in a moment.")
    return StreamingResponse(
        _stream(request, person, slots),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(request: Request, person: WebPerson, slots: asyncio.Semaphore) -> AsyncIterator[str]:
    told: ToldChanges = request.app.state.told
    sessions: Sessions = request.app.state.services.sessions
    async with slots:
        yield "retry: 2000\n\n"
        position = told.position
        while True:
            try:
                changes = await told.after(position, patience=HEARTBEAT)
                position += len(changes)
                if not await _is_still_signed_in(request):
                    return
                rows = changes and await sessions.call(
                    person.claims,
                    "read_told_news",
                    {
                        "organisations": [each.organisation_id for each in changes],
                        "ids": [each.history_id for each in changes],
                    },
                )
            except Gap:
                position = told.position
                yield _CHANGED
                continue
            except (Closed, PeerPauseError):
                return  # the page comes back by itself
            yield _CHANGED if rows else _STILL_HERE
            await asyncio.sleep(_BREATH)


async def _is_still_signed_in(request: Request) -> bool:
    word = read_cookie(request, SESSION)
    return word is not None and await web_sessions(request).find(word) is not None
