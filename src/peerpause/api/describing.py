"""What `/openapi.json` says beyond what the routes say themselves: every refusal each operation may answer, with an example."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

from fastapi import FastAPI

from peerpause.api.examples import ANSWERS, NOT_READY
from peerpause.api.problems import FUNCTIONS, REST
from peerpause.auth.callers import APIKEY_SCHEME
from peerpause.auth.limits import ABOUT_KEYS, KEY_PATTERN, LONGEST_KEY

VERSION: Final = version("peerpause")
SUMMARY: Final = "Peer mentors take a break and come back; their coordinators hear of it at once."

Operation = MutableMapping[str, Any]

_METHODS: Final = frozenset({"get", "head", "post", "put", "delete"})
_OPEN: Final = frozenset({"/healthz", "/readyz", "/docs"})

_EXAMPLES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("invalid_argument", "These parts of the request are wrong: body.reason."),
    401: ("not_signed_in", "Your sign-in is not valid."),
    403: ("permission_denied", "this mentor is not yours to change"),
    404: ("mentor_not_found", "no such mentor"),
    405: ("method_not_allowed", "This address does not take that method."),
    406: ("PGRST116", "Cannot coerce the result to a single JSON object"),
    409: ("conflict", "The mentor's status has moved on since it was read; nothing was changed."),
    412: ("precondition_failed", "The mentor's status has moved on since it was read; nothing was changed."),
    413: ("too_large", "The request's body is larger than 256 KiB."),
    416: ("PGRST103", "Requested range not satisfiable"),
    415: ("PGRST107", "Content-Type not acceptable: the arguments come as application/json"),
    422: ("idempotency_key_reused", "this idempotency key was used for another request"),
    429: ("too_many_requests", "You are asking faster than agreed; nothing was changed."),
    500: ("internal_error", "Something went wrong on our side."),
    503: ("unavailable", "The database cannot be reached just now."),
}

_REST_EXAMPLES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("P0001", "invalid status transition: paused -> inactive"),
    401: ("PGRST301", "Your sign-in is not valid."),
    403: ("42501", "this mentor is not yours to change"),
    404: ("PT404", "no such mentor"),
    405: ("25006", "cannot execute this function in a read-only transaction"),
    409: ("request_in_progress", "The first request with this idempotency key still runs."),
    413: ("413", "The request's body is larger than 256 KiB."),
    429: ("429", "You are asking faster than agreed; nothing was changed."),
    500: ("PGRSTX00", "Something went wrong on our side."),
    503: ("PGRST001", "The database cannot be reached just now."),
}
_ERRORS: Final = {
    "type": "array",
    "description": "Each part of the request that is at fault, and what to give instead.",
    "items": {
        "type": "object",
        "required": ["in", "detail"],
        "properties": {
            "in": {"enum": ["body", "query", "path", "header"]},
            "pointer": {"type": "string", "description": "Where in the body: a JSON pointer, as a fragment."},
            "name": {"type": "string", "description": "Which parameter or header."},
            "detail": {"type": "string"},
        },
    },
}
_PROBLEM: Final = {
    "type": "object",
    "description": "A refusal, as RFC 9457 has it. Programs go by `code`, people by `detail` and `hint`.",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "hint": {"type": "string"},
        "facts": {"type": "object"},
        "errors": _ERRORS,
    },
}
_POSTGREST_ERROR: Final = {
    "type": "object",
    "description": "A refusal as PostgREST puts it: always these four keys.",
    "required": ["code", "message", "details", "hint"],
    "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "details": {"type": ["string", "null"]},
        "hint": {"type": ["string", "null"]},
    },
}
_FUNCTION_ERROR: Final = {
    "type": "object",
    "description": "A refusal of an Edge Function.",
    "required": ["error"],
    "properties": {"error": {"type": "string"}, "code": {"type": "string"}, "errors": _ERRORS},
}


def describe(app: FastAPI) -> None:
    """Let the app's description tell every refusal. It is made once, when first asked for."""
    plain: Callable[[], dict[str, Any]] = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(plain())
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the description


def _complete(schema: dict[str, Any]) -> None:
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas |= {"Problem": _PROBLEM, "PostgrestError": _POSTGREST_ERROR, "FunctionError": _FUNCTION_ERROR}
    schema["components"]["securitySchemes"]["apikey"] = APIKEY_SCHEME
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            if method in _METHODS:
                _tell_key(path, method, operation)
                _tell_credentials(operation)
                _tell_refusals(path, method, operation)
    _describe_rpc(schema["paths"][f"{REST}/rpc/{{function}}"])
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            _give_examples(path, method, operation, schemas)


def _tell_credentials(operation: Operation) -> None:
    """Where a token says who asks, the project's key may."""
    if "security" in operation:
        operation["security"] = [*operation["security"], {"apikey": []}]


def _tell_key(path: str, method: str, operation: Operation) -> None:
    """Every POST may be repeated by key, also where the route knows nothing of it; a signed webhook has its own id."""
    parameters = operation.setdefault("parameters", [])
    has_one = any(parameter["name"].lower() == "idempotency-key" for parameter in parameters)
    if method == "post" and not has_one and not path.startswith("/webhooks/"):
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": ABOUT_KEYS,
                "schema": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": LONGEST_KEY,
                    "pattern": KEY_PATTERN,
                },
            }
        )
    if not parameters:
        del operation["parameters"]


