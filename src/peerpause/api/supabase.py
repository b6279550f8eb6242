"""`/rest/v1/rpc/{function}` as PostgREST answers it, so that a Supabase client needs nothing but our address.

The functions of our own migrations and no others; arguments by name; the codes and statuses of PostgREST's documentation.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Protocol

from fastapi import APIRouter, Path, Request, Response

from peerpause.auth.callers import Asking
from peerpause.auth.limits import ChangeLimiter
from peerpause.database.functions import ClientFunctions, Function, FunctionCall
from peerpause.notifications.bell import OutboxBell

router = APIRouter(prefix="/rest/v1", tags=["supabase"])

_OBJECT: Final = "application/vnd.pgrst.object+json"
_JSON: Final = "application/json; charset=utf-8"
_SHAPING: Final = frozenset({"select", "limit", "offset"})


class _Bell(Protocol):
    """What a change leaves to be done: wake those who tell of it."""

    @property
    def bell(self) -> OutboxBell: ...


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a client wants the rows of an answer."""

    columns: tuple[str, ...] | None
    limit: int | None
    offset: int

    @property
    def is_plain(self) -> bool:
        return self.columns is None and self.limit is None and self.offset == 0


class RpcRefused(Exception):
    """A request that never reached a function, in PostgREST's words."""

    def __init__(
        self, status: int, code: str, message: str, *, details: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(code)
        self.status = status
        self.body = {"code": code, "message": message, "details": details, "hint": hint}


Name = Annotated[str, Path(max_length=63, pattern=r"^[a-z_0-9]+$", examples=["get_mentor_status"])]


@router.post("/rpc/{function}", response_class=Response)
async def call_function(function: Name, request: Request, caller: Asking) -> Response:
    """Call one of the functions of the contract, with the arguments by name in a JSON object."""

    async def call() -> Response:
        shape = _shape_of(request.query_params, other_keys_are_filters=True)
        arguments, given = _read_body(request, await request.body())
        return await _call(request, caller, function, arguments, given, shape)

    return await _answered(request, call)


@router.head("/rpc/{function}", response_class=Response)
@router.get("/rpc/{function}", response_class=Response)
async def ask_function(function: Name, request: Request, caller: Asking) -> Response:
    """Call one of the functions that change nothing, with the arguments by name in the address."""

    async def call() -> Response:
        shape = _shape_of(request.query_params, other_keys_are_filters=False)
        given = frozenset(request.query_params) - _SHAPING
        arguments = json.dumps({name: request.query_params[name] for name in given})
        return await _call(request, caller, function, arguments, given, shape)

    return await _answered(request, call)


async def _answered(request: Request, call: Callable[[], Awaitable[Response]]) -> Response:
    try:
        _require_our_schema(request)
        return await call()
    except RpcRefused as refused:
        return Response(json.dumps(refused.body), status_code=refused.status, media_type=_JSON)


async def _call(
    request: Request, caller: Any, name: str, arguments: str, given: frozenset[str], shape: _Shape
) -> Response:
    functions: ClientFunctions = request.app.state.functions
    found = await functions.find(name, given)
    if found is None:
        raise _no_function(name, given)
    if not found.is_read_only:
        if request.method != "POST":
            raise RpcRefused(
                405, "25006", "cannot execute this function in a read-only transaction", hint="Use POST."
            )
        limiter: ChangeLimiter = request.app.state.limiter
        limiter.take(caller)
    answer = await functions.call(caller, FunctionCall(found, given, arguments))
    if not found.is_read_only:
        services: _Bell = request.app.state.services
        services.bell.ring()
    return _answer(request, found, answer.answers, answer.count, shape)


def _answer(request: Request, function: Function, answers: str, count: int, shape: _Shape) -> Response:
    if function.gives_nothing:
        return Response(status_code=204)
    wants_object = _OBJECT in request.headers.get("accept", "")
    headers = {}
    if function.gives_set:
        if not shape.is_plain:
            rows = _shaped(json.loads(answers), shape)
            total, count, answers = count, len(rows), json.dumps(rows, ensure_ascii=False)
        else:
            total = count
        headers = _range(request, shape.offset, count, total)
        if wants_object and count != 1:
            raise RpcRefused(
                406,
                "PGRST116",
                "Cannot coerce the result to a single JSON object",
                details=f"The result contains {count} rows",
            )
        body = answers[1:-1] if wants_object else answers
    else:
        body = answers[1:-1]
    media_type = f"{_OBJECT}; charset=utf-8" if wants_object and function.gives_set else _JSON
    return Response(b"" if request.method == "HEAD" else body, headers=headers, media_type=media_type)


def _range(request: Request, offset: int, count: int, total: int) -> dict[str, str]:
    counted = "count=exact" in request.headers.get("prefer", "").replace(" ", "")
    span = f"{offset}-{offset + count - 1}" if count else "*"
    headers = {"Content-Range": f"{span}/{total if counted else '*'}"}
    if counted:
        headers["Preference-Applied"] = "count=exact"
    return headers


def _shaped(rows: list[Mapping[str, Any]], shape: _Shape) -> list[Mapping[str, Any]]:
    end = None if shape.limit is None else shape.offset + shape.limit
    rows = rows[shape.offset : end]
    if shape.columns is None:
        return rows
    unknown = [name for name in shape.columns if rows and name not in rows[0]]
    if unknown:
        raise RpcRefused(400, "42703", f"column {unknown[0]} does not exist")
    return [{name: row[name] for name in shape.columns} for row in rows]


def _shape_of(query: Mapping[str, str], *, other_keys_are_filters: bool) -> _Shape:
    if other_keys_are_filters and (others := sorted(set(query) - _SHAPING)):
        raise RpcRefused(
            400,
            "PGRST100",
            f"Filtering or ordering by {others[0]!r} is not offered here",
            hint="Use select, limit and offset.",
        )
    columns = tuple(part.strip() for part in query.get("select", "*").split(","))
    if not all(name == "*" or name.replace("_", "a").isalnum() for name in columns):
        raise RpcRefused(400, "PGRST100", "select names columns of the answer, with commas between")
    return _Shape(
        columns=None if "*" in columns else columns,
        limit=_number(query, "limit"),
        offset=_number(query, "offset") or 0,
    )


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise RpcRefused(400, "PGRST100", f"{name} is not a number")
    return int(text)


def _require_our_schema(request: Request) -> None:
    profile = request.headers.get(
        "content-profile" if request.method == "POST" else "accept-profile", "public"
    )
    if profile != "public":
        raise RpcRefused(
            406,
            "PGRST106",
            f"Invalid schema: {profile}",
            hint="Only the following schemas are exposed: public",
        )


def _read_body(request: Request, body: bytes) -> tuple[str, frozenset[str]]:
    media_type = request.headers.get("content-type", "application/json").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise RpcRefused(
            415, "PGRST107", "Content-Type not acceptable: the arguments come as application/json"
        )
    if not body.strip():
        return "{}", frozenset()
    try:
        text = body.decode()
        arguments = json.loads(text)
    except (ValueError, RecursionError):
        raise RpcRefused(400, "PGRST102", "Empty or invalid json") from None
    if not isinstance(arguments, dict):
        raise RpcRefused(400, "PGRST102", "All arguments must be in one JSON object, by name")
    return text, frozenset(arguments)


def _no_function(name: str, given: frozenset[str]) -> RpcRefused:
    listed = ", ".join(sorted(given))
    wanted = f"with parameters {listed}" if given else "without parameters"
    return RpcRefused(
        404,
        "PGRST202",
        f"Could not find the function public.{name}({listed}) in the schema cache",
        details=f"Searched for the function public.{name} {wanted}, but no matches were found in the schema cache.",
    )
