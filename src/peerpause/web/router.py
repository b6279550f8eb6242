"""All pages, put together: what the app includes."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from peerpause.web import (
    admin,
    admin_audit,
    admin_chapters,
    admin_deliveries,
    admin_import,
    admin_privacy,
    admin_settings,
    admin_webhooks,
    bulk,
    certificates,
    changing,
    checks,
    coming_back,
    figures,
    home,
    inbox,
    leaving,
    live,
    me,
    mentor,
    mentors,
    own_profile,
    own_records,
    pausing,
    preferences,
    renewals,
    return_date,
    sign_in,
)
from peerpause.web.static import static_router

AREAS: Final = (
    home,
    sign_in,
    live,
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
    admin_import,
    admin_audit,
    admin_webhooks,
    admin_privacy,
    mentors,
    bulk,
    return_date,
    mentor,
    changing,
)
"""All pages but the files they need. Addresses that name something come before those in which anything may stand."""


def web_router() -> APIRouter:
    """The routes of every page."""
    router = APIRouter()
    for area in AREAS:
        router.include_router(area.router)
    router.include_router(static_router())
    return router
