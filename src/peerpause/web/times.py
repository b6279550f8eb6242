"""Dates and times as people of a language write them, and beside that as machines read them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date, format_skeleton, format_time
from markupsafe import Markup

_FALLBACK_ZONE: Final = "Europe/Oslo"
# Europe's English: the day before the month.
_LOCALES: Final = {"en": "en_GB"}


class Times:
    """The times of one language."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._locale = _LOCALES.get(language, language)

    def day(self, value: date) -> Markup:
        """A day, as `<time>`: 3. desember 2026."""
        return _time(value.isoformat(), self.day_in_words(value))

    def day_in_words(self, value: date) -> str:
        """A day in words, for a sentence that is escaped later."""
        return str(format_date(value, "long", locale=self._locale))

    def day_of(self, value: datetime, zone: str = _FALLBACK_ZONE) -> Markup:
        """The day of a moment on the organisation's clock, as `<time>` that machines read to the second."""
        return _time(value.isoformat(), self.day_in_words(day_there(value, zone)))

    def moment(self, value: datetime, zone: str = _FALLBACK_ZONE) -> Markup:
        """A moment on the organisation's clock, as `<time>`: 3. desember 2026 kl. 14:05."""
        return _time(value.isoformat(), self.moment_in_words(value, zone))

    def moment_in_words(self, value: datetime, zone: str = _FALLBACK_ZONE) -> str:
        """A moment in words, for a sentence that is escaped later."""
        there = value.astimezone(_zone(zone))
        clock = format_time(there, "HH:mm", locale=self._locale)
        join = ", " if self._language == "en" else " kl. "
        return f"{self.day_in_words(there.date())}{join}{clock}"

    def month(self, value: date) -> str:
        """A month and its year: desember 2026."""
        return str(format_skeleton("yMMMM", value, locale=self._locale))


def day_there(value: datetime, zone: str) -> date:
    """Which day a moment belongs to on an organisation's clock."""
    return value.astimezone(_zone(zone)).date()


def _time(machine: str, human: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(machine, human)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(_FALLBACK_ZONE)
