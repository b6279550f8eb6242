"""The demo's front page: what there is to try, as whom, and beside it the pushes as they arrive at everybody's phones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, FastAPI, Request, Response

from peerpause.database.session import Service, Sessions
from peerpause.demo.fcm_standin import Arrival, FcmStandin
from peerpause.web.asking import MaybeSignedIn
from peerpause.web.demo_sign_in import DemoPerson, demo_sign_in_routes
from peerpause.web.pages import page
from peerpause.web.reader import reader_of
from peerpause.web.refusals import PageRoute

FRONT: Final = "/demo"
"""Where the demo begins in a browser."""

_MOST_SHOWN: Final = 12
# In the order in which one would try them.
_PARTS: Final = ("mentor", "coordinator", "stranger", "paused", "lapsed", "admin")


@dataclass(frozen=True, slots=True)
class ShownPush:
    """A push as it arrived: at whose phone, what it says, and what became of it."""

    at: datetime
    phone: str
    title: str
    body: str
    is_accepted: bool


@dataclass(slots=True)
class _People:
    """Whom one may be: found once, so that nobody disappears between the page and its form."""

    sessions: Sessions
    found: Sequence[DemoPerson] = field(default=())

    async def __call__(self) -> Sequence[DemoPerson]:
        if not self.found:
            self.found = await _find_people(self.sessions)
        return self.found


def add_demo_pages(app: FastAPI, *, sessions: Sessions, standin: FcmStandin) -> None:
    """Let visitors of this app choose who they are, and see what to try.

    They get in as anybody they choose: only for a database of made-up people.
    """
    app.state.is_demo = True
    people = _People(sessions)
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get(FRONT)
    async def front(request: Request, person: MaybeSignedIn) -> Response:
        return page(
            request,
            "demo/front.html",
            reader=None if person is None else await reader_of(request, person),
            people=await people(),
            chapter_id=await _chapter(sessions),
            pushes=await _pushes(sessions, standin),
        )

    app.include_router(router)
    app.include_router(demo_sign_in_routes(people))


async def _find_people(sessions: Sessions) -> Sequence[DemoPerson]:
    (cast,) = await sessions.call(Service(), "demo_cast")
    rows = await sessions.call(Service(), "demo_personas", {"organisation_id": cast["organisation_id"]})
    found: dict[str, tuple[UUID, str]] = {
        "mentor": (cast["mentor_user_id"], cast["mentor_name"]),
        "coordinator": (cast["coordinator_id"], cast["coordinator_name"]),
        "stranger": (cast["stranger_id"], cast["stranger_name"]),
        **{row["part"]: (row["user_id"], row["display_name"]) for row in rows},
    }
    return [DemoPerson(*found[part], part) for part in _PARTS if part in found]


async def _chapter(sessions: Sessions) -> UUID:
    (cast,) = await sessions.call(Service(), "demo_cast")
    chapter_id: UUID = cast["chapter_id"]
    return chapter_id


async def _pushes(sessions: Sessions, standin: FcmStandin) -> Sequence[ShownPush]:
    latest = standin.calls[-_MOST_SHOWN:][::-1]
    phones = {row["token"]: row["display_name"] for row in await sessions.call(Service(), "demo_phones")}
    return [_shown(arrival, phones) for arrival in latest]


def _shown(arrival: Arrival, phones: Mapping[str, str]) -> ShownPush:
    words: Mapping[str, Any] = arrival.message.get("notification", {})
    return ShownPush(
        at=arrival.at,
        phone=phones.get(arrival.target, ""),
        title=str(words.get("title", "")),
        body=str(words.get("body", "")),
        is_accepted=arrival.accepted,
    )
