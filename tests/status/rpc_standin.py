"""What PostgREST does with `POST /rest/v1/rpc/…`, as an httpx transport over a test database.

The bearer token is the claims themselves as JSON: who may sign one is not the question here.
"""

from __future__ import annotations

import json
from typing import Any

import httpx
import psycopg
from psycopg import sql

from peerpause.database.session import Caller
from tests.servers import Database

_ANSWER = sql.SQL("select {answer} from public.{function}({arguments}) as r")
_STATUS = {"42501": 403, "PT404": 404}


class RpcStandIn(httpx.AsyncBaseTransport):
    """Answers for one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        function = request.url.path.removeprefix("/rest/v1/rpc/")
        claims = json.loads(request.headers["authorization"].removeprefix("Bearer "))
        try:
            answer = await self._run(function, json.loads(request.content), claims)
        except psycopg.Error as error:
            diagnosis = error.diag
            refusal = {
                "code": error.sqlstate,
                "message": diagnosis.message_primary,
                "details": diagnosis.message_detail,
                "hint": diagnosis.message_hint,
            }
            return httpx.Response(_STATUS.get(error.sqlstate or "", 400), json=refusal)
        # Not `json=answer`: httpx would send nothing at all for null.
        return httpx.Response(200, content=json.dumps(answer))

    async def _run(self, function: str, body: dict[str, Any], claims: dict[str, Any]) -> Any:
        role = claims.pop("role")
        address = self._database.url_as(role, **claims)
        async with await psycopg.AsyncConnection[tuple[Any, ...]].connect(address) as connection:
            cursor = await connection.execute("select proretset from pg_proc where proname = %s", [function])
            found = await cursor.fetchone()
            assert found is not None, f"no function {function}"
            statement = _ANSWER.format(
                answer=sql.SQL("coalesce(jsonb_agg(to_jsonb(r)), '[]')" if found[0] else "to_jsonb(r)"),
                function=sql.Identifier(function),
                # Literals without a type, as in a JSON body.
                arguments=sql.SQL(", ").join(
                    sql.SQL("{} => {}").format(sql.Identifier(name), sql.Literal(_text(value)))
                    for name, value in body.items()
                ),
            )
            row = await (await connection.execute(statement)).fetchone()
        assert row is not None
        return row[0]


def token_of(caller: Caller) -> str:
    """The token with which a client is this caller."""
    return caller.to_json()


def _text(value: object) -> str | None:
    if isinstance(value, str) and "\0" in value:
        raise psycopg.errors.UntranslatableCharacter("unsupported Unicode escape sequence")
    return None if value is None else str(value)
