"""What every language must have words for. Each language is one value of this shape, in a module of its own.

Templates know these places: ``{name}`` (first name in a push, full name in the inbox), ``{role}`` (the
organisation's own word for its mentors, used without article or ending), ``{count}``, ``{reason}``, ``{date}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from peerpause.notifications.payload import NotificationEvent


@dataclass(frozen=True, slots=True)
class Phrase:
    """A title and the sentences below it, still with their places to fill."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Voices:
    """The same message in two persons: told to a coordinator about a mentor, and told to the mentor."""

    about_mentor: Phrase
    about_you: Phrase

    def speaking(self, *, about_self: bool) -> Phrase:
        """Choose the person."""
        return self.about_you if about_self else self.about_mentor


@dataclass(frozen=True, slots=True)
class Wording:
    """All words of one language.

    ``renewed_and_back`` replaces the words of a renewal that ended a pause. ``changed`` and ``something_new`` name
    nobody. ``summaries`` holds each summary for one change and for several. The next four are sentences of the
    inbox that hold a reason or date. ``reasons`` are the labels of the reason codes, until an organisation edits them.
    """

    role: str
    date_form: str
    months: tuple[str, ...]
    events: Mapping[NotificationEvent, Voices]
    renewed_and_back: Voices
    changed: Voices
    something_new: Voices
    summaries: Mapping[NotificationEvent, tuple[Phrase, Phrase]]
    reason_given: str
    pause_starts: str
    expected_back: str
    last_valid_day: str
    reasons: Mapping[str, str]

    def date(self, day: date) -> str:
        """Write a day out, with the month as a word."""
        return self.date_form.format(day=day.day, month=self.months[day.month - 1], year=day.year)
