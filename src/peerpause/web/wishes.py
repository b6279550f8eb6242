"""What a mentor wishes for a pause, read from a form: the reason, when it begins, when they expect to be back. Pure but for the form."""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from peerpause.status.rules import MAX_NOTE_LENGTH, ReasonCode
from peerpause.web.forms import Form

PAUSE_REASONS: Final = (
    ReasonCode.SELF_PAUSE,
    ReasonCode.ILLNESS,
    ReasonCode.FAMILY,
    ReasonCode.WORK_OR_STUDY,
    ReasonCode.TRAVEL,
    ReasonCode.PERSONAL,
    ReasonCode.OTHER,
)
"""What a mentor may give for a pause, in the order of the form."""

LEAVING_REASONS: Final = (
    ReasonCode.RESIGNED,
    ReasonCode.ILLNESS,
    ReasonCode.FAMILY,
    ReasonCode.WORK_OR_STUDY,
    ReasonCode.PERSONAL,
    ReasonCode.OTHER,
)
"""What a mentor may give for leaving."""

LENGTHS: Final = ("two_weeks", "one_month", "three_months", "day", "open")
"""How long a pause lasts: some length, until a day, or nobody knows yet."""


@dataclass(frozen=True, slots=True)
class PauseWish:
    """A pause as it was asked for. ``starts_at`` is None for one that begins at once; ``note`` may hold health data."""

    reason: str
    note: str | None = field(repr=False)
    starts_at: datetime | None
    return_on: date | None


def read_pause(form: Form, *, today: date, zone: str, now: datetime) -> PauseWish | None:
    """The pause that a form asks for; None, with sentences in the form, where something is missing or wrong."""
    words = form.words
    reason = form.choice("reason", PAUSE_REASONS, words.gettext("Choose a reason."))
    note = form.text("note", longest=MAX_NOTE_LENGTH)
    starts_at = _start(form, zone=zone, now=now)
    first_day = today if starts_at is None else starts_at.date()
    return_on = read_return(form, first_day=first_day)
    if reason is None or not form.is_good:
        return None
    return PauseWish(reason, note, starts_at, return_on)


def read_return(form: Form, *, first_day: date) -> date | None:
    """When they expect to be back, counted from a day; None where they do not know, or where the form was wrong."""
    words = form.words
    length = form.choice(
        "length", LENGTHS, words.gettext("Say how long you expect to be away, or that you do not know yet.")
    )
    typed = form.day("return_on")
    if length != "day":
        if typed is not None and length is not None:
            form.refuse(
                "return_on",
                words.gettext(
                    "You have written a day and chosen something else. Choose “Until a certain day”, or remove the day."
                ),
            )
        return _after(first_day, length)
    if typed is None:
        form.refuse("return_on", words.gettext("Write the day on which you expect to be back."))
    elif typed < first_day:
        form.refuse(
            "return_on", words.gettext("You cannot be back before the pause begins. Write a later day.")
        )
    return typed


def _start(form: Form, *, zone: str, now: datetime) -> datetime | None:
    words = form.words
    start = form.choice("start", ("now", "later"), words.gettext("Choose when the pause begins."))
    day, clock = form.day("start_on"), form.clock("start_time")
    if start != "later":
        if start == "now" and day is not None:
            form.refuse(
                "start_on",
                words.gettext(
                    "You have written a day and chosen that the pause begins now. Choose “Later”, or remove the day."
                ),
            )
        return None
    if day is None:
        form.refuse("start_on", words.gettext("Write the day on which the pause begins."))
        return None
    starts_at = datetime.combine(day, clock or time.min, tzinfo=ZoneInfo(zone))
    if starts_at <= now:
        form.refuse(
            "start_on",
            words.gettext("This moment has passed. Write a later one, or choose that the pause begins now."),
        )
    return starts_at


def _after(first_day: date, length: str | None) -> date | None:
    match length:
        case "two_weeks":
            return first_day + timedelta(days=14)
        case "one_month":
            return _months_after(first_day, 1)
        case "three_months":
            return _months_after(first_day, 3)
        case _:
            return None


def _months_after(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))
