"""`/me/…/history` and `/me/…/certificate`: what has happened to a mentor, and what their certificates say."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from peerpause.certifications.rules import Certificate
from peerpause.database.paging import read_cursor, read_moment, write_cursor
from peerpause.status.standing import Standing
from peerpause.status.timeline import read_timeline
from peerpause.web.own import own_answer, read_own, sessions_of
from peerpause.web.reader import Reading
from peerpause.web.refusals import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PAGE: Final = 25

EXPIRING_DAYS: Final = 60
"""From so many days before its end a certificate is said to run out soon."""


@router.get("/me/{mentor_id}/history")
async def history(
    request: Request,
    mentor_id: UUID,
    reader: Reading,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> Response:
    """Every change, the newest first: what, when, by whom and why."""
    own = await read_own(request, reader, mentor_id)
    before = None if cursor is None else read_moment(*read_cursor(cursor, length=1))
    timeline = await read_timeline(sessions_of(request), reader.claims, mentor_id, limit=_PAGE, before=before)
    return own_answer(
        request,
        "me/history.html",
        reader,
        own,
        timeline=timeline,
        older=None if timeline.next is None else f"{own.path}/history?cursor={write_cursor(timeline.next)}",
        is_first=before is None,
    )


@router.get("/me/{mentor_id}/certificate")
async def certificate(request: Request, mentor_id: UUID, reader: Reading) -> Response:
    """The certificates, how long they are good for, and the renewals that were recorded."""
    own = await read_own(request, reader, mentor_id)
    renewals = await sessions_of(request).call(
        reader.claims, "read_mentor_renewals", {"mentor_id": mentor_id}
    )
    states = [(each, _state(each, own.standing)) for each in own.standing.certificates]
    return own_answer(request, "me/certificate.html", reader, own, certificates=states, renewals=renewals)


def _state(certificate: Certificate, standing: Standing) -> str:
    """What a certificate is good for today: valid, expiring, replaced by a later one, not_yet, or expired."""
    if certificate.issued_on > standing.today:
        return "not_yet"
    if not certificate.counts_on(standing.today):
        return "expired"
    if certificate.expires_on is None:
        return "valid"
    later = any(
        other.kind == certificate.kind
        and other.issued_on <= standing.today
        and (other.expires_on is None or other.expires_on > certificate.expires_on)
        for other in standing.certificates
    )
    if later:
        return "replaced"
    return "expiring" if (certificate.expires_on - standing.today).days <= EXPIRING_DAYS else "valid"
