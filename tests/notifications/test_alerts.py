"""What admins read of the watchdog, in three languages."""

from __future__ import annotations

from typing import Any

import pytest

from peerpause.notifications.alerts import AlertPayload, alert_text

CODES = ("expired_but_active", "run_missing", "run_failed", "run_stuck", "outbox_stuck")


def alert(code: str = "expired_but_active", **changed: Any) -> AlertPayload:
    kept = {
        "event": "watchdog_alert",
        "code": code,
        "organisation_id": "a0000000-0000-4000-8000-000000000001",
        "incident_id": "d0000000-0000-4000-8000-000000000004",
        "opened_at": "2026-11-20T02:30:00.000000+00:00",
        "cleared_at": None,
        "mentors": 3,
    }
    return AlertPayload.from_json(kept | changed)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_every_problem_has_words_of_its_own_and_says_what_to_do(code: str, language: str) -> None:
    texts = {alert_text(alert(each), language) for each in CODES}
    assert len(texts) == len(CODES)
    text = alert_text(alert(code), language)
    assert text.body.endswith(".")
    assert "{" not in text.title + text.body


def test_it_counts_who_is_concerned() -> None:
    assert alert_text(alert(), "en-GB").title == "Active without a valid certificate: 3"


def test_the_all_clear_names_what_is_over() -> None:
    over = alert("run_missing", event="watchdog_clear", cleared_at="2026-11-20T03:00:00.000000+00:00")
    assert alert_text(over, "nn").title == "I orden att: Sertifiseringskontrollen i natt har ikkje gått"


def test_a_language_we_do_not_speak_gets_bokmaal() -> None:
    assert alert_text(alert(), "de") == alert_text(alert(), "nb") == alert_text(alert(), None)


@pytest.mark.parametrize("changed", [{"event": "mentor_paused"}, {"code": "coffee"}])
def test_what_is_not_the_watchdogs_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="not the watchdog's"):
        alert(**changed)
