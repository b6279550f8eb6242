"""The pages that belong to nobody's area: the way in, the language, the accessibility statement."""

from __future__ import annotations

import hmac
from typing import Final

from fastapi import APIRouter, Request, Response

from peerpause.database.session import Sessions
from peerpause.web.asking import MaybeSignedIn, WebPerson, local_path
from peerpause.web.forms import read_form
from peerpause.web.languages import LANGUAGES
from peerpause.web.pages import LANGUAGE_COOKIE, page, see_other, words_of
from peerpause.web.reader import Reading, reader_of
from peerpause.web.refusals import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_YEAR: Final = 365 * 24 * 3600


@router.get("/")
async def home(request: Request, reader: Reading) -> Response:
    """The first page of whoever comes: their own as a mentor, else the people they answer for."""
    if reader.is_mentor:
        return see_other("/me")
    if reader.is_coordinator:
        return see_other("/mentors")
    return page(request, "home.html", reader=reader)


@router.get("/accessibility")
async def accessibility(request: Request, person: MaybeSignedIn) -> Response:
    """What we promise to everybody, how it is tested and what is missing."""
    reader = None if person is None else await reader_of(request, person)
    return page(request, "accessibility.html", reader=reader)


@router.post("/language")
async def choose_language(request: Request, person: MaybeSignedIn) -> Response:
    """Show pages in another language: from now on in this browser, and for whoever is signed in everywhere."""
    form = await read_form(request, words_of(request))
    answer = see_other(local_path(form.value("next")))
    language = form.value("language")
    if language in LANGUAGES:
        answer.set_cookie(LANGUAGE_COOKIE, language, max_age=_YEAR, httponly=True, samesite="lax")
        if person is not None and hmac.compare_digest(
            form.value("csrf").encode(), person.session.csrf.encode()
        ):
            await _save(request, person, language)
    return answer


async def _save(request: Request, person: WebPerson, language: str) -> None:
    sessions: Sessions = request.app.state.services.sessions
    await sessions.call(person.claims, "set_own_language", {"language": language})
