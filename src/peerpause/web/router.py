"""All pages, put together: what the app includes."""

from __future__ import annotations

from fastapi import APIRouter

from peerpause.web import home, live, mentors, sign_in
from peerpause.web.static import static_router


def web_router() -> APIRouter:
    """The routes of every page."""
    router = APIRouter()
    for area in (home.router, sign_in.router, live.router, mentors.router):
        router.include_router(area)
    router.include_router(static_router())
    return router
