"""`/rest/v1/rpc/{function}` as PostgREST answers it, so that a Supabase client needs nothing but our address.

The functions of our own migrations and no others; arguments by name; filters, order and paging of their rows; the codes and statuses of
PostgREST's documentation.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any, Final, Protocol

from fastapi import APIRouter, Path, Request, Response

from peerpause.api.shapes import RESERVED, NotRead, is_filter, read_shape
from peerpause.auth.callers import Asking
from peerpause.auth.limits import count_change
from peerpause.database.errors import refusal_behind
from peerpause.database.functions import ClientFunctions, Function, FunctionAnswer, FunctionCall
from peerpause.database.session import Caller
from peerpause.database.shaping import Shape
from peerpause.errors import DatabaseFault
from peerpause.notifications.bell import OutboxBell

router = APIRouter(prefix="/rest/v1", tags=["supabase"])

_OBJECT: Final = "application/vnd.pgrst.object+json"
_JSON: Final = "application/json; charset=utf-8"
_NO_OPERATOR: Final = "42883"


class _Bell(Protocol):
    """What a change leaves to be done: wake those who tell of it."""

    @property
    def bell(self) -> OutboxBell: ...


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
        shape = _read_shape(request.query_params.multi_items())
        arguments, given = _read_body(request, await request.body())
        return await _call(request, caller, function, arguments, given, shape)

    return await _answered(request, call)


@router.head("/rpc/{function}", response_class=Response)
@router.get("/rpc/{function}", response_class=Response)
async def ask_function(function: Name, request: Request, caller: Asking) -> Response:
    """Call one of the functions that change nothing, with the arguments by name in the address."""

    async def call() -> Response:
        pairs = request.query_params.multi_items()
        shaping = [(key, text) for key, text in pairs if key in RESERVED or is_filter(key, text)]
        arguments = dict(pair for pair in pairs if pair not in shaping)
        shape = _read_shape(shaping)
        return await _call(request, caller, function, json.dumps(arguments), frozenset(arguments), shape)

    return await _answered(request, call)


async def _answered(request: Request, call: Callable[[], Awaitable[Response]]) -> Response:
    try:
        _require_our_schema(request)
        return await call()
    except RpcRefused as refused:
        return Response(json.dumps(refused.body), status_code=refused.status, media_type=_JSON)


async def _call(
    request: Request, caller: Any, name: str, arguments: str, given: frozenset[str], shape: Shape
) -> Response:
    functions: ClientFunctions = request.app.state.functions
    found = await functions.find(name, given)
    if found is None:
        raise _no_function(name, given)
    _require_columns(found, shape)
    if not found.is_read_only:
        if request.method != "POST":
            raise RpcRefused(
                405, "25006", "cannot execute this function in a read-only transaction", hint="Use POST."
            )
        await count_change(request, caller)
    call = FunctionCall(found, given, arguments, shape if found.columns else Shape())
    answer = await _ask(functions, caller, call)
    if not found.is_read_only:
        services: _Bell = request.app.state.services
        services.bell.ring()
    return _answer(request, found, answer, shape.offset)


async def _ask(functions: ClientFunctions, caller: Caller, call: FunctionCall) -> FunctionAnswer:
    try:
        return await functions.call(caller, call)
    except DatabaseFault as error:
        refusal = refusal_behind(error)
        if refusal is None or refusal.sqlstate != _NO_OPERATOR:
            raise
        # A filter that the column's type knows nothing of, such as a pattern for a uuid; the sentence names types only.
        raise RpcRefused(
            404, _NO_OPERATOR, refusal.message or "no such operator", hint=refusal.hint
        ) from None


def _answer(request: Request, function: Function, answer: FunctionAnswer, offset: int) -> Response:
    if function.gives_nothing:
        return Response(status_code=204)
    wants_object = _OBJECT in request.headers.get("accept", "")
    headers: dict[str, str] = {}
    status, answers, count = 200, answer.answers, answer.count
    if function.gives_set:
        headers, status = _range(request, offset, count, answer.total)
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
    return Response(
        b"" if request.method == "HEAD" else body, status_code=status, headers=headers, media_type=media_type
    )


def _range(request: Request, offset: int, count: int, total: int) -> tuple[dict[str, str], int]:
    span = f"{offset}-{offset + count - 1}" if count else "*"
    if "count=exact" not in request.headers.get("prefer", "").replace(" ", ""):
        return {"Content-Range": f"{span}/*"}, 200
    if offset > total:
        raise RpcRefused(
            416,
            "PGRST103",
            "Requested range not satisfiable",
            details=f"An offset of {offset} was requested, but there are only {total} rows.",
        )
    headers = {"Content-Range": f"{span}/{total}", "Preference-Applied": "count=exact"}
    return headers, 206 if count < total else 200


def _read_shape(pairs: Iterable[tuple[str, str]]) -> Shape:
    try:
        return read_shape(pairs)
    except NotRead as error:
        raise RpcRefused(400, "PGRST100", error.message, details=error.details) from None


def _require_columns(function: Function, shape: Shape) -> None:
    known = set(function.columns)
    unknown = next((name for name in shape.names if name not in known), None)
    if unknown is not None:
        raise RpcRefused(400, "42703", f"column pgrst_call.{unknown} does not exist")


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
