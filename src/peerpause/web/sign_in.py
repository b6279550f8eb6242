"""Signing in and out, and the list of where somebody is signed in.

A sign-in goes: the page with its button → we keep what we ask with, and send the browser to the provider → it comes back with a
code, which counts once and in this browser alone → whom it proves → a new session, whatever the browser held before.
"""

from __future__ import annotations

import hmac
from typing import Annotated, Final
from uuid import UUID

import structlog
from fastapi import APIRouter, Query, Request, Response

from peerpause.auth.limits import SharedLimiter
from peerpause.errors import PeerPauseError, PermissionDenied, Unavailable
from peerpause.telemetry import Event
from peerpause.web.asking import SIGN_IN, CsrfChecked, MaybeSignedIn, WebPerson, local_path, require_our_page
from peerpause.web.attempts import LONGEST, Attempt
from peerpause.web.cookies import SESSION, SIGNING_IN, drop_cookie, read_cookie, set_cookie
from peerpause.web.forms import read_form
from peerpause.web.gate import CALLBACK, Gate, gate_of
from peerpause.web.identities import NobodyKnown
from peerpause.web.languages import Words
from peerpause.web.pages import page, see_other, words_of
from peerpause.web.provider import Provider, SignInRefused
from peerpause.web.reader import Reading, Writing
from peerpause.web.refusals import PageRoute, in_words

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_HERE: Final = "/account/sessions"
# What OAuth and OpenID Connect let a provider say; anything else a stranger may have written into the address.
_KNOWN_ERRORS: Final = frozenset(
    {
        "access_denied", "invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope", "server_error",
        "temporarily_unavailable", "interaction_required", "login_required", "account_selection_required", "consent_required",
    }
)  # fmt: skip

_log = structlog.get_logger(__name__)


class _ProviderSaidNo(PermissionDenied):
    """The provider sent the person back without a code; ``detail["reason"]`` is its own word for why."""

    code = "provider_said_no"


@router.get(SIGN_IN)
async def sign_in(
    request: Request, person: MaybeSignedIn, next_path: Annotated[str | None, Query(alias="next")] = None
) -> Response:
    """The page that says how to sign in; whoever is signed in goes on to where they were going."""
    if person is not None:
        return see_other(local_path(next_path))
    return page(
        request,
        "sign_in.html",
        next_path=local_path(next_path),
        is_possible=gate_of(request).provider is not None,
    )


@router.post(f"{SIGN_IN}/start")
async def start(request: Request) -> Response:
    """Send the browser to the provider."""
    require_our_page(request)
    gate = gate_of(request)
    limiter: SharedLimiter = request.app.state.sign_ins
    await limiter.take(_address(request))
    form = await read_form(request, words_of(request))
    word, attempt = await gate.attempts.begin(local_path(form.value("next")))
    answer = _leave(request, await _provider(gate).address(attempt))
    set_cookie(request, answer, SIGNING_IN, word, max_age=LONGEST)
    return answer


@router.get(CALLBACK)
async def callback(request: Request, before: MaybeSignedIn) -> Response:
    """The browser is back from the provider. What it began is over after this, however it ends."""
    gate = gate_of(request)
    attempt = await gate.attempts.take(read_cookie(request, SIGNING_IN))
    try:
        answer = await _finish(request, gate, attempt, before)
    except PeerPauseError as error:
        _log.warning(
            Event.SIGN_IN_FAILED,
            error=error.code,
            reason=error.detail.get("reason") or error.detail.get("outcome"),
        )
        answer = _failed(request, error)
    drop_cookie(request, answer, SIGNING_IN)
    return answer


@router.post("/sign-out")
async def sign_out(request: Request, person: CsrfChecked) -> Response:
    """End this session at once, and the provider's own where it offers that."""
    gate = gate_of(request)
    await gate.web_sessions.end(person.session.session_id)
    _log.info(Event.SIGNED_OUT, user_id=str(person.session.user_id))
    provider = gate.provider
    onward = None
    if provider is not None and person.session.issuer == provider.issuer:
        onward = await provider.sign_out_address(f"{gate.public_url}{SIGN_IN}")
    answer = see_other(SIGN_IN) if onward is None else _leave(request, onward)
    drop_cookie(request, answer, SESSION)
    return answer


@router.get(_HERE)
async def own_sessions(request: Request, reader: Reading) -> Response:
    """Where the reader is signed in."""
    sessions = await gate_of(request).web_sessions.list(reader.web.session.user_id)
    return page(
        request,
        "sessions.html",
        reader=reader,
        sessions=sessions,
        this_one=reader.web.session.session_id,
    )


@router.post(f"{_HERE}/end")
async def end_session(request: Request, reader: Writing) -> Response:
    """End one of the reader's own sessions, or all but this one."""
    form = await read_form(request, words_of(request))
    here = reader.web.session
    sessions = gate_of(request).web_sessions
    chosen = [
        each.session_id for each in await sessions.list(here.user_id) if each.session_id != here.session_id
    ]
    if not form.is_ticked("all"):
        chosen = [each for each in chosen if each in form.ids("session")]
    for session_id in chosen:
        await sessions.end(session_id, of=here.user_id)
    return see_other(_HERE)


