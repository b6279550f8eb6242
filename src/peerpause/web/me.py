"""`/me`: a mentor's own page. It answers "am I active?" at once, and leads to everything a mentor can do."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response

from peerpause.certifications.rules import BANNER_DAYS
from peerpause.errors import MentorNotFound
from peerpause.web.own import own_answer, read_own, status_service
from peerpause.web.pages import page, see_other
from peerpause.web.reader import Reading, Writing
from peerpause.web.refusals import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/me")
async def me(request: Request, reader: Reading) -> Response:
    """Straight on to the one page, or the choice between several organisations, each with how the reader stands there."""
    if not reader.mentors:
        raise MentorNotFound("You are not a mentor anywhere.", hint="Ask your coordinator to add you.")
    if len(reader.mentors) == 1:
        return see_other(f"/me/{reader.mentors[0].mentor_id}")
    service = status_service(request, reader)
    records = [await service.get_mentor_status(mentor.mentor_id) for mentor in reader.mentors]
    return page(
        request,
        "me/choose.html",
        reader=reader,
        choices=list(zip(reader.mentors, records, strict=True)),
    )


@router.get("/me/{mentor_id}")
async def standing(request: Request, mentor_id: UUID, reader: Reading, done: str | None = None) -> Response:
    """How the reader stands: active or not, since when and why, what the public sees, what to do next."""
    own = await read_own(request, reader, mentor_id)
    return own_answer(request, "me/standing.html", reader, own, done=done, banner_days=BANNER_DAYS)


@router.post("/me/{mentor_id}/cancel-planned-pause")
async def cancel_planned_pause(request: Request, mentor_id: UUID, reader: Writing) -> Response:
    """Take back a pause that has not begun."""
    own = await read_own(request, reader, mentor_id)
    was_planned = await status_service(request, reader).cancel_scheduled_pause(mentor_id)
    return see_other(own.path, done="cancelled" if was_planned else "nothing_planned")
