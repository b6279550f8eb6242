"""Every refusal as an answer, in the form its caller reads: problem details (RFC 9457), PostgREST's four keys, or `{"error": …}`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from peerpause.database.errors import Refusal, refusal_behind
from peerpause.database.session import Claims
from peerpause.errors import InvalidArgument, NotSignedIn, PeerPauseError, PermissionDenied

RETRY_AFTER: Final = 2
"""Seconds after which a caller may ask again when the database was away."""

REST: Final = "/rest/v1"
FUNCTIONS: Final = "/functions/v1"


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal, before it takes a form. ``errors`` names each part of the request that is at fault, and why."""

    status: int
    code: str
    detail: str
    hint: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    errors: tuple[Mapping[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def answer_refusals(
    app: FastAPI, *, nothing_there: Callable[[Request], Response | None] = lambda _: None
) -> None:
    """Let the app answer every refusal in the form its caller reads.

    ``nothing_there`` may answer a request for an address that does not exist: people with a browser get a page.
    """

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, PeerPauseError)
        problem = problem_of(error, is_visitor=_is_visitor(request), method=request.method)
        return answer(request.url.path, problem, refusal_behind(error))

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return answer(request.url.path, _invalid(error.errors()))

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        page = nothing_there(request) if error.status_code == HTTPStatus.NOT_FOUND else None
        return page or answer(request.url.path, _of_http(error))

    app.add_exception_handler(PeerPauseError, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)


def problem_of(error: PeerPauseError, *, is_visitor: bool = False, method: str = "POST") -> Problem:
    """One of our errors as a problem. What a visitor may not do is answered as 401: they may after signing in.

    ``method`` tells where an argument is that the error names: in the query of a GET, else in the body.
    """
    status = error.http_status
    headers: dict[str, str] = {}
    if isinstance(error, PermissionDenied) and is_visitor:
        status = NotSignedIn.http_status
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    elif status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER)
    elif "retry_after" in error.detail:
        headers["Retry-After"] = str(error.detail["retry_after"])
    # What goes wrong inside is for the log; the caller can do nothing with it.
    facts = error.detail if status < HTTPStatus.INTERNAL_SERVER_ERROR else {}
    errors: tuple[Mapping[str, str], ...] = ()
    if isinstance(error, InvalidArgument) and error.field is not None:
        place = error.field.split(".", 1) if "." in error.field else [_where(method), error.field]
        errors = ({**_at(place), "detail": error.message},)
    return Problem(status, error.code, error.message, error.hint, facts=facts, errors=errors, headers=headers)


def answer(path: str, problem: Problem, refusal: Refusal | None = None) -> Response:
    """The answer to a request for this path. ``refusal`` is what the database said, whose words PostgREST would pass on."""
    media_type = "application/json"
    if path.startswith(f"{REST}/"):
        body: Mapping[str, Any] = _as_postgrest(problem, refusal)
    elif path.startswith(f"{FUNCTIONS}/"):
        body = {"error": problem.detail, "code": problem.code}
        if problem.errors:
            body = {**body, "errors": problem.errors}
    else:
        media_type = "application/problem+json"
        body = _as_problem(problem)
    return Response(
        json.dumps(body, ensure_ascii=False, default=str),
        status_code=_status_in(path, problem, refusal),
        headers=dict(problem.headers),
        media_type=media_type,
    )


def _as_problem(problem: Problem) -> Mapping[str, Any]:
    body: dict[str, Any] = {
        "type": f"/docs#{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
    }
    if problem.hint:
        body["hint"] = problem.hint
    if problem.facts:
        body["facts"] = problem.facts
    if problem.errors:
        body["errors"] = problem.errors
    return body


def _as_postgrest(problem: Problem, refusal: Refusal | None) -> Mapping[str, Any]:
    if refusal is not None and refusal.sqlstate is not None and _may_be_told(refusal):
        return {
            "code": refusal.sqlstate,
            "message": refusal.message or problem.detail,
            "details": refusal.detail,
            "hint": refusal.hint,
        }
    code = (refusal and refusal.sqlstate) or _POSTGREST_CODES.get(problem.code, problem.code)
    return {"code": code, "message": problem.detail, "details": None, "hint": problem.hint}


def _status_in(path: str, problem: Problem, refusal: Refusal | None) -> int:
    """PostgREST names the status by the SQLSTATE: the same but for a key used twice, which it has no 422 for."""
    if refusal is not None and path.startswith(f"{REST}/") and refusal.sqlstate == "22023":
        return HTTPStatus.BAD_REQUEST
    return problem.status


def _may_be_told(refusal: Refusal) -> bool:
    # Our functions' own words, and complaints about the caller's own values; other sentences may quote what is stored.
    return refusal.raised or (refusal.sqlstate or "").startswith("22")


