"""Refusals as people read them: the sentence for each kind in the reader's language, and a whole page for those that end a request."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from peerpause.errors import NotFound, NotSignedIn, PeerPauseError, PermissionDenied, Unavailable
from peerpause.web.languages import Words
from peerpause.web.pages import page, words_of


def in_words(error: PeerPauseError, words: Words) -> str:
    """What happened and what to do, for the person in front of the screen."""
    sentences = {
        "already_paused": words.gettext(
            "The pause has begun already: somebody was faster, or the form was sent twice. Nothing was changed."
        ),
        "already_active": words.gettext(
            "The pause is over already: somebody was faster, or the form was sent twice. Nothing was changed."
        ),
        "certification_expired": words.gettext(
            "A certificate that is required has run out. It must be renewed before the pause can end."
        ),
        "conflict": words.gettext(
            "Somebody else changed this meanwhile. Nothing was changed. Look at what is new, then decide again."
        ),
        "invalid_transition": words.gettext("This change is not possible from the present status."),
        "form_refused": words.gettext(
            "This form does not belong to your sign-in. Nothing was done. Open the page again and send the form from there."
        ),
        "permission_denied": words.gettext("You may not do this."),
        "not_signed_in": words.gettext("Sign in to see this page."),
        "mentor_not_found": words.gettext("There is no such person here, or none that you may see."),
        "not_found": words.gettext("There is no such page, or none that you may see."),
        "too_many_requests": words.gettext(
            "You ask more often than we can answer. Wait a minute and try again."
        ),
        "unavailable": words.gettext("We cannot reach our database just now. Try again in a moment."),
    }
    # The nearest kind that has a sentence: a precondition that failed is a conflict.
    for kind in type(error).__mro__:
        if (sentence := sentences.get(vars(kind).get("code", ""))) is not None:
            return sentence
    return words.gettext("This was refused. Nothing was changed.")


class PageRoute(APIRoute):
    """A route whose refusals are pages: no reader meets JSON or a stack trace."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with refusals answered as pages."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except PeerPauseError as error:
                return refusal_page(request, error)
            except RequestValidationError:
                # An address that names no id, or a filter that makes no sense.
                return refusal_page(request, NotFound("There is nothing at this address."))
            except HTTPException as error:
                if error.status_code < 400:
                    return Response(status_code=error.status_code, headers=dict(error.headers or {}))
                return _http_page(request, error)

        return answer


def refusal_page(request: Request, error: PeerPauseError) -> Response:
    """A whole page that says why there is nothing else to see."""
    words = words_of(request)
    answer = page(
        request,
        "refused.html",
        status=error.http_status,
        heading=_heading(error, words),
        sentence=in_words(error, words),
    )
    if isinstance(error, Unavailable):
        answer.headers["Retry-After"] = "2"
    if "retry_after" in error.detail:
        answer.headers["Retry-After"] = str(error.detail["retry_after"])
    return answer


def nothing_there(request: Request) -> Response | None:
    """The page for an address that does not exist, where a person with a browser asks and not a program."""
    if request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", ""):
        return refusal_page(request, NotFound("There is nothing at this address."))
    return None


def _http_page(request: Request, error: HTTPException) -> Response:
    known: PeerPauseError = NotFound("There is nothing at this address.")
    if error.status_code == 403:
        known = PermissionDenied("You may not do this.")
    return page(
        request,
        "refused.html",
        status=error.status_code,
        heading=_heading(known, words_of(request)),
        sentence=in_words(known, words_of(request)),
    )


def _heading(error: PeerPauseError, words: Words) -> str:
    match error:
        case NotFound():
            return words.gettext("Not found")
        case NotSignedIn():
            return words.gettext("Sign in")
        case PermissionDenied():
            return words.gettext("Not allowed")
        case Unavailable():
            return words.gettext("Just a moment")
        case _:
            return words.gettext("That did not work")
