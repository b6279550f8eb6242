"""The addresses of all pages: whose they are, and where. Whoever adds a page adds it here, and every check of pages sees it.

In the town that they are opened in, Finn is on pause.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.cast import Person, World


@dataclass(frozen=True, slots=True)
class Address:
    """A page: ``reader`` is who looks at it (None: a visitor), ``path`` where it is in a town."""

    name: str
    reader: Callable[[World], Person | None]
    path: Callable[[World], str]


EVERYBODY = (
    Address("accessibility", lambda town: None, lambda town: "/accessibility"),
    Address("sign-in", lambda town: None, lambda town: "/sign-in"),
    Address("sessions", lambda town: town.ada, lambda town: "/account/sessions"),
    Address("home", lambda town: town.hal, lambda town: "/"),
    Address("nothing-there", lambda town: town.bo, lambda town: "/no-such-page"),
    Address("not-yours", lambda town: town.bo, lambda town: f"/admin/{town.organisation_id}"),
)


def _of_ada(what: str) -> Address:
    return Address(f"me-{what}", lambda town: town.ada, lambda town: f"/me/{town.ada.mentor_id}/{what}")


def _of_finn(what: str) -> Address:
    return Address(f"me-{what}", lambda town: town.finn, lambda town: f"/me/{town.finn.mentor_id}/{what}")


MENTORS = (
    Address("me", lambda town: town.ada, lambda town: f"/me/{town.ada.mentor_id}"),
    *(_of_ada(what) for what in ("pause", "resign", "history", "certificate", "profile")),
    Address("me-on-pause", lambda town: town.finn, lambda town: f"/me/{town.finn.mentor_id}"),
    *(_of_finn(what) for what in ("reactivate", "return")),
    Address("me-none", lambda town: town.bo, lambda town: "/me"),
    Address("inbox-empty", lambda town: town.greta, lambda town: "/inbox?show=all"),
    Address("inbox", lambda town: town.bo, lambda town: "/inbox"),
    Address("inbox-all", lambda town: town.bo, lambda town: "/inbox?show=all"),
    Address("settings", lambda town: town.ada, lambda town: "/settings"),
)

COORDINATORS = (
    Address("roster", lambda town: town.bo, lambda town: "/mentors?status=all"),
    Address("mentor", lambda town: town.bo, lambda town: f"/mentors/{town.ada.mentor_id}"),
    Address("mentor-pause", lambda town: town.bo, lambda town: f"/mentors/{town.ada.mentor_id}/pause"),
    Address(
        "mentor-return-date", lambda town: town.bo, lambda town: f"/mentors/{town.finn.mentor_id}/return-date"
    ),
    Address(
        "mentor-deactivate", lambda town: town.bo, lambda town: f"/mentors/{town.ada.mentor_id}/deactivate"
    ),
)

CERTIFICATES = (
    Address("certificates", lambda town: town.bo, lambda town: "/certificates"),
    Address(
        "certificates-renew", lambda town: town.bo, lambda town: f"/certificates/{town.ada.mentor_id}/renew"
    ),
    Address("checks", lambda town: town.dag, lambda town: "/checks"),
    Address("figures", lambda town: town.dag, lambda town: "/figures"),
)


def _of_dag(name: str, what: str) -> Address:
    return Address(name, lambda town: town.dag, lambda town: f"/admin/{town.organisation_id}{what}")


ADMINS = (
    Address("admin-choose", lambda town: town.hal, lambda town: "/admin"),
    _of_dag("admin", ""),
    *(
        _of_dag(f"admin-{what}", f"/{what}")
        for what in ("settings", "chapters", "deliveries", "import", "audit", "webhooks", "privacy")
    ),
    Address(
        "admin-person",
        lambda town: town.dag,
        lambda town: f"/admin/{town.organisation_id}/privacy/{town.ada.user_id}",
    ),
    Address(
        "admin-erase",
        lambda town: town.dag,
        lambda town: f"/admin/{town.organisation_id}/privacy/{town.ada.user_id}/erase",
    ),
    Address(
        "admin-chapter",
        lambda town: town.dag,
        lambda town: f"/admin/{town.organisation_id}/chapters/{town.north.chapter_id}?q=cy",
    ),
)

ADDRESSES: tuple[Address, ...] = (
    *EVERYBODY,
    *MENTORS,
    *COORDINATORS,
    *CERTIFICATES,
    *ADMINS,
)

NO_PAGES: Mapping[str, str] = {
    "/live": "a stream of events",
    "/sign-in/callback": "leads on, or says what went wrong with signing in: tests/web/test_sign_in.py",
    "/notifications": "leads on to the inbox",
    "/figures/{name}.svg": "a picture",
    "/mentors.csv": "a file",
    "/admin/{organisation_id}/audit.csv": "a file",
    "/admin/{organisation_id}/audit.jsonl": "a file",
    "/admin/{organisation_id}/audit/chain.jsonl": "a file",
    "/admin/{organisation_id}/privacy/{person_id}/export.{form}": "a file",
    "/settings/everything.{form}": "a file",
    "/static/{name}": "a file",
    "/checks/{run_id}": "there is none before a check has been run: test_certificates.py looks at it",
    "/certificates/{mentor_id}/renewed": "comes after a renewal: test_certificates.py looks at it",
    "/mentors/bulk/{order_id}": "comes after a change of many: test_coordinator.py looks at it",
}
"""Addresses that one can ask for and that are not looked at here, and why."""
