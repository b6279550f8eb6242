"""The addresses of all pages: whose they are, and where. Whoever adds a page adds it here, and every check of pages sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.cast import Person, World


@dataclass(frozen=True, slots=True)
class Address:
    """A page: ``reader`` is who looks at it (None: a visitor), ``path`` where it is in a town."""

    name: str
    reader: Callable[[World], Person | None]
    path: Callable[[World], str]


EVERYBODY = (Address("accessibility", lambda town: None, lambda town: "/accessibility"),)


def _of_ada(what: str) -> Address:
    return Address(f"me-{what}", lambda town: town.ada, lambda town: f"/me/{town.ada.mentor_id}/{what}")


MENTORS = (
    Address("me", lambda town: town.ada, lambda town: f"/me/{town.ada.mentor_id}"),
    *(_of_ada(what) for what in ("pause", "resign", "history", "certificate", "profile")),
    Address("inbox", lambda town: town.bo, lambda town: "/inbox"),
    Address("inbox-all", lambda town: town.bo, lambda town: "/inbox?show=all"),
    Address("settings", lambda town: town.ada, lambda town: "/settings"),
)

COORDINATORS = (
    Address("roster", lambda town: town.bo, lambda town: "/mentors?status=all"),
    Address("mentor", lambda town: town.bo, lambda town: f"/mentors/{town.ada.mentor_id}"),
    Address("mentor-pause", lambda town: town.bo, lambda town: f"/mentors/{town.ada.mentor_id}/pause"),
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
        for what in ("settings", "chapters", "deliveries", "audit", "webhooks", "privacy")
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
