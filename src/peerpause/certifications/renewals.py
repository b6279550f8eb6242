"""Renewals and overrides, as the person who records them: the database decides whether they may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from peerpause.database.session import Caller, Sessions


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a renewal did. ``expires_on`` is the last valid day; ``reactivated`` tells whether it ended a pause."""

    mentor_id: UUID
    certification_id: UUID
    kind: str
    expires_on: date | None
    reactivated: bool
    status: str


async def record_renewal(
    sessions: Sessions,
    caller: Caller,
    mentor_id: UUID,
    *,
    issued_on: date,
    expires_on: date | None,
    note: str | None = None,
    kind: str | None = None,
    idempotency_key: str | None = None,
) -> Renewal:
    """Record that a mentor's certificate was renewed, and bring the mentor back where the pause was for the certificate.

    Raises ``PermissionDenied`` for a mentor who is not the caller's, or is the caller; ``MentorNotFound``; ``InvalidArgument`` for
    dates that make no valid certificate today.
    """
    parameters = {
        "mentor_id": mentor_id,
        "issued_on": issued_on,
        "expires_on": expires_on,
        "note": note,
        "kind": kind,
        "idempotency_key": idempotency_key,
    }
    (row,) = await sessions.call(caller, "record_renewal", parameters)
    return read_renewal(row["answer"])


async def grant_override(
    sessions: Sessions,
    caller: Caller,
    mentor_id: UUID,
    *,
    justification: str,
    valid_until: date,
    idempotency_key: str | None = None,
) -> UUID:
    """Let a mentor be active without a valid certificate up to and including a day; answers the override's id.

    Raises ``PermissionDenied`` for anybody but an admin of the organisation, ``InvalidArgument`` for a missing justification or a day
    that has passed.
    """
    parameters = {
        "mentor_id": mentor_id,
        "justification": justification,
        "valid_until": valid_until,
        "idempotency_key": idempotency_key,
    }
    (row,) = await sessions.call(caller, "grant_certification_override", parameters)
    return UUID(row["answer"]["override_id"])


def read_renewal(answer: Mapping[str, Any]) -> Renewal:
    """Read what the database answers to a renewal."""
    return Renewal(
        mentor_id=UUID(answer["mentor_id"]),
        certification_id=UUID(answer["certification_id"]),
        kind=answer["kind"],
        expires_on=None if answer["expires_on"] is None else date.fromisoformat(answer["expires_on"]),
        reactivated=answer["reactivated"],
        status=answer["status"],
    )
