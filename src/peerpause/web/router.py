"""All pages, put together: what the app includes."""

from __future__ import annotations

from fastapi import APIRouter

from peerpause.web import (
    admin,
    admin_audit,
    admin_chapters,
    admin_deliveries,
    admin_privacy,
    admin_settings,
    admin_webhooks,
    certificates,
    checks,
    coming_back,
    figures,
    home,
    inbox,
    leaving,
    live,
    me,
    mentors,
    own_profile,
    own_records,
    pausing,
    preferences,
    renewals,
    sign_in,
)
from peerpause.web.static import static_router

_AREAS = (
    home,
    sign_in,
    live,
    mentors,
    me,
    pausing,
    coming_back,
    leaving,
    own_records,
    own_profile,
    inbox,
    preferences,
    certificates,
    renewals,
    checks,
    figures,
    admin,
    admin_settings,
    admin_chapters,
    admin_deliveries,
    admin_audit,
    admin_webhooks,
    admin_privacy,
)


def web_router() -> APIRouter:
    """The routes of every page."""
    router = APIRouter()
    for area in _AREAS:
        router.include_router(area.router)
    router.include_router(static_router())
    return router
