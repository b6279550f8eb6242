"""Renewing a mentor's certificate with a form: what stands there now, and the renewal itself, which nobody may have overtaken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from peerpause.certifications.renewals import Renewal, read_renewal
from peerpause.certifications.rules import Certificate, lapsed_on
from peerpause.database.session import Claims, Row, Sessions
from peerpause.errors import Conflict, MentorNotFound, PermissionDenied
from peerpause.sql import query


@dataclass(frozen=True, slots=True)
class HeldCertificate:
    """The latest certificate of a kind. ``recorded_by_name`` is None where a system recorded it, or nobody knows any more."""

    certification_id: UUID
    kind: str
    issued_on: date
    expires_on: date | None
    recorded_by: UUID | None
    recorded_by_name: str | None = field(repr=False)
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Renewable:
    """A mentor whose certificate may be renewed. ``kinds`` are those the organisation requires, ``today`` is its day."""

    mentor_id: UUID
    organisation_id: UUID
    display_name: str = field(repr=False)
    status: str
    pause_reason: str | None
    kinds: Sequence[str]
    today: date
    certificates: Sequence[HeldCertificate]
    covered_until: date | None

    @property
    def is_paused_for_it(self) -> bool:
        """Whether a lapsed certificate is why the mentor is on pause."""
        return self.status == "paused" and self.pause_reason == "certification_expired"

    def latest(self, kind: str) -> HeldCertificate | None:
        """The latest certificate of a kind."""
        return next((each for each in self.certificates if each.kind == kind), None)

    @property
    def seen(self) -> str:
        """What a form remembers of the latest certificates, to find out later whether another one was recorded meanwhile."""
        return " ".join(sorted(str(each.certification_id) for each in self.certificates))

    def ends_pause(self, kind: str, issued_on: date, expires_on: date | None) -> bool:
        """Whether such a renewal would bring the mentor back: the pause is for the certificate, and nothing else has lapsed."""
        after = [Certificate(each.kind, each.issued_on, each.expires_on) for each in self.certificates]
        after.append(Certificate(kind, issued_on, expires_on))
        return self.is_paused_for_it and lapsed_on(after, self.kinds, self.today) is None


async def read_renewable(sessions: Sessions, claims: Claims, mentor_id: UUID) -> Renewable:
    """The mentor as the reader sees them. Raises ``MentorNotFound``, and ``PermissionDenied`` for the reader themselves."""
    rows = await sessions.call(claims, "renewable_mentor", {"mentor_id": mentor_id})
    if not rows:
        raise MentorNotFound("There is no such mentor, or none that you may see.")
    (row,) = rows
    if row["is_own"]:
        raise PermissionDenied(
            "Nobody vouches for themselves.", hint="Ask another coordinator of your chapter, or an admin."
        )
    names = await sessions.call(claims, "recorders_of_mentor", {"mentor_id": mentor_id})
    return _read(row, {each["user_id"]: each["display_name"] for each in names})


async def renew_unless_overtaken(
    sessions: Sessions,
    claims: Claims,
    mentor_id: UUID,
    *,
    seen: str,
    kind: str,
    issued_on: date,
    expires_on: date | None,
    note: str | None,
    idempotency_key: str,
) -> Renewal:
    """Record a renewal, unless another certificate of the kind was recorded since the form was opened.

    1. hold the mentor's row;
    2. compare the latest certificate with what the form saw; the form's own, sent twice, is no other;
    3. record the renewal.

    Raises ``Conflict`` where somebody was faster, and whatever ``record_renewal`` raises.
    """
    parameters = {
        "mentor_id": mentor_id,
        "issued_on": issued_on,
        "expires_on": expires_on,
        "note": note,
        "kind": kind,
        "idempotency_key": idempotency_key,
    }
    async with sessions.as_user(claims) as connection:
        await connection.execute(query("hold_mentor"), {"mentor_id": mentor_id})
        row = await (await connection.execute(query("renewable_mentor"), {"mentor_id": mentor_id})).fetchone()
        if row is None:
            raise MentorNotFound("There is no such mentor, or none that you may see.")
        now = _read(row, {})
        latest = now.latest(kind)
        is_this_very_one = latest is not None and (
            latest.issued_on,
            latest.expires_on,
            latest.recorded_by,
        ) == (issued_on, expires_on, claims.user_id)
        if now.seen != seen and not is_this_very_one:
            raise Conflict(
                "Another certificate was recorded meanwhile.", hint="Look at it, then decide again."
            )
        answer = await (await connection.execute(query("record_renewal"), parameters)).fetchone()
    assert answer is not None
    return read_renewal(answer["answer"])


def _read(row: Row, names: dict[UUID, str]) -> Renewable:
    certificates = [
        HeldCertificate(
            certification_id=UUID(each["certification_id"]),
            kind=each["kind"],
            issued_on=date.fromisoformat(each["issued_on"]),
            expires_on=None if each["expires_on"] is None else date.fromisoformat(each["expires_on"]),
            recorded_by=None if each["recorded_by"] is None else UUID(each["recorded_by"]),
            recorded_by_name=None if each["recorded_by"] is None else names.get(UUID(each["recorded_by"])),
            recorded_at=datetime.fromisoformat(each["recorded_at"]),
        )
        for each in row["certificates"]
    ]
    return Renewable(
        mentor_id=row["mentor_id"],
        organisation_id=row["organisation_id"],
        display_name=row["display_name"],
        status=row["status"],
        pause_reason=row["pause_reason"],
        kinds=row["kinds"],
        today=row["today"],
        certificates=certificates,
        covered_until=row["covered_until"],
    )