async def begin_session(
    request: Request, user_id: UUID, issuer: str | None, before: WebPerson | None, next_path: str
) -> Response:
    """A new session for a person in this browser; one that it held before ends. Raises PermissionDenied for somebody unknown."""
    sessions = gate_of(request).web_sessions
    word, session = await sessions.begin(user_id, issuer)
    if before is not None:
        await sessions.end(before.session.session_id)
    _log.info(Event.SIGNED_IN, user_id=str(session.user_id), issuer=issuer)
    answer = see_other(local_path(next_path))
    set_cookie(request, answer, SESSION, word)
    return answer


async def _finish(
    request: Request, gate: Gate, attempt: Attempt | None, before: WebPerson | None
) -> Response:
    given = request.query_params
    if attempt is None:
        raise SignInRefused("No sign-in is under way in this browser.", detail={"reason": "no_attempt"})
    if not hmac.compare_digest(given.get("state", "").encode(), attempt.state.encode()):
        raise SignInRefused("The answer is to another sign-in.", detail={"reason": "state"})
    if "error" in given:
        said = given["error"] if given["error"] in _KNOWN_ERRORS else "other"
        raise _ProviderSaidNo("The provider sent you back without signing you in.", detail={"reason": said})
    if any(len(given.getlist(name)) != 1 for name in ("code", "state")):
        raise SignInRefused("The answer holds no code.", detail={"reason": "no_code"})
    provider = _provider(gate)
    proven = await provider.prove(attempt, code=given["code"], issuer=given.get("iss"))
    user_id = await gate.identities.person(proven)
    return await begin_session(request, user_id, proven.issuer, before, attempt.next_path)


def _failed(request: Request, error: PeerPauseError) -> Response:
    words = words_of(request)
    # Of what came in the address nothing goes on into the page.
    bare = Request({**request.scope, "path": SIGN_IN, "query_string": b""})
    answer = page(
        bare,
        "sign_in_failed.html",
        status=error.http_status,
        sentence=_why(error, words),
        advice=_advice(error, words),
    )
    if isinstance(error, Unavailable):
        answer.headers["Retry-After"] = "2"
    return answer


def _why(error: PeerPauseError, words: Words) -> str:
    match error:
        case NobodyKnown():
            return _why_nobody(str(error.detail.get("outcome")), words)
        case _ProviderSaidNo() if error.detail.get("reason") == "access_denied":
            return words.gettext("The sign-in was cancelled.")
        case _ProviderSaidNo():
            return words.gettext("The sign-in service sent you back without signing you in.")
        case SignInRefused() if error.detail.get("reason") == "no_attempt":
            return words.gettext(
                "The sign-in took too long, or it was begun in another browser or another tab."
            )
        case SignInRefused():
            return words.gettext("The answer of the sign-in service does not prove who you are.")
        case Unavailable():
            return words.gettext("The sign-in service cannot be reached just now.")
        case PermissionDenied():
            return words.gettext("You are not in the directory of PeerPause.")
        case _:
            return in_words(error, words)


def _why_nobody(outcome: str, words: Words) -> str:
    sentences = {
        "no_email": words.gettext(
            "The sign-in service did not tell us an e-mail address that it has checked, so we cannot tell who you are here."
        ),
        "unknown": words.gettext("Nobody in the directory of PeerPause has your e-mail address."),
        "several": words.gettext(
            "Several people in the directory of PeerPause have your e-mail address, so we cannot tell who you are."
        ),
        "taken": words.gettext(
            "The person with your e-mail address signs in with another account. We do not know whether you are the same."
        ),
    }
    return sentences.get(outcome) or words.gettext("You are not in the directory of PeerPause.")


def _advice(error: PeerPauseError, words: Words) -> str:
    if isinstance(error, SignInRefused | _ProviderSaidNo | Unavailable):
        return words.gettext("Nothing has happened to your account. Begin again.")
    return words.gettext(
        "Ask your coordinator, or an admin of your organisation, to put you into the directory with the address you sign in with."
    )


def _leave(request: Request, address: str) -> Response:
    """Send the browser to another site.

    By a page and not by a redirect: browsers hold the redirects after a form, all the way, to the sites that our policy lets forms
    lead to, and where a provider leads on to we cannot know.
    """
    answer = page(request, "leaving.html", address=address)
    answer.headers["Refresh"] = f"0; url={address}"
    return answer


def _provider(gate: Gate) -> Provider:
    if gate.provider is None:
        raise Unavailable("Nobody can sign in here: no sign-in service is set.", hint="See docs/sign-in.md.")
    return gate.provider


def _address(request: Request) -> str:
    return "" if request.client is None else request.client.host
