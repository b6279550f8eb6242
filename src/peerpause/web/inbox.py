"""`/inbox`: what people were told, what is unread, and what they have seen to. For all roles; everybody reads their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from peerpause.database.paging import read_cursor, read_id, read_moment, write_cursor
from peerpause.notifications.inbox import Inbox, InboxEntry, InboxPlace
from peerpause.web.forms import read_form
from peerpause.web.own import own_page, sessions_of
from peerpause.web.pages import language_of, page, reasons_in, see_other, words_of
from peerpause.web.reader import Reader, Reading, Writing
from peerpause.web.refusals import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Show = Literal["unread", "all"]


@dataclass(frozen=True, slots=True)
class _Spoken:
    role_word: str | None
    reasons: Mapping[str, str] = field(repr=False)


@router.get("/notifications")
async def from_a_notice() -> Response:
    """Where the link of a summary leads."""
    return see_other("/inbox")


@router.get("/inbox")
async def read(
    request: Request,
    reader: Reading,
    show: Show = "unread",
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
    done: str | None = None,
) -> Response:
    """A page of the inbox: what is unread, or all of it."""
    found = await _inbox(request, reader).read(only_unread=show == "unread", after=_place(cursor))
    after = None if found.next is None else write_cursor(found.next.created_at, found.next.notification_id)
    return page(
        request,
        "inbox.html",
        reader=reader,
        inbox=found,
        show=show,
        leads_to={entry.notification_id: _leads_to(reader, entry) for entry in found.entries},
        zones={each.organisation_id: each.time_zone for each in reader.organisations},
        until=found.entries[0].created_at.isoformat() if found.entries else None,
        older=None if after is None else f"/inbox?show={show}&cursor={after}",
        is_first=cursor is None,
        cursor=cursor or "",
        done=done,
    )


@router.post("/inbox/all")
async def mark_all(request: Request, reader: Writing) -> Response:
    """All up to the newest that was on the page is read, or has also been seen to; what has come since stays unread."""
    form = await read_form(request, words_of(request, reader))
    acknowledge = form.value("act") == "acknowledge"
    await _inbox(request, reader).mark_all(until=_moment(form.value("until")), acknowledge=acknowledge)
    return see_other(
        "/inbox", show=_show(form.value("show")), done="all_acknowledged" if acknowledge else "all_read"
    )


@router.post("/inbox/{notification_id}")
async def mark(request: Request, notification_id: UUID, reader: Writing) -> Response:
    """One entry: opened, read, or seen to. To open it leads to the person it is about; all three make it read."""
    form = await read_form(request, words_of(request, reader))
    act = form.value("act")
    entry = await _inbox(request, reader).mark(notification_id, acknowledge=act == "acknowledge")
    target = _leads_to(reader, entry)
    if act == "open" and target is not None:
        return see_other(target)
    return see_other(
        "/inbox",
        show=_show(form.value("show")),
        cursor=form.value("cursor") or None,
        done="acknowledged" if act == "acknowledge" else "read",
    )


def _inbox(request: Request, reader: Reader) -> Inbox:
    spoken: dict[UUID, _Spoken] = {}

    async def voice(organisation_id: UUID) -> _Spoken:
        if organisation_id not in spoken:
            organisation = reader.organisation(organisation_id)
            spoken[organisation_id] = _Spoken(
                role_word=None if organisation is None else organisation.role_word,
                reasons=await reasons_in(request, reader, organisation_id),
            )
        return spoken[organisation_id]

    return Inbox(
        sessions=sessions_of(request),
        caller=reader.claims,
        language=language_of(request, reader),
        voice=voice,
    )


def _leads_to(reader: Reader, entry: InboxEntry) -> str | None:
    """The page about what an entry tells; None where there is none that this reader may see."""
    if entry.mentor_id is None:
        return f"/admin/{entry.organisation_id}" if entry.organisation_id and reader.is_admin else None
    own = own_page(reader, entry.mentor_id)
    return own or (f"/mentors/{entry.mentor_id}" if reader.is_coordinator else None)


def _place(cursor: str | None) -> InboxPlace | None:
    if not cursor:
        return None
    moment, entry = read_cursor(cursor, length=2)
    return InboxPlace(read_moment(moment), read_id(entry))


def _moment(text: str) -> datetime:
    """The newest entry that was on the page; where the form says none, nothing is marked."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return moment if moment.utcoffset() is not None else moment.replace(tzinfo=UTC)


def _show(text: str) -> str:
    return "all" if text == "all" else "unread"
