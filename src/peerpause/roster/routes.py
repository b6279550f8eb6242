"""The roster over HTTP: the one address that is open to everybody, and the door for signed certificate updates.

The app that mounts ``router`` keeps the pool of sessions in ``app.state.services.sessions`` and turns our errors into answers.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Annotated, Final, assert_never
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from peerpause.database.session import Sessions
from peerpause.errors import InvalidArgument, NotFound
from peerpause.roster import managing, negotiation
from peerpause.roster.inbound import MOST_BYTES, CertificateMessage, InboundUpdates
from peerpause.roster.negotiation import Form
from peerpause.roster.page import PAGE_POLICY, to_html, to_json
from peerpause.roster.roster import PublicRoster

LONGEST_AGE: Final = 60
"""Seconds a cache may keep a roster, at most; less where the day, and with it a certificate, ends sooner."""

router = APIRouter()
router.include_router(managing.router)

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Any website may read it with a script and embed it.
_OPEN: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_CONTENT_TYPES: Final[dict[Form, str]] = {
    "json": "application/json",
    "html": "text/html; charset=utf-8",
}


class PublicMentor(BaseModel):
    """A mentor on the public roster; `languages` are BCP 47 tags, `contact` is what the mentor chose to give."""

    id: UUID
    display_name: str
    languages: list[str]
    presentation: str | None
    contact: str | None


class PublicChapter(BaseModel):
    """The chapter a roster is of."""

    id: UUID
    name: str


class PublicChapterRoster(BaseModel):
    """Who is available in a chapter at this moment."""

    chapter: PublicChapter
    role_word: str | None
    mentors: list[PublicMentor]


class TakenUpdates(BaseModel):
    """How many certificates the message reported, and whether it had been taken before."""

    recorded: int
    repeated: bool


# A string and not a UUID: what is no id names no chapter, so it is not found.
_ChapterId = Annotated[str, Path(description="The chapter's id.", json_schema_extra={"format": "uuid"})]
_Lang = Annotated[str | None, Query(description="The page's language: nb, nn or en.")]
_RESPONSES: Final[dict[int | str, dict[str, object]]] = {
    HTTPStatus.NOT_MODIFIED.value: {"description": "The roster is still the one with this ETag."},
    HTTPStatus.NOT_FOUND.value: {
        "description": "There is no such chapter.",
        "content": {"application/problem+json": {}},
    },
}
_PAGE: Final[dict[int | str, dict[str, object]]] = {
    HTTPStatus.OK.value: {"description": "The page, which may be embedded.", "content": {"text/html": {}}},
    **_RESPONSES,
}


@router.get(
    "/public/chapters/{chapter_id}/mentors",
    tags=["public roster"],
    operation_id="public_roster",
    response_model=PublicChapterRoster,
    responses={
        HTTPStatus.OK.value: {"description": "The roster, or a page of it.", "content": {"text/html": {}}},
        **_RESPONSES,
    },
)
@router.head("/public/chapters/{chapter_id}/mentors", include_in_schema=False)
async def roster_as_asked(request: Request, chapter_id: _ChapterId, lang: _Lang = None) -> Response:
    """Who is available in a chapter now: as JSON, or as a page for an `Accept` header that likes HTML better."""
    form = negotiation.preferred_form(request.headers.get("accept"))
    return await _answer(request, chapter_id, form=form, lang=lang, vary="Accept, Accept-Language")


@router.get(
    "/public/chapters/{chapter_id}/mentors.json",
    tags=["public roster"],
    operation_id="public_roster_json",
    response_model=PublicChapterRoster,
    responses=_RESPONSES,
)
@router.head("/public/chapters/{chapter_id}/mentors.json", include_in_schema=False)
async def roster_as_json(request: Request, chapter_id: _ChapterId) -> Response:
    """Who is available in a chapter now, as JSON."""
    return await _answer(request, chapter_id, form="json", lang=None, vary=None)


@router.get(
    "/public/chapters/{chapter_id}/mentors.html",
    tags=["public roster"],
    operation_id="public_roster_html",
    response_class=Response,
    responses=_PAGE,
)
@router.head("/public/chapters/{chapter_id}/mentors.html", include_in_schema=False)
async def roster_as_page(request: Request, chapter_id: _ChapterId, lang: _Lang = None) -> Response:
    """Who is available in a chapter now, as a page that may be embedded."""
    return await _answer(request, chapter_id, form="html", lang=lang, vary="Accept-Language")


@router.options("/public/chapters/{chapter_id}/mentors", include_in_schema=False)
@router.options("/public/chapters/{chapter_id}/mentors.json", include_in_schema=False)
@router.options("/public/chapters/{chapter_id}/mentors.html", include_in_schema=False)
async def what_other_websites_may_do(chapter_id: str) -> Response:
    """Let the scripts of any website read the roster."""
    return Response(
        status_code=HTTPStatus.NO_CONTENT,
        headers={
            **_OPEN,
            "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
            "Access-Control-Allow-Headers": "Accept, Accept-Language, If-None-Match",
            "Access-Control-Max-Age": "86400",
            "Allow": "GET, HEAD, OPTIONS",
        },
    )


@router.post(
    "/webhooks/certifications/{organisation_id}",
    tags=["webhooks"],
    operation_id="receive_certificate_updates",
    response_model=TakenUpdates,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": CertificateMessage.model_json_schema()}},
        },
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
            for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
        ],
    },
)
async def take_certificate_updates(request: Request, organisation_id: str) -> TakenUpdates:
    """Renewed certificates, signed by the organisation's own system (Standard Webhooks): all are recorded, or none.

    A message that is sent again with the same `webhook-id` changes nothing.
    """
    if not _UUID.fullmatch(organisation_id):
        raise NotFound("There is no such organisation.", hint="Check the id in the address.")
    body = await _body(request)
    updates = InboundUpdates(sessions=_sessions(request))
    receipt = await updates.receive(UUID(organisation_id), headers=request.headers, body=body)
    return TakenUpdates(recorded=receipt.recorded, repeated=receipt.repeated)


async def _answer(
    request: Request, chapter_id: str, *, form: Form, lang: str | None, vary: str | None
) -> Response:
    roster = None
    if _UUID.fullmatch(chapter_id):
        roster = await PublicRoster(sessions=_sessions(request)).of_chapter(UUID(chapter_id))
    if roster is None:
        return _no_such_chapter()
    match form:
        case "json":
            body = to_json(roster)
        case "html":
            language = negotiation.preferred_language(
                lang, request.headers.get("accept-language"), otherwise=roster.language
            )
            body = to_html(roster, language=language)
        case _:
            assert_never(form)
    tag = negotiation.etag(body)
    age = max(0, min(LONGEST_AGE, roster.true_for))
    headers = {
        **_OPEN,
        "ETag": tag,
        "Cache-Control": f"public, max-age={age}, must-revalidate, stale-while-revalidate=0, stale-if-error=0",
        "X-Content-Type-Options": "nosniff",
    }
    if vary is not None:
        headers["Vary"] = vary
    if form == "html":
        headers |= {"Content-Security-Policy": PAGE_POLICY, "Referrer-Policy": "no-referrer"}
    if negotiation.is_held_already(request.headers.get("if-none-match"), tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, headers=headers, media_type=_CONTENT_TYPES[form])


def _no_such_chapter() -> Response:
    """Answered here and not by the app, because a script on another website may read only what is open to it."""
    status = HTTPStatus.NOT_FOUND
    return JSONResponse(
        {
            "type": f"/docs#{NotFound.code}",
            "title": status.phrase,
            "status": status.value,
            "code": NotFound.code,
            "detail": "There is no such chapter.",
            "hint": "Check the id in the address.",
        },
        status_code=status,
        headers={**_OPEN, "Cache-Control": "no-store"},
        media_type="application/problem+json",
    )


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise InvalidArgument(
                f"The message is larger than {MOST_BYTES // 1024} KiB.", hint="Send it in several messages."
            )
    return bytes(body)


def _sessions(request: Request) -> Sessions:
    sessions: Sessions = request.app.state.services.sessions
    return sessions
