"""`/mentors`: the people a coordinator or an admin answers for, as a page and as a file for a spreadsheet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from peerpause.database.session import Sessions
from peerpause.directory.mentors import (
    OwnedChapter,
    RosterMentor,
    Scope,
    read_chapters,
    read_roster_with_counts,
    read_whole_roster,
)
from peerpause.errors import InvalidArgument, PermissionDenied
from peerpause.web.forms import Form
from peerpause.web.pages import page, reasons_in, see_other, words_of
from peerpause.web.reader import Organisation, Reader, Reading
from peerpause.web.refusals import PageRoute
from peerpause.web.roster_address import DAYS, SIZES, RosterAddress, everywhere, narrowed, read_address
from peerpause.web.roster_words import choices, told_by_certificate
from peerpause.web.spreadsheet import Spreadsheet

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/mentors")
async def roster(request: Request, reader: Reading) -> Response:
    """Everybody the reader answers for, filtered, sorted and a page at a time as the address says."""
    sessions: Sessions = request.app.state.services.sessions
    address = read_address(request.query_params)
    chapters, scope = await _where(sessions, reader, address)
    try:
        found, counts = await read_roster_with_counts(
            sessions, reader.claims, scope, address.wanted, limit=address.size, cursor=address.cursor
        )
    except InvalidArgument:
        return see_other("/mentors" + address.filtered().query)
    return page(
        request,
        "mentors/roster.html",
        reader=reader,
        address=address,
        form=_filled_in(request, address),
        choices=choices(words_of(request, reader)),
        days=DAYS,
        sizes=SIZES,
        mentors=found.mentors,
        next_address=None if found.next is None else address.filtered(cursor=found.next),
        counts=counts,
        places=_places(reader, scope, chapters),
        organisations={each.organisation_id: each for each in reader.organisations},
        with_certificates=_with_certificates(reader, scope),
        reasons=await _reasons(request, reader, found.mentors),
        told_by_certificate=told_by_certificate(words_of(request, reader)),
        own={each.mentor_id for each in reader.mentors},
        nobody_chosen=request.query_params.get("done") == "nobody-chosen",
    )


@router.get("/mentors.csv")
async def roster_as_file(request: Request, reader: Reading) -> Response:
    """The same people, all pages of them and by name, as a file for a spreadsheet."""
    sessions: Sessions = request.app.state.services.sessions
    address = read_address(request.query_params)
    _, scope = await _where(sessions, reader, address)
    sheet = Spreadsheet(
        words=words_of(request, reader),
        organisations=reader.organisations,
        reasons={each: await reasons_in(request, reader, each) for each in scope.organisations},
        with_certificates=_with_certificates(reader, scope),
    )
    pieces = sheet.lines(read_whole_roster(sessions, reader.claims, scope, address.wanted))
    # What is refused is refused before the file begins.
    first = await anext(pieces)
    return StreamingResponse(
        _one_after_another(first, pieces),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="mentors.csv"', "Cache-Control": "no-store"},
    )


async def _one_after_another(first: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for each in others:
        yield each


async def _where(
    sessions: Sessions, reader: Reader, address: RosterAddress
) -> tuple[Sequence[OwnedChapter], Scope]:
    if not reader.is_coordinator:
        raise PermissionDenied("This page is for coordinators and admins.")
    scope = everywhere(reader)
    chapters = await read_chapters(sessions, reader.claims, scope)
    return chapters, narrowed(scope, address.where, chapters)


def _filled_in(request: Request, address: RosterAddress) -> Form:
    """The filters as the address has them."""
    return Form(
        words=words_of(request),
        values={
            "q": address.text,
            "status": address.status,
            "certificate": address.certificate or "",
            "days": str(address.days),
            "where": str(address.where or ""),
            "sort": address.sort_word,
            "size": str(address.size),
            **({"overdue": "yes"} if address.is_overdue else {}),
        },
    )


def _places(
    reader: Reader, scope: Scope, chapters: Sequence[OwnedChapter]
) -> Mapping[Organisation, Sequence[OwnedChapter]]:
    """What can be looked at by itself: each organisation with its chapters."""
    found = [reader.organisation(each) for each in everywhere(reader).organisations]
    return {
        organisation: [each for each in chapters if each.organisation_id == organisation.organisation_id]
        for organisation in found
        if organisation is not None
    }


def _with_certificates(reader: Reader, scope: Scope) -> bool:
    """Whether anybody in sight needs a certificate."""
    found = (reader.organisation(each) for each in scope.organisations)
    return any(each is not None and each.certificates_required for each in found)


async def _reasons(
    request: Request, reader: Reader, mentors: Sequence[RosterMentor]
) -> Mapping[UUID, Mapping[str, str]]:
    away = {each.organisation_id for each in mentors if each.pause_reason}
    return {each: await reasons_in(request, reader, each) for each in away}
