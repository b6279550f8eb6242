"""The style sheets and scripts of the pages: served under an address that names their content, so that browsers may keep them for ever."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from fastapi import APIRouter, Request, Response

from peerpause.errors import ConfigurationError

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as browsers get it: `fingerprinted` is its name with a digest of its content, which is also its ETag."""

    fingerprinted: str
    media_type: str
    body: bytes
    gzipped: bytes
    etag: str


def static_url(name: str) -> str:
    """The address of a file, for templates: `peerpause.css` → `/static/peerpause.3f1c….css`."""
    try:
        return f"/static/{_files()[name].fingerprinted}"
    except KeyError:
        raise ConfigurationError(
            f"The web pages have no static file named {name}; there are {', '.join(sorted(_files()))}.",
            hint="Put it into src/peerpause/web/assets, name it in scripts/build_assets.py and run `make setup`.",
        ) from None


def static_router() -> APIRouter:
    """The route that serves the files; it fails at once, not at the first visit, where they were never built."""
    by_address = {file.fingerprinted: file for file in _files().values()}
    router = APIRouter()

    @router.api_route("/static/{name}", methods=["GET", "HEAD"], include_in_schema=False)
    async def static(name: str, request: Request) -> Response:
        return _answer(by_address.get(name), request.headers)

    return router


def read_files(folder: Traversable) -> dict[str, StaticFile]:
    """Every file for the browser in `folder`, by its plain name, compressed and fingerprinted."""
    found = {entry.name: _read(entry) for entry in _entries(folder) if _suffix(entry.name) in _TYPES}
    if not found:
        raise ConfigurationError(
            f"The static files of the web pages are missing from {folder}.",
            hint="In a checkout run `make setup`, which builds them; otherwise install PeerPause again, for this package is not whole.",
        )
    return found


@cache
def _files() -> Mapping[str, StaticFile]:
    return read_files(files("peerpause.web") / "static")


def _entries(folder: Traversable) -> list[Traversable]:
    if not folder.is_dir():
        return []
    return sorted(
        (entry for entry in folder.iterdir() if not entry.name.startswith(".")), key=lambda entry: entry.name
    )


def _read(entry: Traversable) -> StaticFile:
    body = entry.read_bytes()
    digest = hashlib.sha256(body).hexdigest()[:16]
    suffix = _suffix(entry.name)
    return StaticFile(
        fingerprinted=f"{entry.name.removesuffix(suffix)}.{digest}{suffix}",
        media_type=_TYPES[suffix],
        body=body,
        gzipped=gzip.compress(body, compresslevel=9, mtime=0),
        etag=digest,
    )


def _suffix(name: str) -> str:
    return f".{name.rpartition('.')[2]}"


def _answer(file: StaticFile | None, asked: Mapping[str, str]) -> Response:
    if file is None:
        return Response("Not found\n", HTTPStatus.NOT_FOUND, {"Cache-Control": "no-store"}, "text/plain")
    packed = _takes_gzip(asked.get("accept-encoding", "")) and len(file.gzipped) < len(file.body)
    # Two bodies under one address are two representations, so each has an ETag of its own.
    etag = f'"{file.etag}-gzip"' if packed else f'"{file.etag}"'
    headers = {
        "Cache-Control": _FOR_EVER,
        "ETag": etag,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if _knows(etag, asked.get("if-none-match", "")):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(file.gzipped if packed else file.body, headers=headers, media_type=file.media_type)


def _takes_gzip(accepted: str) -> bool:
    """Whether `Accept-Encoding` names gzip, or else everything, without forbidding it by `q=0`."""
    weights: dict[str, bool] = {}
    for choice in accepted.lower().split(","):
        coding, _, parameter = choice.partition(";")
        weights[coding.strip()] = not _is_zero(parameter)
    return weights.get("gzip", weights.get("*", False))


def _is_zero(parameter: str) -> bool:
    name, _, weight = parameter.strip().partition("=")
    return name.strip() == "q" and weight.strip().strip("0") in {"", "."}


def _knows(etag: str, known: str) -> bool:
    return known.strip() == "*" or etag in {tag.strip().removeprefix("W/") for tag in known.split(",")}
