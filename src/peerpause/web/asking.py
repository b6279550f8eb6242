"""Who asks for a page: from the cookie to a signed-in person, and for forms the proof that they sent them themselves.

A visitor is sent to sign in and comes back to where they were going. A form counts only with its session's own secret in the
hidden field `csrf`, and only where the browser does not say that it came from elsewhere.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import quote, urlsplit

from fastapi import Depends, HTTPException, Request

from peerpause.database.session import Claims
from peerpause.errors import PermissionDenied
from peerpause.web.cookies import SESSION, is_from_our_pages, our_origins, read_cookie
from peerpause.web.sessions import WebSession, WebSessions

SIGN_IN: Final = "/sign-in"
"""The page by which people sign in."""

_LONGEST_PATH: Final = 2000
_LOCAL: Final = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
_AFTER_ALL_FORMS: Final = "/"
_MOST_FIELDS: Final = 2000


@dataclass(frozen=True, slots=True)
class WebPerson:
    """Somebody signed in: ``claims`` are as whom the database is asked, ``session`` is this browser's."""

    claims: Claims
    session: WebSession


class FormRefused(PermissionDenied):
    """The form did not come from a page of this session: it is somebody else's, or older than the sign-in; nothing was done."""

    code = "form_refused"


def web_sessions(request: Request) -> WebSessions:
    """The sessions of this installation."""
    return WebSessions(sessions=request.app.state.services.sessions)


def local_path(text: str | None) -> str:
    r"""The path on this site that a text names; `/` for one that leads elsewhere, or back to signing in.

    Browsers read `//`, `/\`, and either of them with a line break or a tab between, as another site: nothing of that kind passes.
    """
    if text is None or len(text) > _LONGEST_PATH or not _LOCAL.fullmatch(text):
        return "/"
    path = urlsplit(text).path
    return "/" if path == SIGN_IN or path.startswith((f"{SIGN_IN}/", "/sign-out")) else text


async def maybe_signed_in(request: Request) -> WebPerson | None:
    """Whoever is signed in in this browser, if anybody; looked up once a request."""
    if not hasattr(request.state, "web_person"):
        request.state.web_person = await _find(request)
    found: WebPerson | None = request.state.web_person
    return found


async def signed_in(
    request: Request, person: Annotated[WebPerson | None, Depends(maybe_signed_in)]
) -> WebPerson:
    """Whoever is signed in. A visitor is sent to the page for signing in, by a redirect or, within a page, in htmx's way."""
    if person is not None:
        return person
    target = f"{SIGN_IN}?next={quote(_wanted(request), safe='/')}"
    if request.headers.get("hx-request") == "true":
        raise HTTPException(HTTPStatus.NO_CONTENT, headers={"HX-Redirect": target})
    raise HTTPException(HTTPStatus.SEE_OTHER, headers={"Location": target})


async def csrf_checked(request: Request, person: Annotated[WebPerson, Depends(signed_in)]) -> WebPerson:
    """Whoever is signed in and sent this form themselves. Raises ``FormRefused``."""
    await require_own_form(request, person.session)
    return person


MaybeSignedIn = Annotated[WebPerson | None, Depends(maybe_signed_in)]
"""For pages that visitors see too."""

SignedIn = Annotated[WebPerson, Depends(signed_in)]
"""For pages."""

CsrfChecked = Annotated[WebPerson, Depends(csrf_checked)]
"""For forms."""


async def require_own_form(request: Request, session: WebSession) -> None:
    """Refuse a form that this session's own pages did not make. Raises ``FormRefused``."""
    form = await request.form(max_files=0, max_fields=_MOST_FIELDS)
    sent = form.get("csrf")
    proof = sent if isinstance(sent, str) else ""
    is_ours = hmac.compare_digest(proof.encode(), session.csrf.encode())
    if not is_ours or is_from_our_pages(request) is False:
        raise FormRefused(
            "This form does not belong to your sign-in; nothing was done.",
            hint="Open the page anew and send the form from there.",
        )


def require_our_page(request: Request) -> None:
    """Refuse a form of a visitor, who has no session yet, unless the browser says it is from here. Raises ``FormRefused``."""
    if is_from_our_pages(request) is not True:
        raise FormRefused(
            "This form was not sent from a page of ours; nothing was done.",
            hint="Open the page for signing in and begin there.",
        )


async def _find(request: Request) -> WebPerson | None:
    word = read_cookie(request, SESSION)
    session = None if word is None else await web_sessions(request).find(word)
    return None if session is None else WebPerson(claims=Claims(session.user_id), session=session)


def _wanted(request: Request) -> str:
    """Where a visitor shall be after signing in: at this page, or at the one that they sent a form or a part of it from."""
    is_whole_page = request.method in ("GET", "HEAD") and "hx-request" not in request.headers
    if is_whole_page:
        return local_path(_path(str(request.url)))
    before = request.headers.get("hx-current-url") or request.headers.get("referer", "")
    ours = [origin for origin in our_origins(request) if before.startswith(f"{origin}/")]
    return local_path(_path(before)) if ours else _AFTER_ALL_FORMS


def _path(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
