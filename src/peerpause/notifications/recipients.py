"""Who must hear of a mentor: the coordinators of all the mentor's chapters, once each, or else the organisation's admins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from peerpause.database.session import Service, Sessions


@dataclass(frozen=True, slots=True)
class Device:
    """Something a push can reach: a registration token (``kind`` token) or a Firebase installation id (``kind`` fid)."""

    token: str
    kind: str

    def __repr__(self) -> str:
        """Leave the token out: a repr may end up in a log."""
        return f"Device(kind={self.kind!r})"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who must hear of a mentor, and how they want to be spoken to.

    ``is_fallback`` marks an admin who stands in because the mentor's chapters have no active coordinator. ``minimal`` means
    the organisation lets a push say no more than that something changed.
    """

    user_id: UUID
    is_fallback: bool
    language: str
    push_enabled: bool
    minimal: bool
    role_word: str | None
    devices: tuple[Device, ...]


async def resolve_coordinators_for_mentor(sessions: Sessions, mentor_id: UUID) -> tuple[Recipient, ...]:
    """Find who must hear of a mentor. Empty where the organisation has neither coordinator nor admin.

    Raises ``Unavailable`` when the database is away.
    """
    rows = await sessions.call(Service(), "recipients_for_mentor", {"mentor_id": mentor_id})
    return tuple(_recipient(row) for row in rows)


def devices_from(rows: Sequence[Mapping[str, str]] | None) -> tuple[Device, ...]:
    """Read the devices a query answered as JSON, the most recently seen first."""
    return tuple(Device(token=row["token"], kind=row["kind"]) for row in rows or ())


def _recipient(row: Mapping[str, Any]) -> Recipient:
    return Recipient(
        user_id=row["user_id"],
        is_fallback=row["is_fallback"],
        language=row["language"],
        push_enabled=row["push_enabled"],
        minimal=row["minimal"],
        role_word=row["role_word"],
        devices=devices_from(row["devices"]),
    )
