"""Dates and times as the pages show them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from peerpause.web.times import Times

_MOMENT = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "expected"),
    [("nb", "3. desember 2026"), ("nn", "3. desember 2026"), ("en", "3 December 2026")],
)
def test_a_day_is_written_in_the_reader_s_language_and_for_machines(language: str, expected: str) -> None:
    assert Times(language).day(date(2026, 12, 3)) == f'<time datetime="2026-12-03">{expected}</time>'


def test_a_moment_is_shown_on_the_organisation_s_clock() -> None:
    assert Times("nb").moment(_MOMENT, "Europe/Oslo") == (
        '<time datetime="2026-12-31T23:30:00+00:00">1. januar 2027 kl. 00:30</time>'
    )


def test_an_unknown_zone_falls_back_to_norway_s() -> None:
    assert "00:30" in Times("en").moment(_MOMENT, "Nowhere/Land")


def test_a_month_has_its_year() -> None:
    assert Times("nn").month(date(2026, 12, 1)) == "desember 2026"
