"""`/admin`: what an organisation's admins look after, and what needs their attention first."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from peerpause.directory.administration import Administration
from peerpause.errors import NotFound
from peerpause.web.pages import page, see_other
from peerpause.web.reader import Organisation, Reader, Reading
from peerpause.web.refusals import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)


def administered(reader: Reader, organisation_id: UUID) -> Organisation:
    """An organisation the reader administers. Raises ``NotFound`` for any other, whether it exists or not."""
    for organisation in reader.administers:
        if organisation.organisation_id == organisation_id:
            return organisation
    raise NotFound("There is no such organisation, or it is not yours.")


def administration(request: Request, reader: Reader, organisation_id: UUID) -> Administration:
    """The organisation as this reader looks after it."""
    administered(reader, organisation_id)
    return Administration(
        sessions=request.app.state.services.sessions, caller=reader.claims, organisation_id=organisation_id
    )


async def _own_organisation(reader: Reading, organisation_id: UUID) -> Organisation:
    return administered(reader, organisation_id)


Administered = Annotated[Organisation, Depends(_own_organisation)]
"""The organisation in the address, for pages of its admins; others find nothing there."""


@router.get("/admin")
async def choose(request: Request, reader: Reading) -> Response:
    """Which organisation; with a single one, straight on."""
    if not reader.administers:
        raise NotFound("There is nothing here for you.")
    if len(reader.administers) == 1:
        return see_other(f"/admin/{reader.administers[0].organisation_id}")
    return page(request, "admin/choose.html", reader=reader)


@router.get("/admin/{organisation_id}")
async def front(request: Request, reader: Reading, organisation: Administered) -> Response:
    """What waits for an admin, and the ways to everything else."""
    found = await administration(request, reader, organisation.organisation_id).attention()
    return page(request, "admin/front.html", reader=reader, organisation=organisation, attention=found)
