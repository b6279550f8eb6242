"""The cookies of signing in, and which requests come from our own pages.

Both depend on the address people reach us at. Where that is https, a cookie travels by https alone and its name begins with
`__Host-`, so that no neighbouring site can set it. Plain http is for this very machine: the demo, and tests.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request, Response

SESSION: Final = "peerpause"
"""The cookie of somebody who is signed in, without its prefix."""

SIGNING_IN: Final = "peerpause-signing-in"
"""The cookie of a browser that has been sent to the provider, without its prefix."""

_PREFIX: Final = "__Host-"


def cookie_name(request: Request, cookie: str) -> str:
    """The whole name of a cookie here."""
    return _PREFIX + cookie if _is_https(request) else cookie


def read_cookie(request: Request, cookie: str) -> str | None:
    """What the browser holds under a name, if anything."""
    return request.cookies.get(cookie_name(request, cookie))


def set_cookie(
    request: Request, answer: Response, cookie: str, value: str, *, max_age: timedelta | None = None
) -> None:
    """Let the browser hold a value: until it is closed, or for ``max_age``. Scripts do not see it, other sites' forms do not send it."""
    answer.set_cookie(
        cookie_name(request, cookie),
        value,
        max_age=None if max_age is None else int(max_age.total_seconds()),
        path="/",
        secure=_is_https(request),
        httponly=True,
        samesite="lax",
    )


def drop_cookie(request: Request, answer: Response, cookie: str) -> None:
    """Let the browser forget a value."""
    answer.delete_cookie(
        cookie_name(request, cookie), path="/", secure=_is_https(request), httponly=True, samesite="lax"
    )


def is_from_our_pages(request: Request) -> bool | None:
    """Whether a form was sent from one of our own pages; None where the browser says nothing about it."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return None if origin is None else origin in our_origins(request)


def our_origins(request: Request) -> frozenset[str]:
    """The origins that are ours: the one people reach us at, and the one this request came to."""
    found = {f"{request.url.scheme}://{request.headers.get('host', '')}"}
    if (public_url := _public_url(request)) is not None:
        parts = urlsplit(public_url)
        found.add(f"{parts.scheme}://{parts.netloc}")
    return frozenset(found)


def _is_https(request: Request) -> bool:
    return (_public_url(request) or "").startswith("https://")


def _public_url(request: Request) -> str | None:
    public_url: str | None = getattr(request.app.state, "public_url", None)
    return public_url
