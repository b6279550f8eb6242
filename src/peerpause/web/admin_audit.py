"""`/admin/…/audit`: who changed whose status, when and why, searched, and as files.

Without notes: those are read on a person's own page, where the reading is recorded.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from peerpause.directory.records import ChangeFilter, Records
from peerpause.status.rules import MentorStatus
from peerpause.web import admin_words, audit_files
from peerpause.web.admin import Administered, administration
from peerpause.web.forms import Form, day_begins
from peerpause.web.pages import page, reasons_in, words_of
from peerpause.web.reader import Organisation, Reader, Reading
from peerpause.web.refusals import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_SIZE: Final = 50
_LONGEST: Final = 100
_FILTERS: Final = ("person", "actor", "who", "chapter", "status", "reason", "since", "until")


@router.get("/admin/{organisation_id}/audit")
async def show(
    request: Request, reader: Reading, organisation: Administered, before: UUID | None = None
) -> Response:
    """The changes, filtered and a page at a time as the address says."""
    form = _filters(request, reader)
    wanted = _wanted(form, organisation)
    found = await _records(request, reader, organisation).changes(wanted, limit=_SIZE + 1, before=before)
    shown = found[:_SIZE]
    chosen = {name: form.value(name) for name in _FILTERS if form.value(name)}
    return page(
        request,
        "admin/audit.html",
        reader=reader,
        organisation=organisation,
        form=form,
        changes=shown,
        chapters=await administration(request, reader, organisation.organisation_id).chapters(),
        reasons=await reasons_in(request, reader, organisation.organisation_id),
        statuses=admin_words.statuses(form.words),
        chosen=chosen,
        is_first=before is None,
        next_address=f"?{urlencode({**chosen, 'before': str(shown[-1].id)})}" if len(found) > _SIZE else None,
    )


@router.get("/admin/{organisation_id}/audit.csv")
async def as_spreadsheet(request: Request, reader: Reading, organisation: Administered) -> Response:
    """What the filters let through, all of it, for a spreadsheet."""
    form = _filters(request, reader)
    found = _records(request, reader, organisation).all_changes(_wanted(form, organisation))
    reasons = await reasons_in(request, reader, organisation.organisation_id)
    lines = audit_files.spreadsheet(found, form.words, reasons=reasons, zone=organisation.time_zone)
    return await _file(lines, "audit.csv", "text/csv; charset=utf-8")


@router.get("/admin/{organisation_id}/audit.jsonl")
async def as_lines(request: Request, reader: Reading, organisation: Administered) -> Response:
    """What the filters let through, all of it, one JSON object a line."""
    found = _records(request, reader, organisation).all_changes(
        _wanted(_filters(request, reader), organisation)
    )
    return await _file(audit_files.json_lines(found), "audit.jsonl", "application/jsonl")


@router.get("/admin/{organisation_id}/audit/chain.jsonl")
async def chain(request: Request, reader: Reading, organisation: Administered) -> Response:
    """The whole record with its chain of hashes, which `peerpause audit check` checks without the database."""
    trail = request.app.state.services.audit
    links = trail.export(reader.claims, organisation.organisation_id)
    return await _file(audit_files.chain_lines(links), "audit-chain.jsonl", "application/jsonl")


async def _file(lines: AsyncIterator[bytes], name: str, kind: str) -> Response:
    # What is refused is refused before the file begins.
    first = await anext(lines, b"")

    async def all_of_it() -> AsyncIterator[bytes]:
        yield first
        async for each in lines:
            yield each

    return StreamingResponse(
        all_of_it(),
        media_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _records(request: Request, reader: Reader, organisation: Organisation) -> Records:
    return Records(
        sessions=request.app.state.services.sessions,
        caller=reader.claims,
        organisation_id=organisation.organisation_id,
    )


def _filters(request: Request, reader: Reader) -> Form:
    values = {name: request.query_params.get(name, "").replace("\0", "") for name in _FILTERS}
    chapter = values["chapter"]
    return Form(words_of(request, reader), values=values, lists={"chapter": [chapter]} if chapter else {})


def _wanted(form: Form, organisation: Organisation) -> ChangeFilter:
    """The filters; one that makes no sense is said in the form and lets everything through."""
    since, until = form.day("since"), form.day("until")
    zone = organisation.time_zone
    status = form.value("status")
    return ChangeFilter(
        person=form.text("person", longest=_LONGEST),
        actor=form.text("actor", longest=_LONGEST),
        by_system={"system": True, "people": False}.get(form.value("who")),
        chapter_id=next(iter(form.ids("chapter")), None),
        status=MentorStatus(status) if status in admin_words.statuses(form.words) else None,
        reason=form.value("reason") or None,
        since=None if since is None else day_begins(since, zone),
        until=None if until is None else day_begins(until + timedelta(days=1), zone),
    )
