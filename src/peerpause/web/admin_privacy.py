"""`/admin/…/privacy`: everything kept about a person as a file, their erasure, who read about them, and how long things are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from peerpause.errors import NotFound
from peerpause.privacy.personal_data import PersonalData
from peerpause.privacy.retention import Retention, RetentionRules
from peerpause.web.admin import Administered
from peerpause.web.forms import Form, read_form
from peerpause.web.pages import page, see_other, words_of
from peerpause.web.person_files import person_file
from peerpause.web.reader import Organisation, Reader, Reading, Writing
from peerpause.web.refusals import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_LONGEST: Final = 100
_TIMES: Final = {
    "notes_months": (1, 120),
    "deliveries_days": (7, 3650),
    "inbox_days": (30, 3650),
    "runs_days": (30, 3650),
    "reads_days": (90, 3650),
}
"""How long each may be kept, at least and at most, as the database has it."""


@router.get("/admin/{organisation_id}/privacy")
async def show(
    request: Request, reader: Reading, organisation: Administered, q: str = "", done: str | None = None
) -> Response:
    """A search for somebody, and how long things are kept."""
    rules = await _retention(request).rules(reader.claims, organisation.organisation_id)
    form = Form(words_of(request, reader), values={name: str(value) for name, value in asdict(rules).items()})
    return await _page(request, reader, organisation, form, search=q, done=done)


@router.post("/admin/{organisation_id}/privacy")
async def decide(request: Request, reader: Writing, organisation: Administered) -> Response:
    """From the next night on things are kept this long."""
    form = await read_form(request, words_of(request, reader))
    wanted: dict[str, int] = {}
    for name, (least, most) in _TIMES.items():
        number = form.number(name, least=least, most=most)
        if number is None:
            form.refuse(
                name,
                form.words.gettext("Write a whole number from %(least)s to %(most)s.")
                % {"least": least, "most": most},
            )
        else:
            wanted[name] = number
    if not form.is_good:
        return await _page(request, reader, organisation, form, status=422)
    await _retention(request).decide(reader.claims, organisation.organisation_id, RetentionRules(**wanted))
    return see_other(f"/admin/{organisation.organisation_id}/privacy", done="saved")


@router.get("/admin/{organisation_id}/privacy/{person_id}")
async def one(request: Request, reader: Reading, organisation: Administered, person_id: UUID) -> Response:
    """What can be done for one person, and who read about them."""
    person = await _person(request, reader, organisation, person_id)
    mentor_id = person["mentor_id"]
    reads = () if mentor_id is None else await _data(request).reads(reader.claims, mentor_id)
    return page(
        request, "admin/person.html", reader=reader, organisation=organisation, person=person, reads=reads
    )


@router.get("/admin/{organisation_id}/privacy/{person_id}/export.{form}")
async def export(
    request: Request, reader: Reading, organisation: Administered, person_id: UUID, form: str
) -> Response:
    """Everything the organisation keeps about the person, as a file; the reading is recorded."""
    return await person_file(request, reader, person_id, form, organisation_id=organisation.organisation_id)


@router.get("/admin/{organisation_id}/privacy/{person_id}/erase")
async def before_erasing(
    request: Request, reader: Reading, organisation: Administered, person_id: UUID
) -> Response:
    """What erasing would do, and the question whether it is meant.

    The database erases and takes it back, for only so are the numbers those of the erasure itself; nobody else sees a thing, and whoever
    changes the same person just then waits a moment.
    """
    return await _erasing(request, reader, organisation, person_id, Form(words_of(request, reader)))


@router.post("/admin/{organisation_id}/privacy/{person_id}/erase")
async def erase(request: Request, reader: Writing, organisation: Administered, person_id: UUID) -> Response:
    """The person is erased, where their name was typed."""
    person = await _person(request, reader, organisation, person_id)
    form = await read_form(request, words_of(request, reader))
    if " ".join((form.text("name") or "").split()) != " ".join(person["display_name"].split()):
        form.refuse("name", form.words.gettext("This is not the name that stands above."))
        return await _erasing(request, reader, organisation, person_id, form, status=422)
    await _data(request).erase(
        reader.claims, person_id, organisation_id=organisation.organisation_id, apply=True
    )
    return see_other(f"/admin/{organisation.organisation_id}/privacy", done="erased")


async def _page(
    request: Request,
    reader: Reader,
    organisation: Organisation,
    form: Form,
    *,
    search: str = "",
    done: str | None = None,
    status: int = 200,
) -> Response:
    wanted = search.replace("\0", "").strip()[:_LONGEST]
    escaped = wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    found = (
        await _ask(
            request, reader, organisation, "admin_search_people", search=wanted, pattern=f"%{escaped}%"
        )
        if wanted
        else []
    )
    return page(
        request,
        "admin/privacy.html",
        reader=reader,
        status=status,
        organisation=organisation,
        form=form,
        search=wanted,
        found=found,
        done=done,
    )


async def _erasing(
    request: Request,
    reader: Reader,
    organisation: Organisation,
    person_id: UUID,
    form: Form,
    *,
    status: int = 200,
) -> Response:
    person = await _person(request, reader, organisation, person_id)
    would = await _data(request).erase(
        reader.claims, person_id, organisation_id=organisation.organisation_id, apply=False
    )
    return page(
        request,
        "admin/erase.html",
        reader=reader,
        status=status,
        organisation=organisation,
        person=person,
        form=form,
        rows=sum(would.counts.values()),
    )


async def _person(
    request: Request, reader: Reader, organisation: Organisation, person_id: UUID
) -> Mapping[str, Any]:
    for row in await _ask(request, reader, organisation, "admin_person", person_id=person_id):
        return row
    raise NotFound("There is no such person in this organisation.")


async def _ask(
    request: Request, reader: Reader, organisation: Organisation, query: str, **parameters: object
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = await request.app.state.services.sessions.call(
        reader.claims, query, {"organisation_id": organisation.organisation_id, **parameters}
    )
    return rows


def _data(request: Request) -> PersonalData:
    data: PersonalData = request.app.state.services.personal_data
    return data


def _retention(request: Request) -> Retention:
    retention: Retention = request.app.state.services.retention
    return retention
