"""`/admin/…/chapters`: an organisation's chapters, who answers for them, and giving and taking that role."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response

from peerpause.directory.administration import OrganisationPerson
from peerpause.errors import InvalidArgument
from peerpause.web.admin import Administered, administration
from peerpause.web.forms import read_form
from peerpause.web.pages import page, see_other, words_of
from peerpause.web.reader import Organisation, Reader, Reading, Writing
from peerpause.web.refusals import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/admin/{organisation_id}/chapters")
async def show(
    request: Request, reader: Reading, organisation: Administered, done: str | None = None
) -> Response:
    """All chapters, those without a coordinator first."""
    chapters = await administration(request, reader, organisation.organisation_id).chapters()
    return page(
        request,
        "admin/chapters.html",
        reader=reader,
        organisation=organisation,
        chapters=sorted(chapters, key=lambda chapter: bool(chapter.coordinators)),
        done=done,
    )


@router.get("/admin/{organisation_id}/chapters/{chapter_id}")
async def one(
    request: Request,
    reader: Reading,
    organisation: Administered,
    chapter_id: UUID,
    q: str = "",
    done: str | None = None,
) -> Response:
    """One chapter's coordinators, and a search for somebody to become one."""
    here = administration(request, reader, organisation.organisation_id)
    chapter = await here.chapter(chapter_id)
    found: list[OrganisationPerson] = []
    search = q.replace("\0", "").strip()[:100]
    if search:
        people = await here.people(search, limit=20)
        already = {coordinator.user_id for coordinator in chapter.coordinators}
        found = [person for person in people if person.user_id not in already]
    return page(
        request,
        "admin/chapter.html",
        reader=reader,
        organisation=organisation,
        chapter=chapter,
        search=search,
        found=found,
        done=done,
    )


@router.post("/admin/{organisation_id}/chapters/{chapter_id}/give")
async def give(request: Request, reader: Writing, organisation: Administered, chapter_id: UUID) -> Response:
    """Somebody becomes coordinator of the chapter."""
    return await _hand_over(request, reader, organisation, chapter_id, gives=True)


@router.post("/admin/{organisation_id}/chapters/{chapter_id}/take")
async def take(request: Request, reader: Writing, organisation: Administered, chapter_id: UUID) -> Response:
    """Somebody is coordinator of the chapter no longer: every right that came with it ends at once."""
    return await _hand_over(request, reader, organisation, chapter_id, gives=False)


async def _hand_over(
    request: Request, reader: Reader, organisation: Organisation, chapter_id: UUID, *, gives: bool
) -> Response:
    here = administration(request, reader, organisation.organisation_id)
    await here.chapter(chapter_id)
    form = await read_form(request, words_of(request, reader))
    people = form.ids("person")
    if len(people) != 1:
        raise InvalidArgument("No person was chosen.", hint="Choose one on the page.")
    if gives:
        changed = await here.give_role(chapter_id, people[0])
    else:
        changed = await here.take_role(chapter_id, people[0])
    done = ("given" if gives else "taken") if changed else "same"
    return see_other(f"/admin/{organisation.organisation_id}/chapters/{chapter_id}", done=done)
