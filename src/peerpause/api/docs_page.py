"""`/docs`: the API's description as a plain page for people. One file, no scripts, nothing loaded from anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from peerpause import errors
from peerpause.errors import PeerPauseError

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
_STYLE: Final = """
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; color: #1e2b3c; background: #fff; }
code, pre { font-family: ui-monospace, monospace; font-size: .9rem; }
pre { background: #f4f5f6; padding: .75rem; overflow-x: auto; }
summary { padding: .6rem 0; cursor: pointer; }
details { border-top: 1px solid #68707c; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #d2d5d8; }
a { color: #0062ba; }
"""


def docs_routes() -> APIRouter:
    """The route of the page."""
    router = APIRouter(tags=["health"])

    @router.get("/docs", response_class=HTMLResponse)
    async def docs(request: Request) -> HTMLResponse:
        """This description, for people."""
        page = "".join(_page(request.app.openapi()))
        return HTMLResponse(
            page, headers={"Content-Security-Policy": _POLICY, "Cache-Control": "max-age=300"}
        )

    return router


def error_kinds() -> tuple[type[PeerPauseError], ...]:
    """Every kind of refusal a program may meet, by its code."""
    kinds = {
        kind.code: kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, PeerPauseError) and kind is not PeerPauseError
    }
    return tuple(kinds[code] for code in sorted(kinds))


def _page(schema: Mapping[str, Any]) -> Iterator[str]:
    info = schema["info"]
    yield f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}: the HTTP API</title>'
    yield f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body><main>'
    yield f"<h1>{escape(info['title'])} {escape(info['version'])}: the HTTP API</h1><p>{escape(info.get('summary', ''))}</p>"
    yield '<p>For programs: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>'
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            yield from _operation(path, method, operation, schema)
    yield from _errors()
    yield "</main></body></html>"


def _operation(
    path: str, method: str, operation: Mapping[str, Any], schema: Mapping[str, Any]
) -> Iterator[str]:
    yield f"<details><summary><code>{method.upper()} {escape(path)}</code></summary>"
    yield f"<p>{escape(operation.get('description', ''))}</p>"
    if parameters := operation.get("parameters"):
        yield "<table><thead><tr><th>Parameter</th><th>In</th><th>What it is</th></tr></thead><tbody>"
        for each in parameters:
            words = each.get("description") or each.get("schema", {}).get("description", "")
            needed = " (required)" if each.get("required") else ""
            yield f"<tr><td><code>{escape(each['name'])}</code>{needed}</td><td>{escape(each['in'])}</td><td>{escape(words)}</td></tr>"
        yield "</tbody></table>"
    yield from _example("Send", operation.get("requestBody", {}), schema)
    for status, response in operation.get("responses", {}).items():
        words = f"{status} {response.get('description', '')}"
        yield from _example(words, response, schema, always=True)
    yield "</details>"


def _example(
    words: str, part: Mapping[str, Any], schema: Mapping[str, Any], *, always: bool = False
) -> Iterator[str]:
    examples = [
        found
        for content in part.get("content", {}).values()
        if (found := _found(content, schema)) is not None
    ]
    if examples or always:
        yield f"<p>{escape(words)}</p>"
    if examples:
        yield f"<pre>{escape(json.dumps(examples[0], indent=2, ensure_ascii=False))}</pre>"


def _found(content: Mapping[str, Any], schema: Mapping[str, Any]) -> object:
    if "example" in content:
        return content["example"]
    referred = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    examples = schema["components"]["schemas"].get(referred, {}).get("examples", [])
    return examples[0] if examples else None


def _errors() -> Iterator[str]:
    yield "<h2>Refusals</h2><table><thead><tr><th>Code</th><th>Status</th><th>What happened</th></tr></thead><tbody>"
    for kind in error_kinds():
        words = " ".join((kind.__doc__ or "").split()).replace("``", "")
        yield f'<tr id="{kind.code}"><td><code>{kind.code}</code></td><td>{kind.http_status}</td><td>{escape(words)}</td></tr>'
    yield "</tbody></table>"
