"""The figures as pictures want them, each with the sentence that says its gist to whoever does not see the picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from babel.dates import format_skeleton
from babel.numbers import format_decimal, format_percent

from peerpause.status.figures import Figures, Pauses
from peerpause.web.languages import Words
from peerpause.web.pictures import Bars, Shares
from peerpause.web.times import Times

NAMES: Final = ("pauses", "lengths", "active", "expiring")
"""What pictures there are, in the order in which the page shows them."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture, and its gist in words."""

    picture: Bars | Shares
    gist: str


def drawn_from(
    figures: Figures, *, words: Words, language: str, reasons: Mapping[str, str]
) -> Mapping[str, Drawn]:
    """All pictures of the figures, by their names."""
    return {
        "pauses": _pauses(figures.pauses, words, language, reasons),
        "lengths": _lengths(figures, words, language),
        "active": _active(figures, words, language),
        "expiring": _expiring(figures, words, language),
    }


def _pauses(pauses: Pauses, words: Words, language: str, reasons: Mapping[str, str]) -> Drawn:
    others = words.gettext("Other reasons, and reasons of few") if pauses.reasons else ""
    names = [reasons.get(reason, reason) for reason in pauses.reasons]
    values: list[dict[str, Any]] = []
    for each in pauses.months:
        shown = [each.by_reason[reason] or 0 for reason in pauses.reasons]
        for rank, (name, people) in enumerate(zip([*names, others], [*shown, each.others], strict=True)):
            values.append({**_at(each.month, language), "value": people, "series": name, "rank": rank})
    busiest = max(pauses.months, key=lambda each: each.total)
    if busiest.total == 0:
        gist = words.gettext("Column chart. Nobody began a pause in these months.")
    else:
        gist = words.gettext(
            "Column chart. Most people began a pause in %(month)s: %(count)s. The table below holds all figures."
        ) % {"month": Times(language).month(busiest.month), "count": busiest.total}
    axis = words.gettext("People")
    if not names:
        values = [{**_at(each.month, language), **_valued(each.total, language)} for each in pauses.months]
    return Drawn(Bars(values, axis, [*names, others] if names else ()), gist)


def _lengths(figures: Figures, words: Words, language: str) -> Drawn:
    values = [
        {**_at(each.month, language), **_valued(each.median_days, language)} for each in figures.lengths
    ]
    ended = [each for each in figures.lengths if each.median_days is not None]
    if not ended:
        gist = words.gettext("Column chart. No pause ended in these months.")
    else:
        longest = max(ended, key=lambda each: each.median_days or 0)
        gist = words.gettext(
            "Column chart. The median was longest in %(month)s: %(days)s days. The table below holds all figures."
        ) % {
            "month": Times(language).month(longest.month),
            "days": format_decimal(round(longest.median_days or 0, 1), locale=_locale(language)),
        }
    return Drawn(Bars(values, words.gettext("Days")), gist)


def _active(figures: Figures, words: Words, language: str) -> Drawn:
    values = [{**_at(each.month, language), "value": each.share} for each in figures.standing]
    shares = [each.share for each in figures.standing if each.share is not None]
    if not shares:
        gist = words.gettext("Line chart. There is nobody to count.")
    else:
        gist = words.gettext(
            "Line chart. The share of active people is now %(now)s; it was between %(least)s and %(most)s. The table below holds all figures."
        ) % {
            name: format_percent(share, format="#,##0 %", locale=_locale(language))
            for name, share in (("now", shares[-1]), ("least", min(shares)), ("most", max(shares)))
        }
    return Drawn(Shares(values, words.gettext("Share active")), gist)


def _expiring(figures: Figures, words: Words, language: str) -> Drawn:
    values = [{**_at(each.month, language), **_valued(each.people, language)} for each in figures.expiring]
    busiest = max(figures.expiring, key=lambda each: each.people)
    if busiest.people == 0:
        gist = words.gettext("Column chart. No certificate runs out in the coming months.")
    else:
        gist = words.gettext(
            "Column chart. Most certificates run out in %(month)s: those of %(count)s people. The table below holds all figures."
        ) % {"month": Times(language).month(busiest.month), "count": busiest.people}
    return Drawn(Bars(values, words.gettext("People")), gist)


def _at(month: date, language: str) -> dict[str, str]:
    """A month on an axis."""
    return {"month_word": str(format_skeleton("yMMM", month, locale=_locale(language)))}


def _valued(value: float | None, language: str) -> dict[str, Any]:
    """A value as a bar has it, and as it is written beside the bar."""
    if value is None:
        return {"value": None, "value_word": ""}
    return {
        "value": round(value, 1),
        "value_word": format_decimal(round(value, 1), locale=_locale(language)),
    }


def _locale(language: str) -> str:
    return {"en": "en_GB"}.get(language, language)
