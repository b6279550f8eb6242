"""The pure rules of certificates: the last day counts, the latest of each kind decides, the nearest threshold reminds."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from peerpause.certifications.rules import (
    Certificate,
    is_certified,
    is_covered,
    lapsed_on,
    threshold_reached,
)

TODAY = date(2026, 11, 20)
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
LONG_AGO = date(2020, 1, 1)


def held(expires_on: date | None, kind: str = "peer_mentor", issued_on: date = LONG_AGO) -> Certificate:
    return Certificate(kind, issued_on, expires_on)


@pytest.mark.parametrize(
    ("certificates", "lapsed", "certified"),
    [
        ([], None, False),
        ([held(TODAY)], None, True),
        ([held(YESTERDAY)], YESTERDAY, False),
        ([held(YESTERDAY), held(TOMORROW)], None, True),
        ([held(YESTERDAY), held(None)], None, True),
        ([held(YESTERDAY), held(None, issued_on=TOMORROW)], YESTERDAY, False),
        ([held(None, "swimming")], None, False),
        ([held(TOMORROW), held(YESTERDAY, "swimming")], None, True),
    ],
)
def test_the_latest_required_certificate_decides_and_its_last_day_counts(
    certificates: list[Certificate], lapsed: date | None, certified: bool
) -> None:
    assert lapsed_on(certificates, ["peer_mentor"], TODAY) == lapsed
    assert is_certified(certificates, ["peer_mentor"], TODAY) is certified


def test_of_several_lapsed_kinds_the_first_is_named() -> None:
    certificates = [held(YESTERDAY), held(YESTERDAY - timedelta(days=3), "first_aid")]
    assert lapsed_on(certificates, ["peer_mentor", "first_aid"], TODAY) == YESTERDAY - timedelta(days=3)


def test_who_needs_nothing_is_certified() -> None:
    assert is_certified([], [], TODAY)
    assert lapsed_on([held(YESTERDAY)], [], TODAY) is None


def test_an_override_holds_through_its_last_day() -> None:
    assert is_covered([TODAY], TODAY)
    assert not is_covered([YESTERDAY], TODAY)
    assert not is_covered([], TODAY)


@pytest.mark.parametrize(
    ("days_left", "threshold"),
    [(61, None), (60, 60), (31, 60), (30, 30), (8, 30), (7, 7), (0, 7), (-1, None)],
)
def test_the_nearest_threshold_that_was_reached_reminds(days_left: int, threshold: int | None) -> None:
    assert threshold_reached(days_left, [60, 30, 7]) == threshold


def test_an_organisation_without_thresholds_reminds_nobody() -> None:
    assert threshold_reached(0, []) is None
