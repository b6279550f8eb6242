"""The notice as a value: what it holds, what it refuses, what leaves for Google, and how a dispatch is counted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peerpause.notifications.outcomes import DispatchOutcome, DispatchResult, RecipientOutcome
from peerpause.notifications.payload import (
    MAX_DEEP_LINK_BYTES,
    MAX_SHOWN_NAME,
    NotificationEvent,
    NotificationPayload,
    collapse_key,
    deep_link,
    event_for_change,
    inbox_link,
    push_data,
    shortened,
    summary_collapse_key,
    summary_push_data,
)
from peerpause.status.rules import VALID_TRANSITIONS, MentorStatus, ReasonCode

ADA = UUID("a0000000-0000-4000-8000-000000000001")
BO = UUID("b0000000-0000-4000-8000-000000000002")
NORTH = UUID("c0000000-0000-4000-8000-000000000003")
ROW = UUID("d0000000-0000-4000-8000-000000000004")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def payload(**changed: Any) -> NotificationPayload:
    """Bo paused Ada at noon until Christmas, except for what the test says."""
    known: dict[str, Any] = {
        "event": NotificationEvent.MENTOR_PAUSED,
        "mentor_id": ADA,
        "organisation_id": NORTH,
        "display_name": "Ada Berg",
        "first_name": "Ada",
        "previous_status": MentorStatus.ACTIVE,
        "new_status": MentorStatus.PAUSED,
        "reason_code": ReasonCode.ILLNESS,
        "actor_id": BO,
        "timestamp": NOON,
        "deep_link": deep_link(None, ADA),
        "history_id": ROW,
        "expected_return_on": date(2026, 12, 24),
    }
    return NotificationPayload(**(known | changed))


def written(**changed: Any) -> dict[str, Any]:
    """The same notice as it stands in JSON, except for what the test says."""
    return {**payload().to_json(), **changed}


# Which event a change is


@pytest.mark.parametrize(
    ("previous", "new", "reason", "event"),
    [
        ("active", "paused", "self_pause", NotificationEvent.MENTOR_PAUSED),
        ("active", "paused", None, NotificationEvent.MENTOR_PAUSED),
        ("active", "paused", "certification_expired", NotificationEvent.MENTOR_PAUSED_CERTIFICATION),
        ("paused", "active", None, NotificationEvent.MENTOR_REACTIVATED),
        ("paused", "active", "return_date_reached", NotificationEvent.MENTOR_REACTIVATED),
        ("paused", "active", "certification_renewed", NotificationEvent.CERTIFICATION_RENEWED),
        ("active", "inactive", "resigned", NotificationEvent.MENTOR_DEACTIVATED),
        ("active", "inactive", "certification_expired", NotificationEvent.MENTOR_DEACTIVATED),
    ],
)
def test_it_names_the_event_of_a_change(
    previous: str, new: str, reason: str | None, event: NotificationEvent
) -> None:
    assert event_for_change(previous, new, reason) is event


@pytest.mark.parametrize("status", list(MentorStatus))
def test_it_tells_nobody_how_a_new_mentor_starts(status: MentorStatus) -> None:
    assert event_for_change(None, status, "other") is None


def test_it_tells_nobody_of_the_step_through_active_on_the_way_out() -> None:
    assert event_for_change("paused", "active", ReasonCode.RESIGNATION_STEP) is None


@pytest.mark.parametrize("previous", list(MentorStatus))
@pytest.mark.parametrize("new", list(MentorStatus))
def test_it_knows_an_event_for_every_legal_move_and_refuses_all_others(
    previous: MentorStatus, new: MentorStatus
) -> None:
    if (previous, new) in VALID_TRANSITIONS:
        assert event_for_change(previous, new, "other") is not None
    else:
        with pytest.raises(ValueError, match="no such move"):
            event_for_change(previous, new, "certification_expired")


# The payload as a value


def test_the_payload_is_written_in_plain_json_values() -> None:
    assert payload().to_json() == {
        "event": "mentor_paused",
        "mentor_id": "a0000000-0000-4000-8000-000000000001",
        "organisation_id": "c0000000-0000-4000-8000-000000000003",
        "display_name": "Ada Berg",
        "first_name": "Ada",
        "previous_status": "active",
        "new_status": "paused",
        "reason_code": "illness",
        "actor_id": "b0000000-0000-4000-8000-000000000002",
        "timestamp": "2026-11-20T12:00:00.000000+00:00",
        "deep_link": "peerpause://mentors/a0000000-0000-4000-8000-000000000001",
        "history_id": "d0000000-0000-4000-8000-000000000004",
        "expected_return_on": "2026-12-24",
        "certification_expires_on": None,
        "pause_starts_on": None,
    }


def test_the_payload_has_no_place_for_a_note() -> None:
    assert not [field.name for field in fields(NotificationPayload) if "note" in field.name]


def test_the_time_is_kept_in_utc() -> None:
    oslo = datetime(2026, 7, 1, 14, 30, 0, 5, tzinfo=ZoneInfo("Europe/Oslo"))
    assert payload(timestamp=oslo).to_json()["timestamp"] == "2026-07-01T12:30:00.000005+00:00"


filled = st.text(min_size=1, max_size=60).filter(lambda text: text.strip() != "")
days = st.none() | st.dates()
zones = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
events = st.sampled_from([event for event in NotificationEvent if not event.is_summary])
status_after = {
    NotificationEvent.MENTOR_PAUSED: "paused",
    NotificationEvent.MENTOR_PAUSED_CERTIFICATION: "paused",
    NotificationEvent.MENTOR_REACTIVATED: "active",
    NotificationEvent.MENTOR_DEACTIVATED: "inactive",
}


@st.composite
def payloads(draw: st.DrawFn) -> NotificationPayload:
    """Any notice that is allowed to exist."""
    event = draw(events)
    return NotificationPayload(
        event=event,
        mentor_id=draw(st.uuids()),
        organisation_id=draw(st.uuids()),
        display_name=draw(filled),
        first_name=draw(st.text(max_size=60)),
        previous_status=draw(st.none() | st.sampled_from(MentorStatus)),
        new_status=status_after.get(event) or draw(st.sampled_from(MentorStatus)),
        reason_code=draw(st.none() | st.sampled_from(ReasonCode) | filled),
        actor_id=draw(st.none() | st.uuids()),
        timestamp=draw(
            st.datetimes(
                min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29), timezones=st.just(UTC) | zones
            )
        ),
        deep_link=deep_link(draw(st.sampled_from([None, "https://pause.example/"])), draw(st.uuids())),
        history_id=draw(st.none() | st.uuids()),
        expected_return_on=draw(days),
        certification_expires_on=draw(days),
        pause_starts_on=draw(days),
    )


@given(payloads())
def test_every_payload_comes_back_from_json_as_it_went(notice: NotificationPayload) -> None:
    back = NotificationPayload.from_json(json.loads(json.dumps(notice.to_json())))
    assert back == notice
    assert back.to_json() == notice.to_json()
    assert back.timestamp.tzinfo is UTC


@pytest.mark.parametrize("name", [field.name for field in fields(NotificationPayload)])
def test_it_refuses_a_payload_with_a_missing_key(name: str) -> None:
    data = written()
    del data[name]
    with pytest.raises(ValueError, match=f"^{name}: missing$"):
        NotificationPayload.from_json(data)


@pytest.mark.parametrize("name", [field.name for field in fields(NotificationPayload)])
@pytest.mark.parametrize("value", [7, True, ["x"], {"x": "y"}, 1.5])
def test_it_refuses_a_value_that_is_not_text(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{name}: not text$"):
        NotificationPayload.from_json(written(**{name: value}))


def test_null_is_an_answer_only_where_something_may_be_unknown() -> None:
    refused = set()
    for field in fields(NotificationPayload):
        try:
            NotificationPayload.from_json(written(**{field.name: None}))
        except ValueError:
            refused.add(field.name)
    assert refused == {
        *("event", "mentor_id", "organisation_id", "display_name", "first_name"),
        *("new_status", "timestamp", "deep_link"),
    }


def test_it_refuses_an_extra_key_and_does_not_repeat_it() -> None:
    with pytest.raises(ValueError, match="unknown key") as refusal:
        NotificationPayload.from_json(written(diagnosis="x"))
    assert "diagnosis" not in str(refusal.value)


@pytest.mark.parametrize("data", [[], "paused", None, 7])
def test_it_refuses_what_is_not_an_object(data: Any) -> None:
    with pytest.raises(ValueError, match="not an object"):
        NotificationPayload.from_json(data)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"event": "mentor_asleep"}, "event: not a known event"),
        ({"event": "summary"}, "event: a summary is about several mentors"),
        ({"event": "summary_certification"}, "event: a summary is about several mentors"),
        ({"mentor_id": "ada"}, "mentor_id: not a UUID"),
        ({"mentor_id": "{a0000000-0000-4000-8000-000000000001}"}, "mentor_id: not a UUID"),
        ({"organisation_id": ""}, "organisation_id: not a UUID"),
        ({"actor_id": "urn:uuid:a0000000-0000-4000-8000-000000000001"}, "actor_id: not a UUID"),
        ({"history_id": "1"}, "history_id: not a UUID"),
        ({"display_name": "  "}, "display_name: blank"),
        ({"previous_status": "asleep"}, "previous_status: not one of active, paused, inactive"),
        ({"new_status": "PAUSED"}, "new_status: not one of active, paused, inactive"),
        ({"new_status": "active"}, "new_status: contradicts the event"),
        ({"event": "mentor_paused_certification", "new_status": "inactive"}, "new_status: contradicts"),
        ({"event": "mentor_reactivated"}, "new_status: contradicts the event"),
        ({"event": "mentor_deactivated"}, "new_status: contradicts the event"),
        ({"reason_code": ""}, "reason_code: blank"),
        ({"timestamp": "2026-11-20T12:00:00"}, "timestamp: has no time zone"),
        ({"timestamp": "noon"}, "timestamp: not a time in ISO 8601"),
        ({"timestamp": "0001-01-01T00:00:00+01:00"}, "timestamp: outside the years"),
        ({"expected_return_on": "24.12.2026"}, "expected_return_on: not a date in ISO 8601"),
        ({"certification_expires_on": "2026-02-30"}, "certification_expires_on: not a date"),
        ({"pause_starts_on": "2026-12-24T00:00:00"}, "pause_starts_on: not a date in ISO 8601"),
        ({"deep_link": "javascript:alert(1)"}, "deep_link: not a link of"),
        ({"deep_link": "/mentors/1"}, "deep_link: not a link of"),
        ({"deep_link": "peerpause:mentors"}, "deep_link: not a link of"),
        ({"deep_link": "https://pause.example/\u202emoc"}, "deep_link: not a link of"),
        ({"deep_link": "https://[pause.example/"}, "deep_link: not a link"),
        ({"deep_link": "https://pause.example/" + "å" * 250}, "deep_link: longer than 512 bytes"),
    ],
)
def test_it_refuses_nonsense_and_names_the_field(changed: Mapping[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(complaint)}"):
        NotificationPayload.from_json(written(**changed))


# The name a push may show


@pytest.mark.parametrize(
    ("first_name", "display_name", "shown"),
    [
        ("Ada", "Ada Berg", "Ada"),
        (" Ada\n", "Ada Berg", "Ada"),
        ("Ada", "Ada", "Ada"),
        ("Anne Lise", "Anne Lise Moe", "Anne Lise"),
        ("Ada Berg", "Ada Berg", "Ada"),
        ("ADA  BERG", "Ada Berg", "ADA"),
        ("Ada Berg (Oslo)", "Ada Berg", "Ada"),
        ("Berg, Ada", "Berg, Ada", ""),
        ("", "Ada Berg", ""),
        (" \t\u202e", "Ada Berg", ""),
        ("A\u202eda\u200b", "Ada Berg", "Ada"),
        ("Ada\u2028Rose", "Ada Berg", "Ada Rose"),
    ],
)
def test_it_shows_the_first_name_and_never_the_full_one(
    first_name: str, display_name: str, shown: str
) -> None:
    assert payload(first_name=first_name, display_name=display_name).shown_name == shown


def test_a_long_name_ends_in_an_ellipsis() -> None:
    shown = payload(first_name="Wilhelmina" * 10).shown_name
    assert shown == "WilhelminaWilhelminaWilhelminaW…"
    assert len(shown) == MAX_SHOWN_NAME


def test_shortening_keeps_accents_with_their_letter_and_joined_signs_together() -> None:
    assert shortened("Ada e\u0301a", limit=6) == "Ada…"
    assert shortened("Ada e\u0301a", limit=7) == "Ada e\u0301a"
    assert shortened("Ad 👩\u200d🦽 x", limit=6) == "Ad…"
    assert shortened("\u0301" * 9, limit=4) == "\u0301" * 3 + "…"


@given(st.text(max_size=200), st.integers(2, 50))
def test_shortening_gives_one_line_within_the_limit(text: str, limit: int) -> None:
    line = shortened(text, limit=limit)
    assert len(line) <= limit
    assert line.splitlines() in ([], [line])
    assert line == line.strip()


# What leaves for Google


def test_the_app_receives_ids_first_name_status_event_and_link() -> None:
    assert push_data(payload()) == {
        "event": "mentor_paused",
        "mentor_id": str(ADA),
        "organisation_id": str(NORTH),
        "history_id": str(ROW),
        "first_name": "Ada",
        "new_status": "paused",
        "deep_link": f"peerpause://mentors/{ADA}",
    }


def test_an_organisation_that_wants_less_sends_ids_and_link_only() -> None:
    assert push_data(payload(), minimal=True) == {
        "mentor_id": str(ADA),
        "organisation_id": str(NORTH),
        "history_id": str(ROW),
        "deep_link": f"peerpause://mentors/{ADA}",
    }


def test_a_reminder_without_a_history_row_carries_no_empty_id() -> None:
    reminder = payload(event=NotificationEvent.RETURN_NEAR, history_id=None)
    assert "history_id" not in push_data(reminder)


@given(payloads(), st.booleans())
def test_the_app_receives_nothing_but_text_and_no_reserved_key(
    notice: NotificationPayload, minimal: bool
) -> None:
    for key, value in push_data(notice, minimal=minimal).items():
        assert type(value) is str
        assert key not in {"from", "message_type", "notification"}
        assert not key.startswith(("google", "gcm"))


def test_a_summary_carries_its_count_and_the_way_to_the_inbox() -> None:
    assert summary_push_data(
        NotificationEvent.SUMMARY_CERTIFICATION, count=12, link=inbox_link("https://pause.example")
    ) == {
        "event": "summary_certification",
        "count": "12",
        "deep_link": "https://pause.example/notifications",
    }


def test_a_summary_refuses_a_link_that_is_none() -> None:
    with pytest.raises(ValueError, match="deep_link"):
        summary_push_data(NotificationEvent.SUMMARY, count=2, link="inbox")


# Repeats


def test_a_history_row_keeps_its_collapse_key_whatever_is_said_about_it() -> None:
    assert collapse_key(payload()) == collapse_key(payload(first_name="A.", timestamp=NOON.replace(hour=13)))
    assert collapse_key(payload()) != collapse_key(payload(history_id=uuid4()))


def test_reminders_of_one_kind_replace_each_other_and_no_others() -> None:
    near = payload(event=NotificationEvent.RETURN_NEAR, history_id=None)
    again = payload(event=NotificationEvent.RETURN_NEAR, history_id=None, timestamp=NOON.replace(hour=13))
    passed = payload(event=NotificationEvent.RETURN_PASSED, history_id=None)
    bos = payload(event=NotificationEvent.RETURN_NEAR, history_id=None, mentor_id=BO)
    assert collapse_key(near) == collapse_key(again)
    assert len({collapse_key(near), collapse_key(passed), collapse_key(bos)}) == 3


@given(st.lists(st.uuids(), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_a_summary_keeps_its_collapse_key_in_any_order(rows: list[UUID], chance: Any) -> None:
    shuffled = [*rows, rows[0]]
    chance.shuffle(shuffled)
    assert summary_collapse_key(shuffled) == summary_collapse_key(rows)
    assert summary_collapse_key([*rows, UUID(int=0)]) != summary_collapse_key(rows) or UUID(int=0) in rows


@given(payloads())
def test_every_collapse_key_fits_apples_64_bytes(notice: NotificationPayload) -> None:
    for key in (collapse_key(notice), summary_collapse_key([notice.mentor_id])):
        assert key.isascii()
        assert 0 < len(key) <= 64


# Links


@pytest.mark.parametrize(
    ("base_url", "link"),
    [
        (None, f"peerpause://mentors/{ADA}"),
        ("https://pause.example", f"https://pause.example/mentors/{ADA}"),
        ("https://pause.example/app/", f"https://pause.example/app/mentors/{ADA}"),
        ("http://127.0.0.1:8000", f"http://127.0.0.1:8000/mentors/{ADA}"),
    ],
)
def test_a_deep_link_leads_to_the_mentor(base_url: str | None, link: str) -> None:
    assert deep_link(base_url, ADA) == link
    assert payload(deep_link=link).deep_link == link


def test_the_longest_link_is_taken() -> None:
    link = "https://pause.example/".ljust(MAX_DEEP_LINK_BYTES, "x")
    assert payload(deep_link=link).deep_link == link


def test_the_inbox_has_a_link_of_its_own() -> None:
    assert inbox_link(None) == "peerpause://notifications"


# How it went


def result(*outcomes: DispatchOutcome) -> DispatchResult:
    """A dispatch to as many people as there are outcomes."""
    return DispatchResult(tuple(RecipientOutcome(uuid4(), outcome) for outcome in outcomes))


def test_nobody_to_tell_is_an_empty_result() -> None:
    empty = DispatchResult()
    assert (empty.total, empty.successful, empty.failed) == (0, 0, 0)


@pytest.mark.parametrize(
    ("outcome", "successful", "failed"),
    [
        (DispatchOutcome.SENT, 1, 0),
        (DispatchOutcome.NO_TOKEN, 0, 0),
        (DispatchOutcome.OPTED_OUT, 0, 0),
        (DispatchOutcome.FAILED_AFTER_RETRIES, 0, 1),
        (DispatchOutcome.TOKEN_RETIRED, 0, 1),
        (DispatchOutcome.NOT_CONFIGURED, 0, 1),
    ],
)
def test_each_outcome_is_counted_as_what_it_is(
    outcome: DispatchOutcome, successful: int, failed: int
) -> None:
    one = result(outcome)
    assert (one.total, one.successful, one.failed) == (1, successful, failed)


def test_a_mixed_result_lists_everybody_and_counts_each_once() -> None:
    mixed = result(*DispatchOutcome, DispatchOutcome.SENT)
    assert (mixed.total, mixed.successful, mixed.failed) == (7, 2, 3)
    assert [each.outcome for each in mixed.recipients] == [*DispatchOutcome, DispatchOutcome.SENT]