def _give_examples(path: str, method: str, operation: Operation, schemas: Mapping[str, Any]) -> None:
    """An example of every answer that has a body, which a test holds to the answer's schema."""
    for status, response in operation["responses"].items():
        for media_type, content in response.get("content", {}).items():
            if "example" in content:
                continue
            referred = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
            own = schemas.get(referred, {}).get("examples", [None])[0]
            if status == "503" and path == "/readyz":
                own = NOT_READY
            elif status.startswith("2"):
                own = ANSWERS.get((method, path, media_type), own)
            elif media_type == "application/problem+json":
                own = _problem_example(int(status), *_example_of(path, int(status)))
            if own is not None:
                content["example"] = own


def _tell_refusals(path: str, method: str, operation: Operation) -> None:
    responses = operation.setdefault("responses", {})
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]  # FastAPI's own form of it, which we never answer
    for status in _statuses(path, method, operation):
        responses.setdefault(str(int(status)), _refusal(path, status))


def _statuses(path: str, method: str, operation: Operation) -> Iterator[int]:
    yield 500
    if path in _OPEN:
        return
    yield 401
    yield 429
    yield 503
    if path == "/metrics":
        return
    yield from (400, 403, 404)
    if path.startswith(REST):
        yield from (405, 406, 409, 413, 415, 416, 422)
    elif method != "get":
        yield from (409, 413)
        headers = {parameter["name"].lower() for parameter in operation.get("parameters", ())}
        if "if-match" in headers:
            yield 412
        if "idempotency-key" in headers:
            yield 422


def _example_of(path: str, status: int) -> tuple[str, str]:
    if status == 404 and "{mentor_id}" not in path and not path.startswith(REST):
        return "not_found", "There is nothing at this address."
    if path.startswith(REST):
        return _REST_EXAMPLES.get(status, _EXAMPLES[status])
    return _EXAMPLES[status]


def _refusal(path: str, status: int) -> Mapping[str, Any]:
    code, detail = _example_of(path, status)
    media_type, name, example = "application/problem+json", "Problem", _problem_example(status, code, detail)
    if path.startswith(REST):
        media_type, name = "application/json", "PostgrestError"
        example = {"code": code, "message": detail, "details": None, "hint": None}
    elif path.startswith(FUNCTIONS):
        media_type, name, example = "application/json", "FunctionError", {"error": detail, "code": code}
    content = {media_type: {"schema": {"$ref": f"#/components/schemas/{name}"}, "example": example}}
    return {"description": HTTPStatus(status).phrase, "content": content}


def _problem_example(status: int, code: str, detail: str) -> dict[str, Any]:
    return {
        "type": f"/docs#{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }


_SHAPING: Final = [
    {"name": name, "in": "query", "required": False, "description": words, "schema": {"type": "string"}}
    for name, words in {
        "select": "Which columns of a list of rows, with commas between; `alias:column` renames one.",
        "order": "By which columns: `paused_at.desc.nullslast,display_name`.",
        "limit": "How many rows at most.",
        "offset": "How many rows to leave out before.",
        "or": "Conditions of which one must hold: `(status.eq.paused,first_name.like.A*)`. A filter of one column is its name"
        " with `eq.`, `neq.`, `gt.`, `gte.`, `lt.`, `lte.`, `like.`, `ilike.`, `in.(…)`, `is.` or `isdistinct.`, or `not.` before"
        " one of these: `status=eq.paused`.",
    }.items()
]


def _describe_rpc(operations: MutableMapping[str, Operation]) -> None:
    """What PostgREST takes and gives depends on the function; its arguments stand in the SQL contract."""
    answers = {
        "200": {
            "description": "What the function gives: a list of rows, or a single value.",
            "content": {
                "application/json": {
                    "schema": {},
                    "example": [{"mentor_id": "6f1c5f0e-3f0b-4c57-9c2b-1d1f5a7f9b10"}],
                },
                "application/vnd.pgrst.object+json": {
                    "schema": {"type": "object"},
                    "example": {"mentor_id": "6f1c5f0e-3f0b-4c57-9c2b-1d1f5a7f9b10", "status": "paused"},
                },
            },
        },
        "204": {"description": "The function gives nothing."},
        "206": {
            "description": "With `Prefer: count=exact`: some of the rows, `Content-Range` says which of how many.",
            "content": {
                "application/json": {"schema": {"type": "array"}, "example": [{"status": "paused"}]},
                "application/vnd.pgrst.object+json": {
                    "schema": {"type": "object"},
                    "example": {"status": "paused"},
                },
            },
        },
    }
    for operation in operations.values():
        operation["responses"] = {**operation["responses"], **answers}
        operation.setdefault("parameters", []).extend(_SHAPING)
    operations["post"]["requestBody"] = {
        "description": "The arguments by name.",
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {"p_mentor_id": "6f1c5f0e-3f0b-4c57-9c2b-1d1f5a7f9b10"},
            }
        },
    }