def _invalid(errors: Iterable[Mapping[str, Any]]) -> Problem:
    found = list(errors)
    if any(error["type"] == "json_invalid" for error in found):
        return Problem(
            400, "malformed_request", "The request's body is not JSON.", "Send a JSON object, in UTF-8."
        )
    errors = tuple({**_at(error["loc"]), "detail": in_plain_words(error)} for error in found)
    named = ", ".join(dict.fromkeys(_name(error["loc"]) for error in found))
    return Problem(
        400,
        "invalid_argument",
        f"These parts of the request are wrong: {named}.",
        "Correct them and send it again.",
        errors=errors,
    )


def _where(method: str) -> str:
    return "query" if method in ("GET", "HEAD") else "body"


def _at(location: Iterable[object]) -> Mapping[str, str]:
    """Where it is: `in` says body, query, path or header; in the body a JSON pointer leads on, elsewhere it has a name."""
    # A key the caller invented may be any text, so it is cut.
    where, *parts = (str(part)[:60] for part in location)
    if where != "body":
        return {"in": where, "name": ".".join(parts)}
    steps = (quote(part.replace("~", "~0").replace("/", "~1"), safe="~") for part in parts)
    return {"in": where, "pointer": "#" + "".join(f"/{step}" for step in steps)}


def _name(location: Iterable[object]) -> str:
    where, *parts = (str(part)[:60] for part in location)
    return ".".join(parts) or f"the {where}"


def in_plain_words(error: Mapping[str, Any]) -> str:
    """What is wrong with one part of a request, for people: of what Pydantic found."""
    words = _WORDS.get(error["type"])
    return (
        str(error["msg"]) if words is None else words.format(**{"expected": "", **(error.get("ctx") or {})})
    )


def _of_http(error: HTTPException) -> Problem:
    code, detail = _HTTP.get(error.status_code, ("http_error", str(error.detail)))
    return Problem(error.status_code, code, detail, headers=dict(error.headers or {}))


def _is_visitor(request: Request) -> bool:
    caller = getattr(request.state, "caller", None)
    return isinstance(caller, Claims) and caller.user_id is None


_DATE: Final = "Give a day, such as 2027-02-01."
_MOMENT: Final = "Give a time with its zone, such as 2027-02-01T09:30:00Z."
_UUID: Final = "Give an id of the form 6f1c5f0e-3f0b-4c57-9c2b-1d1f5a7f9b10."
_WORDS: Final[Mapping[str, str]] = {
    "missing": "This is missing.",
    "extra_forbidden": "There is no such part; leave it out.",
    "enum": "Give one of: {expected}.",
    "literal_error": "Give one of: {expected}.",
    "uuid_parsing": _UUID,
    "uuid_type": _UUID,
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "datetime_type": _MOMENT,
    "datetime_parsing": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "timezone_aware": "The time needs its zone, such as 2027-02-01T09:30:00Z.",
    "int_type": "Give a whole number.",
    "int_parsing": "Give a whole number.",
    "int_parsing_size": "The number is too large.",
    "greater_than_equal": "Give {ge} or more.",
    "less_than_equal": "Give {le} or less.",
    "string_type": "Give text.",
    "string_too_short": "Give {min_length} characters or more.",
    "string_too_long": "Give {max_length} characters or fewer.",
    "string_pattern_mismatch": "It holds characters that are not allowed here.",
    "string_unicode": "It holds characters that no text can hold.",
    "bool_type": "Give true or false.",
    "bool_parsing": "Give true or false.",
    "list_type": "Give a list.",
    "dict_type": "Give a JSON object.",
    "model_attributes_type": "Give a JSON object.",
    "too_short": "Give {min_length} or more.",
    "too_long": "Give {max_length} or fewer.",
}

_HTTP: Final[Mapping[int, tuple[str, str]]] = {
    400: ("malformed_request", "The request's body cannot be read."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take that method."),
    413: ("too_large", "The request's body is too large."),
    415: ("unsupported_media_type", "The request's body must be application/json."),
    500: ("internal_error", "Something went wrong on our side; nothing is known to have changed."),
}

_POSTGREST_CODES: Final[Mapping[str, str]] = {
    "not_signed_in": "PGRST301",
    "token_expired": "PGRST303",
    "unavailable": "PGRST001",
    "permission_denied": "42501",
    "malformed_request": "PGRST102",
    "unsupported_media_type": "PGRST107",
    "method_not_allowed": "PGRST117",
    "not_found": "PGRST125",
    "too_large": "413",
    "too_many_requests": "429",
    "internal_error": "PGRSTX00",
}
