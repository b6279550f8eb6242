"""What people type into forms: read where it can be, refused in words where it cannot, and kept either way."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from uuid import UUID

import pytest

from peerpause.web.forms import Form, day_begins
from peerpause.web.languages import words
from tests.project.sources import PACKAGE


def typed(**values: str) -> Form:
    return Form(words=words("en"), values=values, lists={name: [value] for name, value in values.items()})


@pytest.mark.parametrize("text", ["2026-12-31", " 2026-12-31 ", "31.12.2026"])
def test_a_day_is_read_as_browsers_and_as_people_write_it(text: str) -> None:
    assert typed(day=text).day("day") == date(2026, 12, 31)


@pytest.mark.parametrize("text", ["31.02.2026", "tomorrow", "2026-13-01", "9" * 5000])
def test_what_is_no_day_is_refused_and_kept(text: str) -> None:
    form = typed(day=text)
    assert form.day("day") is None
    assert form.problems["day"].startswith("Write the date")
    assert form.value("day") == text


def test_an_empty_day_is_none_and_nothing_wrong() -> None:
    form = typed(day="")
    assert form.day("day") is None
    assert form.is_good


@pytest.mark.parametrize(("text", "expected"), [("14:05", time(14, 5)), ("14.05", time(14, 5)), ("", None)])
def test_a_time_of_day_may_be_written_with_a_dot(text: str, expected: time | None) -> None:
    assert typed(clock=text).clock("clock") == expected


@pytest.mark.parametrize("text", ["25:00", "noon"])
def test_what_is_no_time_is_refused(text: str) -> None:
    form = typed(clock=text)
    assert form.clock("clock") is None
    assert "14:05" in form.problems["clock"]


@pytest.mark.parametrize("text", ["-1", "366", "1.5", "٣", "1" * 400])
def test_a_number_keeps_within_its_bounds(text: str) -> None:
    form = typed(days=text)
    assert form.number("days", least=0, most=365) is None
    assert "365" in form.problems["days"]


def test_a_long_text_is_refused_and_not_cut() -> None:
    form = typed(note="x" * 11)
    assert form.text("note", longest=10) is None
    assert form.value("note") == "x" * 11


def test_a_text_that_no_database_keeps_is_refused() -> None:
    form = typed(note="a\0b")
    assert form.text("note") is None
    assert not form.is_good


def test_line_ends_are_counted_as_one_character() -> None:
    assert typed(note="a\r\nb").text("note", longest=3) == "a\nb"


def test_a_choice_that_was_never_offered_counts_as_none() -> None:
    form = typed(reason="certification_expired")
    assert form.choice("reason", ["travel"], "Choose a reason.") is None
    assert form.problems == {"reason": "Choose a reason."}


def test_the_first_sentence_about_a_field_stays() -> None:
    form = typed()
    form.refuse("day", "first")
    form.refuse("day", "second")
    assert form.problems == {"day": "first"}


def test_ids_come_once_and_nonsense_is_left_out() -> None:
    one = UUID(int=1)
    form = Form(words=words("en"), lists={"mentor": [str(one), "x", str(one)]})
    assert form.ids("mentor") == [one]


def test_a_day_begins_on_the_organisation_s_clock() -> None:
    assert day_begins(date(2026, 7, 1), "Europe/Oslo").astimezone(UTC) == datetime(
        2026, 6, 30, 22, tzinfo=UTC
    )


def test_every_form_says_where_it_goes() -> None:
    # Without an address a form takes along the fragment of whoever followed the error summary, and so does what answers it:
    # the next page would open at that field instead of at what was done.
    lost = [
        f"{path.name}: {form}"
        for path in (PACKAGE / "web" / "templates").rglob("*.html")
        for form in re.findall(r'<form\b[^>]*method="post"[^>]*>', path.read_text("utf-8"))
        if " action=" not in form
    ]
    assert lost == []
