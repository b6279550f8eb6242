"""The state machine and its values: what is legal, what is refused, and that nothing is lost in JSON."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peerpause.status import rules
from peerpause.status.rules import (
    MAX_NOTE_LENGTH,
    SELF_REASONS,
    SYSTEM_REASONS,
    VALID_TRANSITIONS,
    MentorStatus,
    MentorStatusRecord,
    ReasonCode,
    StatusTransition,
    allowed_targets,
    is_valid_transition,
    requires_reason,
)

ADA = UUID("a0000000-0000-4000-8000-000000000001")
BO = UUID("b0000000-0000-4000-8000-000000000002")
NORTH = UUID("c0000000-0000-4000-8000-000000000003")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

ACTIVE, PAUSED, INACTIVE = MentorStatus.ACTIVE, MentorStatus.PAUSED, MentorStatus.INACTIVE


# The moves


@pytest.mark.parametrize(
    ("from_", "to", "legal"),
    [
        pytest.param(ACTIVE, ACTIVE, False, id="active-stays-active"),
        pytest.param(ACTIVE, PAUSED, True, id="active-to-paused"),
        pytest.param(ACTIVE, INACTIVE, True, id="active-to-inactive"),
        pytest.param(PAUSED, ACTIVE, True, id="paused-to-active"),
        pytest.param(PAUSED, PAUSED, False, id="paused-stays-paused"),
        pytest.param(PAUSED, INACTIVE, False, id="paused-to-inactive"),
        pytest.param(INACTIVE, ACTIVE, False, id="inactive-to-active"),
        pytest.param(INACTIVE, PAUSED, False, id="inactive-to-paused"),
        pytest.param(INACTIVE, INACTIVE, False, id="inactive-stays-inactive"),
    ],
)
def test_it_judges_each_of_the_nine_pairs(from_: MentorStatus, to: MentorStatus, legal: bool) -> None:
    assert is_valid_transition(from_, to) is legal


def test_it_knows_exactly_three_legal_moves() -> None:
    pairs = [(from_, to) for from_ in MentorStatus for to in MentorStatus]
    assert len(pairs) == 9
    assert sum(is_valid_transition(from_, to) for from_, to in pairs) == 3
    assert isinstance(VALID_TRANSITIONS, frozenset)
    assert len(VALID_TRANSITIONS) == 3


@pytest.mark.parametrize("status", list(MentorStatus))
def test_it_refuses_staying_put(status: MentorStatus) -> None:
    assert not is_valid_transition(status, status)


def test_it_refuses_paused_to_inactive() -> None:
    assert not is_valid_transition(PAUSED, INACTIVE)


@pytest.mark.parametrize(
    ("status", "targets"),
    [(ACTIVE, (PAUSED, INACTIVE)), (PAUSED, (ACTIVE,)), (INACTIVE, ())],
)
def test_it_lists_where_a_mentor_may_go_next(status: MentorStatus, targets: tuple[MentorStatus, ...]) -> None:
    assert allowed_targets(status) == targets


@pytest.mark.parametrize("status", list(MentorStatus))
def test_a_status_is_terminal_exactly_where_no_move_leads_away(status: MentorStatus) -> None:
    assert status.is_terminal is (allowed_targets(status) == ())


def test_statuses_read_as_the_database_spells_them() -> None:
    assert [str(status) for status in MentorStatus] == ["active", "paused", "inactive"]


# Reasons


def test_pausing_and_deactivating_need_a_reason_and_coming_back_does_not() -> None:
    assert requires_reason(PAUSED)
    assert requires_reason(INACTIVE)
    assert not requires_reason(ACTIVE)


def test_the_systems_reasons_are_not_for_mentors_to_give() -> None:
    assert {
        ReasonCode.CERTIFICATION_EXPIRED,
        ReasonCode.CERTIFICATION_RENEWED,
        ReasonCode.RETURN_DATE_REACHED,
        ReasonCode.RESIGNATION_STEP,
    } == SYSTEM_REASONS
    assert not SELF_REASONS & SYSTEM_REASONS


def test_two_reasons_are_for_others_to_give_about_a_mentor() -> None:
    others = set(ReasonCode) - SELF_REASONS - SYSTEM_REASONS
    assert others == {ReasonCode.COORDINATOR_PAUSE, ReasonCode.DEACTIVATED}


# One move as a value


def transition(**changed: Any) -> StatusTransition:
    """Ada pauses herself at noon, except for what the test says."""
    fields: dict[str, Any] = {
        "from_status": ACTIVE,
        "to_status": PAUSED,
        "actor_id": ADA,
        "reason": ReasonCode.SELF_PAUSE,
        "timestamp": NOON,
    }
    return StatusTransition(**(fields | changed))


def written(**changed: Any) -> dict[str, Any]:
    """The same move as it stands in JSON, except for what the test says."""
    return {**transition().to_json(), **changed}


def test_a_move_is_written_in_plain_json_values() -> None:
    assert transition().to_json() == {
        "from_status": "active",
        "to_status": "paused",
        "actor_id": "a0000000-0000-4000-8000-000000000001",
        "reason": "self_pause",
        "timestamp": "2026-11-20T12:00:00.000000+00:00",
    }


def test_the_time_of_a_move_is_kept_in_utc() -> None:
    oslo = datetime(2026, 7, 1, 14, 30, 0, 5, tzinfo=ZoneInfo("Europe/Oslo"))
    assert transition(timestamp=oslo).to_json()["timestamp"] == "2026-07-01T12:30:00.000005+00:00"


def test_the_second_passing_of_an_hour_in_autumn_survives_the_journey() -> None:
    twice = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Oslo"))
    move = transition(timestamp=twice)
    assert StatusTransition.from_json(move.to_json()) == move
    assert move.timestamp == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


zones = st.one_of(
    st.just(UTC),
    st.sampled_from([ZoneInfo("Europe/Oslo"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("America/St_Johns")]),
    st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
moments = st.datetimes(
    min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29), timezones=zones, allow_imaginary=False
)
reasons = (
    st.none() | st.sampled_from(ReasonCode) | st.text(min_size=1).filter(lambda text: text.strip() != "")
)


@st.composite
def transitions(draw: st.DrawFn) -> StatusTransition:
    """Any legal move by anybody at any time."""
    from_status, to_status = draw(st.sampled_from(sorted(VALID_TRANSITIONS)))
    return StatusTransition(
        from_status=from_status,
        to_status=to_status,
        actor_id=draw(st.none() | st.uuids()),
        reason=draw(reasons),
        timestamp=draw(moments),
    )


@given(transitions())
def test_every_move_comes_back_from_json_as_it_went(move: StatusTransition) -> None:
    through_text = json.loads(json.dumps(move.to_json()))
    back = StatusTransition.from_json(through_text)
    assert back == move
    assert back.to_json() == move.to_json()
    assert back.timestamp.tzinfo is UTC
    assert type(back.from_status) is MentorStatus


@given(moments)
def test_every_time_is_written_in_utc_with_microseconds(moment: datetime) -> None:
    text = transition(timestamp=moment).to_json()["timestamp"]
    assert text is not None
    assert len(text) == len("2026-11-20T12:00:00.000000+00:00")
    assert text.endswith("+00:00")
    assert datetime.fromisoformat(text) == moment.astimezone(UTC)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    name=st.sampled_from(["from_status", "to_status", "actor_id", "reason", "timestamp"]),
    value=json_values.filter(lambda value: value not in list(MentorStatus)),
)
def test_a_mangled_field_is_either_refused_by_name_or_means_something(name: str, value: object) -> None:
    data = written(**{name: value})
    try:
        move = StatusTransition.from_json(data)
    except ValueError as refusal:
        complaint = str(refusal)
    else:
        complaint = f"{name}: fine" if StatusTransition.from_json(move.to_json()) == move else "lost"
    assert complaint.startswith(f"{name}: ")


@pytest.mark.parametrize("name", ["from_status", "to_status", "actor_id", "reason", "timestamp"])
def test_it_refuses_a_move_with_a_missing_key(name: str) -> None:
    data = written()
    del data[name]
    with pytest.raises(ValueError, match=f"^{name}: missing$"):
        StatusTransition.from_json(data)


def test_it_refuses_a_move_with_an_extra_key_and_does_not_repeat_it() -> None:
    with pytest.raises(ValueError, match="unknown key") as refusal:
        StatusTransition.from_json(written(secret_note="x"))
    assert "secret_note" not in str(refusal.value)


@pytest.mark.parametrize("data", [[], "active", None, 7, [("from_status", "active")]])
def test_it_refuses_what_is_not_an_object(data: Any) -> None:
    with pytest.raises(ValueError, match="not an object"):
        StatusTransition.from_json(data)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"from_status": "asleep"}, "from_status: not one of active, paused, inactive"),
        ({"from_status": None}, "from_status: not one of"),
        ({"to_status": "PAUSED"}, "to_status: not one of"),
        ({"to_status": 1}, "to_status: not one of"),
        ({"to_status": "active"}, "to_status: no such move"),
        ({"from_status": "paused", "to_status": "inactive"}, "to_status: no such move"),
        ({"from_status": "inactive", "to_status": "active"}, "to_status: no such move"),
        ({"actor_id": "ada"}, "actor_id: not a UUID"),
        ({"actor_id": "{a0000000-0000-4000-8000-000000000001}"}, "actor_id: not a UUID"),
        ({"actor_id": "a0000000000040008000000000000001"}, "actor_id: not a UUID"),
        ({"actor_id": 1}, "actor_id: not text"),
        ({"reason": ""}, "reason: blank"),
        ({"reason": " \n"}, "reason: blank"),
        ({"reason": ["illness"]}, "reason: not text"),
        ({"timestamp": "2026-11-20T12:00:00"}, "timestamp: has no time zone"),
        ({"timestamp": "2026-11-20"}, "timestamp: has no time zone"),
        ({"timestamp": "yesterday"}, "timestamp: not a time in ISO 8601"),
        ({"timestamp": "2026-02-30T12:00:00+00:00"}, "timestamp: not a time in ISO 8601"),
        ({"timestamp": 1795176000}, "timestamp: not a time in ISO 8601"),
        ({"timestamp": "0001-01-01T00:00:00+01:00"}, "timestamp: outside the years"),
    ],
)
def test_it_refuses_nonsense_and_names_the_field(changed: Mapping[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(complaint)}"):
        StatusTransition.from_json(written(**changed))


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"to_status": ACTIVE}, "to_status: no such move"),
        ({"reason": " "}, "reason: blank"),
        ({"timestamp": datetime(2026, 11, 20, 12, 0)}, "timestamp: has no time zone"),
    ],
)
def test_the_constructor_is_as_strict_as_json(changed: Mapping[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(complaint)}"):
        transition(**changed)


def test_a_move_by_the_system_has_no_actor() -> None:
    move = StatusTransition.from_json(written(actor_id=None, reason="certification_expired"))
    assert move.actor_id is None


def test_a_move_cannot_be_altered() -> None:
    with pytest.raises(AttributeError):
        transition().to_status = INACTIVE  # type: ignore[misc]  # the assignment is the point


# Where a mentor stands


def record(**changed: Any) -> MentorStatusRecord:
    """Ada, paused by Bo at noon, except for what the test says."""
    fields: dict[str, Any] = {
        "mentor_id": ADA,
        "organisation_id": NORTH,
        "status": PAUSED,
        "previous_status": ACTIVE,
        "changed_at": NOON,
        "changed_by": BO,
        "reason": ReasonCode.COORDINATOR_PAUSE,
        "updated_at": NOON,
        "pause_at": NOON,
    }
    return MentorStatusRecord(**(fields | changed))


def test_a_paused_mentor_has_a_start_and_may_have_a_return_date() -> None:
    ada = record(expected_return_on=date(2026, 12, 24), note="Back before Christmas.")
    assert (ada.pause_at, ada.expected_return_on) == (NOON, date(2026, 12, 24))


@pytest.mark.parametrize("status", [ACTIVE, INACTIVE])
def test_a_mentor_who_is_not_paused_has_no_pause_fields(status: MentorStatus) -> None:
    ada = record(status=status, pause_at=None, reactivated_at=NOON)
    assert (ada.pause_at, ada.expected_return_on) == (None, None)


def test_a_new_mentor_has_no_previous_status() -> None:
    assert record(status=ACTIVE, previous_status=None, pause_at=None, reason=None).previous_status is None


@pytest.mark.parametrize("name", ["changed_at", "updated_at", "pause_at", "reactivated_at"])
def test_a_record_keeps_its_times_in_utc(name: str) -> None:
    oslo = datetime(2026, 7, 1, 14, 30, tzinfo=ZoneInfo("Europe/Oslo"))
    moment = getattr(record(**{name: oslo}), name)
    assert moment == oslo
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"pause_at": None}, "pause_at: missing while the mentor is paused"),
        ({"status": ACTIVE}, "pause_at: set although the mentor is not paused"),
        ({"status": INACTIVE}, "pause_at: set although the mentor is not paused"),
        (
            {"status": ACTIVE, "pause_at": None, "expected_return_on": date(2026, 12, 24)},
            "expected_return_on: set although the mentor is not paused",
        ),
        ({"changed_at": datetime(2026, 11, 20)}, "changed_at: has no time zone"),
        ({"updated_at": datetime(2026, 11, 20)}, "updated_at: has no time zone"),
        ({"pause_at": datetime(2026, 11, 20)}, "pause_at: has no time zone"),
        ({"reactivated_at": datetime(2026, 11, 20)}, "reactivated_at: has no time zone"),
        ({"reason": "\t"}, "reason: blank"),
    ],
)
def test_a_record_refuses_what_the_table_could_not_hold(changed: Mapping[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(complaint)}$"):
        record(**changed)


def test_the_longest_note_is_taken_and_one_more_letter_is_not_and_never_repeated() -> None:
    assert record(note="å" * MAX_NOTE_LENGTH).note is not None
    with pytest.raises(ValueError, match=r"^note: longer than 2000 characters$"):
        record(note="å" * (MAX_NOTE_LENGTH + 1))


# The module itself


def test_the_rules_need_nothing_but_the_standard_library() -> None:
    tree = ast.parse(Path(rules.__file__).read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else ["." if node.level else node.module or "."]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported
    assert imported <= sys.stdlib_module_names | {"__future__"}
