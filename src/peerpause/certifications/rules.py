"""When a certificate counts, and when a reminder is due: what the database enforces, in words of Python. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

REMINDER_DAYS: Final = (60, 30, 7)
"""Days before a certificate runs out on which its mentor is reminded, unless the organisation chose others."""

RETURN_REMINDER_DAYS: Final = (7, 2, 0)
"""Days before the expected return on which a paused mentor is reminded, unless the organisation chose others."""

BANNER_DAYS: Final = 7
"""From so many days before a certificate runs out its mentor sees a banner."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate of one kind. ``expires_on`` is the last valid day, ``None`` for one without an end."""

    kind: str
    issued_on: date
    expires_on: date | None

    def counts_on(self, day: date) -> bool:
        """Whether it is valid on that day of the organisation's calendar; the last day still counts."""
        return self.issued_on <= day and (self.expires_on is None or self.expires_on >= day)


def lapsed_on(certificates: Iterable[Certificate], required_kinds: Iterable[str], today: date) -> date | None:
    """The last valid day of the required certificate that ran out first, or ``None`` where nothing required has lapsed.

    For each required kind the latest certificate issued by ``today`` decides. A mentor who never had one has not lapsed (and is
    not certified either).
    """
    issued = [each for each in certificates if each.issued_on <= today]
    last_days = [
        max(each.expires_on or date.max for each in issued if each.kind == kind)
        for kind in required_kinds
        if any(each.kind == kind for each in issued)
    ]
    return min((day for day in last_days if day < today), default=None)


def is_certified(certificates: Iterable[Certificate], required_kinds: Iterable[str], today: date) -> bool:
    """Whether every required kind is valid on ``today``: what the public roster asks."""
    held = {each.kind for each in certificates if each.counts_on(today)}
    return held.issuperset(required_kinds)


def is_covered(overrides_until: Iterable[date], today: date) -> bool:
    """Whether an override is in force; each is given by its last day, which still counts."""
    return any(last_day >= today for last_day in overrides_until)


def threshold_reached(days_left: int, thresholds: Iterable[int]) -> int | None:
    """The nearest threshold that has been reached, so that a late start reminds once and not of everything at once."""
    return min((days for days in thresholds if days >= days_left), default=None) if days_left >= 0 else None
