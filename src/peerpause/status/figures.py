"""Figures over time: how many paused and why, for how long, how many are active, and which certificates run out ahead.

Read as the person who asks; row-level security decides whom they count. A reason that only a few people gave is not told apart:
see ``Pauses``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from peerpause.database.session import Caller, Row, Sessions, Step

FEWEST: Final = 5
"""Of so many people or more a reason is told; of fewer nobody's reason shall be recognisable."""

AHEAD: Final = 12
"""How many months ahead certificates are looked at, this month included."""


@dataclass(frozen=True, slots=True)
class PausesOfMonth:
    """How many people began a pause in a month, each once: ``total``. ``by_reason`` gives None for fewer than ``FEWEST``.

    ``others`` are those of the total that no figure in ``by_reason`` counts.
    """

    month: date
    total: int
    by_reason: Mapping[str, int | None]

    @property
    def others(self) -> int:
        """How many are left when all figures that are told have been taken away."""
        return self.total - sum(people or 0 for people in self.by_reason.values())


@dataclass(frozen=True, slots=True)
class Pauses:
    """Pauses by month and reason. ``reasons`` are those that ``FEWEST`` people or more gave in some month.

    What is left of a total may be of any other reason or of one that is shown as few, so that no subtraction leads to one of them.
    """

    reasons: Sequence[str]
    months: Sequence[PausesOfMonth]


@dataclass(frozen=True, slots=True)
class LengthsOfMonth:
    """Pauses that ended in a month, and the days that half of them did not exceed; None where none ended."""

    month: date
    ended: int
    median_days: float | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How many were active and on pause at the end of a month, or now."""

    month: date
    active: int
    paused: int

    @property
    def share(self) -> float | None:
        """The share of active ones among all who have not left, from 0 to 1; None where there is nobody."""
        everybody = self.active + self.paused
        return self.active / everybody if everybody else None


@dataclass(frozen=True, slots=True)
class ExpiringOfMonth:
    """People whose required certificate runs out in a month."""

    month: date
    people: int


@dataclass(frozen=True, slots=True)
class Figures:
    """All of them. ``expired`` people have a certificate that has run out already; the last of ``standing`` is now."""

    pauses: Pauses
    lengths: Sequence[LengthsOfMonth]
    standing: Sequence[Standing]
    expiring: Sequence[ExpiringOfMonth]
    expired: int


async def read_figures(
    sessions: Sessions, caller: Caller, *, whole: Sequence[UUID], chapters: Sequence[UUID], months: int
) -> Figures:
    """The figures of whole organisations and of chapters, for so many months up to this one."""
    where = {"whole": list(whole), "chapters": list(chapters)}
    period = {**where, "months": months}
    (now,), moves, pauses, lengths, expiring = await sessions.call_all(
        caller,
        Step("figures_now", where),
        Step("figures_moves", period),
        Step("figures_pauses", period),
        Step("figures_lengths", period),
        Step("figures_certificates", {**where, "months": AHEAD}),
    )
    this_month: date = now["this_month"]
    past = [months_later(this_month, -back) for back in range(months - 1, -1, -1)]
    ahead = [months_later(this_month, forth) for forth in range(AHEAD)]
    people = {row["month"]: row["people"] for row in expiring}
    return Figures(
        pauses=told_safely(past, ((row["month"], row["reason"], row["people"]) for row in pauses)),
        lengths=_lengths(past, lengths),
        standing=walked_back(past, now["active"], now["paused"], moves),
        expiring=[ExpiringOfMonth(month, people.get(month, 0)) for month in ahead],
        expired=people.get(None, 0),
    )


def told_safely(months: Sequence[date], counted: Iterable[tuple[date, str, int]]) -> Pauses:
    """Put (month, reason, people) into a table in which nobody's reason can be recognised."""
    people: dict[date, dict[str, int]] = defaultdict(dict)
    for month, reason, number in counted:
        people[month][reason] = number
    frequent = {reason for month in months for reason, number in people[month].items() if number >= FEWEST}
    overall = {reason: sum(people[month].get(reason, 0) for month in months) for reason in frequent}
    reasons = sorted(frequent, key=lambda reason: (-overall[reason], reason))
    return Pauses(
        reasons=reasons,
        months=[
            PausesOfMonth(
                month=month,
                total=sum(people[month].values()),
                by_reason={reason: _enough(people[month].get(reason, 0)) for reason in reasons},
            )
            for month in months
        ],
    )


def walked_back(months: Sequence[date], active: int, paused: int, moves: Iterable[Row]) -> Sequence[Standing]:
    """From today's counts back through the months, undoing what each one changed."""
    changed = {row["month"]: row for row in moves}
    found = []
    for month in reversed(months):
        found.append(Standing(month, active, paused))
        if month in changed:
            active -= changed[month]["active"]
            paused -= changed[month]["paused"]
    return found[::-1]


def months_later(month: date, count: int) -> date:
    """The first day of the month that comes so many months after (or before) the one of this day."""
    years, zero_based = divmod(month.year * 12 + month.month - 1 + count, 12)
    return date(years, zero_based + 1, 1)


def _enough(people: int) -> int | None:
    return people if people >= FEWEST else None


def _lengths(months: Sequence[date], rows: Iterable[Row]) -> Sequence[LengthsOfMonth]:
    ended = {row["month"]: row for row in rows}
    return [
        LengthsOfMonth(month, ended[month]["ended"], float(ended[month]["median_days"]))
        if month in ended
        else LengthsOfMonth(month, 0, None)
        for month in months
    ]
