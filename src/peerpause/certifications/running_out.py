"""Whose certificates run out: what coordinators and admins look after. Read as the person who asks; row-level security decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

from peerpause.database.session import Caller, Row, Sessions, Step

WINDOWS: Final = (7, 30, 60, 90)
"""How many days ahead one can look."""

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class RunningOut:
    """A required certificate that has run out or soon will. ``today`` is the organisation's day, ``expires_on`` the last valid one.

    ``covered_until`` is the last day of an override that lets the mentor be active without it.
    """

    mentor_id: UUID
    organisation_id: UUID
    display_name: str = field(repr=False)
    chapters: Sequence[str]
    kind: str
    expires_on: date
    today: date
    status: str
    pause_reason: str | None
    pause_at: datetime | None
    covered_until: date | None

    @property
    def has_expired(self) -> bool:
        """Whether the last valid day is over."""
        return self.expires_on < self.today

    @property
    def days_left(self) -> int:
        """Days until the last valid one; negative after it."""
        return (self.expires_on - self.today).days

    @property
    def is_paused_for_it(self) -> bool:
        """Whether a lapsed certificate is why the mentor is on pause."""
        return self.status == "paused" and self.pause_reason == "certification_expired"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many people: with a certificate that has run out, and with one that has or will within so many days."""

    expired: int
    within: dict[int, int]


@dataclass(frozen=True, slots=True)
class RunningOutPage:
    """A page of them, the earliest day first, and how many there are in all."""

    items: Sequence[RunningOut]
    total: int
    counts: Counts


async def read_running_out(
    sessions: Sessions,
    caller: Caller,
    *,
    whole: Sequence[UUID],
    chapters: Sequence[UUID],
    until_days: int | None,
    limit: int,
    skip: int = 0,
) -> RunningOutPage:
    """Certificates that have run out (``until_days`` None) or will within so many days too, in whole organisations and in chapters."""
    where = {"whole": list(whole), "chapters": list(chapters)}
    rows, (counts,) = await sessions.call_all(
        caller,
        Step(
            "certificates_running_out",
            {
                **where,
                "until_days": until_days,
                "only_active_and_uncovered": False,
                "limit": limit,
                "skip": skip,
            },
        ),
        Step("count_certificates_running_out", where),
    )
    within = {days: counts[f"within_{days}"] for days in WINDOWS}
    return RunningOutPage(
        items=[_read(row) for row in rows],
        total=rows[0]["total"] if rows else 0,
        counts=Counts(expired=counts["expired"], within=within),
    )


async def read_would_pause(
    sessions: Sessions, caller: Caller, *, whole: Sequence[UUID], chapters: Sequence[UUID]
) -> Sequence[RunningOut]:
    """Whom the check would pause if it ran now, each once; the first 500."""
    rows = await sessions.call(
        caller,
        "certificates_running_out",
        {
            "whole": list(whole),
            "chapters": list(chapters),
            "until_days": None,
            "only_active_and_uncovered": True,
            "limit": _AT_ONCE,
            "skip": 0,
        },
    )
    return list({row["mentor_id"]: _read(row) for row in reversed(rows)}.values())[::-1]


def _read(row: Row) -> RunningOut:
    return RunningOut(**{name: row[name] for name in RunningOut.__dataclass_fields__})
