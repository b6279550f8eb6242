"""The functions clients call: what they answer, what they refuse with which code, and what they leave behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest

from tests.cast import Mentor, World
from tests.database.acting import (
    BAD_ARGUMENT,
    NO_SUCH_MENTOR,
    NOT_A_MOVE,
    NOT_YOURS,
    Row,
    Session,
    assert_whole_trail,
    call,
    count,
    deactivate,
    mentor_row,
    moves,
    pause,
    person_session,
    reactivate,
    refused,
    service_session,
    status_of,
    trail,
    update_status,
)
from tests.servers import Database


@pytest.fixture
def ada(database: Database, world: World) -> Iterator[Session]:
    with person_session(database, world.ada) as session:
        yield session


@pytest.fixture
def bo(database: Database, world: World) -> Iterator[Session]:
    with person_session(database, world.bo) as session:
        yield session


def nobody(world: World) -> Mentor:
    """A mentor that does not exist."""
    return Mentor(uuid4(), "Nobody", uuid4(), world.organisation_id)


def history_row(owner: Session, mentor: Mentor) -> Row:
    """The newest row of the mentor's history."""
    row = owner.execute(
        "select * from public.peer_mentor_status_history where mentor_id = %s order by changed_at desc limit 1",
        (mentor.mentor_id,),
    ).fetchone()
    assert row is not None
    return row


def test_update_mentor_status_answers_what_it_did(world: World, ada: Session, owner: Session) -> None:
    answer = update_status(ada, world.ada, "paused", world.ada, "illness")
    updated_at = mentor_row(owner, world.ada)["updated_at"]
    assert answer is not None
    assert set(answer) == {"success", "mentor_id", "old_status", "new_status", "changed_at", "updated_at"}
    assert answer["success"] is True
    assert answer["mentor_id"] == str(world.ada.mentor_id)
    assert (answer["old_status"], answer["new_status"]) == ("active", "paused")
    assert datetime.fromisoformat(answer["changed_at"]) == updated_at
    assert datetime.fromisoformat(answer["updated_at"]) == updated_at


def test_update_mentor_status_makes_all_three_moves(world: World, bo: Session, owner: Session) -> None:
    for status, reason in (("paused", "travel"), ("active", None), ("inactive", "resigned")):
        update_status(bo, world.ada, status, world.bo, reason)
    assert [(change.new_status, change.reason) for change in trail(owner, world.ada)[1:]] == [
        ("paused", "travel"),
        ("active", None),
        ("inactive", "resigned"),
    ]
    assert_whole_trail(owner, world.ada)


def test_update_mentor_status_answers_null_when_the_row_has_moved_on(
    world: World, ada: Session, owner: Session
) -> None:
    seen = mentor_row(owner, world.ada)["updated_at"]
    owner.execute("update public.peer_mentors set listed = false")
    assert update_status(ada, world.ada, "paused", world.ada, "illness", p_expected_updated_at=seen) is None
    assert moves(owner, world.ada) == [(None, "active")]


@pytest.mark.parametrize(
    "old, new, allowed",
    [
        ("active", "active", ["paused", "inactive"]),
        ("paused", "paused", ["active"]),
        ("paused", "inactive", ["active"]),
        ("inactive", "active", []),
        ("inactive", "paused", []),
        ("inactive", "inactive", []),
    ],
)
def test_a_move_that_is_not_allowed_is_refused_with_what_is(
    world: World, bo: Session, owner: Session, old: str, new: str, allowed: list[str]
) -> None:
    if old == "paused":
        pause(bo, world.ada)
    if old == "inactive":
        deactivate(bo, world.ada)
    before = mentor_row(owner, world.ada)
    with refused(NOT_A_MOVE) as refusal:
        update_status(bo, world.ada, new, world.bo, "other")
    told = refusal.value.diag
    assert told.message_primary == f"invalid status transition: {old} -> {new}"
    assert json.loads(told.message_detail or "") == {"from": old, "to": new, "allowed": allowed}
    assert told.message_hint
    assert mentor_row(owner, world.ada) == before


def test_pausing_sets_the_facts_and_returning_clears_them(world: World, ada: Session, owner: Session) -> None:
    back = date.today() + timedelta(days=20)
    (answer,) = pause(ada, world.ada, "travel", p_expected_return_on=back, p_note="  to the sea ")
    row = mentor_row(owner, world.ada)
    assert answer == {
        "mentor_id": world.ada.mentor_id,
        "status": "paused",
        "pause_reason": "travel",
        "paused_at": row["pause_at"],
        "reactivated_at": None,
        "updated_at": row["updated_at"],
    }
    assert (row["pause_note"], row["expected_return_on"]) == ("to the sea", back)
    written = history_row(owner, world.ada)
    assert (written["reason"], written["note"], written["expected_return_on"]) == (
        "travel",
        "to the sea",
        back,
    )

    (answer,) = reactivate(ada, world.ada, p_reason="returned")
    row = mentor_row(owner, world.ada)
    assert answer == {
        "mentor_id": world.ada.mentor_id,
        "status": "active",
        "pause_reason": None,
        "paused_at": None,
        "reactivated_at": row["updated_at"],
        "updated_at": row["updated_at"],
    }
    assert (row["pause_note"], row["expected_return_on"]) == (None, None)
    assert history_row(owner, world.ada)["reason"] == "returned"


def test_leaving_is_recorded_with_reason_and_note(world: World, ada: Session, owner: Session) -> None:
    (answer,) = deactivate(ada, world.ada, "resigned", p_note="thank you")
    assert answer["status"] == "inactive"
    written = history_row(owner, world.ada)
    assert (written["reason"], written["note"], written["changed_by"]) == (
        "resigned",
        "thank you",
        world.ada.user_id,
    )


def test_leaving_while_paused_takes_the_two_legal_steps(world: World, ada: Session, owner: Session) -> None:
    pause(ada, world.ada)
    version = mentor_row(owner, world.ada)["updated_at"]
    deactivate(ada, world.ada, "resigned", p_expected_updated_at=version)
    assert moves(owner, world.ada)[2:] == [("paused", "active"), ("active", "inactive")]
    assert [change.reason for change in trail(owner, world.ada)[2:]] == ["resignation_step", "resigned"]
    assert {change.changed_by for change in trail(owner, world.ada)[1:]} == {world.ada.user_id}
    assert_whole_trail(owner, world.ada)


def test_leaving_while_paused_is_never_seen_half_done(
    database: Database, world: World, ada: Session, owner: Session
) -> None:
    pause(ada, world.ada)
    with ada.transaction():
        deactivate(ada, world.ada)
        assert status_of(owner, world.ada) == "paused"
        assert count(owner, "select count(*) from public_chapter_roster(%s)", world.north.chapter_id) == 1
    assert status_of(owner, world.ada) == "inactive"
    with refused(NOT_A_MOVE):
        deactivate(ada, world.ada)


_CHANGES: dict[str, Callable[[Session, Mentor, Row], list[Row]]] = {
    "pause": lambda session, mentor, options: pause(session, mentor, **options),
    "planned pause": lambda session, mentor, options: pause(
        session, mentor, p_pause_at=datetime.now().astimezone() + timedelta(days=1), **options
    ),
    "reactivate": lambda session, mentor, options: reactivate(session, mentor, **options),
    "deactivate": lambda session, mentor, options: deactivate(session, mentor, **options),
}


@pytest.mark.parametrize("change", _CHANGES)
def test_a_row_that_has_moved_on_is_left_alone_and_nothing_is_answered(
    world: World, ada: Session, owner: Session, change: str
) -> None:
    if change == "reactivate":
        pause(ada, world.ada)
    seen = mentor_row(owner, world.ada)["updated_at"]
    owner.execute("update public.peer_mentors set listed = false")
    before = mentor_row(owner, world.ada)
    assert _CHANGES[change](ada, world.ada, {"p_expected_updated_at": seen}) == []
    assert mentor_row(owner, world.ada) == before
    assert count(owner, "select count(*) from public.scheduled_status_changes") == 0
    assert len(_CHANGES[change](ada, world.ada, {"p_expected_updated_at": before["updated_at"]})) == 1


@pytest.mark.parametrize("change", _CHANGES)
def test_a_mentor_that_does_not_exist_is_named_as_such(world: World, bo: Session, change: str) -> None:
    with refused(NO_SUCH_MENTOR):
        _CHANGES[change](bo, nobody(world), {})


def test_the_other_functions_name_an_unknown_mentor_too(world: World, bo: Session) -> None:
    with refused(NO_SUCH_MENTOR):
        update_status(bo, nobody(world), "paused", world.bo, "illness")
    for function in ("rpc_cancel_scheduled_pause", "get_mentor_status", "get_mentor_status_history"):
        with refused(NO_SUCH_MENTOR):
            call(bo, function, p_mentor_id=uuid4())


@pytest.mark.parametrize("reason", [None, "", "  ", "my knee hurts", "ILLNESS"])
def test_a_pause_and_a_farewell_need_a_known_reason_and_do_not_repeat_the_given_one(
    world: World, ada: Session, reason: str | None
) -> None:
    for status in ("paused", "inactive"):
        with refused(BAD_ARGUMENT) as refusal:
            update_status(ada, world.ada, status, world.ada, reason)
        assert "knee" not in str(refusal.value)
        assert "self_pause" in (refusal.value.diag.message_hint or "")


@pytest.mark.parametrize("reason", ["certification_expired", "certification_renewed", "resignation_step"])
def test_a_reason_of_the_system_is_not_for_people(
    database: Database, world: World, ada: Session, owner: Session, reason: str
) -> None:
    with refused(BAD_ARGUMENT):
        pause(ada, world.ada, reason)
    with service_session(database) as service:
        pause(service, world.ada, reason)
    assert trail(owner, world.ada)[-1].reason == reason


@pytest.mark.parametrize("status", [None, "", "Paused", "on holiday", "archived"])
def test_an_unknown_status_is_a_bad_argument(world: World, ada: Session, status: str) -> None:
    with refused(BAD_ARGUMENT):
        update_status(ada, world.ada, status, world.ada, "other")
    with refused(BAD_ARGUMENT):
        call(ada, "list_chapter_mentors", p_chapter_id=world.north.chapter_id, p_status=status or "x")


def test_a_note_may_be_two_thousand_characters_long(world: World, ada: Session, owner: Session) -> None:
    with refused(BAD_ARGUMENT):
        pause(ada, world.ada, p_note="ø" * 2001)
    with refused(BAD_ARGUMENT):
        deactivate(ada, world.ada, p_note="ø" * 2001)
    pause(ada, world.ada, p_note="ø" * 2000)
    assert len(mentor_row(owner, world.ada)["pause_note"]) == 2000


def test_a_note_of_spaces_is_none(world: World, ada: Session, owner: Session) -> None:
    pause(ada, world.ada, p_note="   ")
    assert mentor_row(owner, world.ada)["pause_note"] is None


def test_the_status_names_the_change_that_led_to_it(world: World, ada: Session, bo: Session) -> None:
    pause(bo, world.ada, "coordinator_pause", p_note="rest well")
    (status,) = call(ada, "get_mentor_status", p_mentor_id=world.ada.mentor_id)
    assert {
        name: status[name]
        for name in (
            "status",
            "previous_status",
            "changed_by",
            "reason",
            "note",
            "pause_reason",
            "first_name",
        )
    } == {
        "status": "paused",
        "previous_status": "active",
        "changed_by": world.bo.user_id,
        "reason": "coordinator_pause",
        "note": "rest well",
        "pause_reason": "coordinator_pause",
        "first_name": "Ada",
    }
    assert status["changed_at"] == status["updated_at"] == status["paused_at"]
    assert status["scheduled_pause_at"] is None


def test_the_history_pages_newest_first(world: World, ada: Session) -> None:
    for _ in range(3):
        pause(ada, world.ada)
        reactivate(ada, world.ada)
    whole = call(ada, "get_mentor_status_history", p_mentor_id=world.ada.mentor_id)
    assert [row["new_status"] for row in whole] == ["active", "paused"] * 3 + ["active"]
    paged: list[Row] = []
    before = None
    while page := call(
        ada, "get_mentor_status_history", p_mentor_id=world.ada.mentor_id, p_limit=2, p_before=before
    ):
        paged += page
        before = page[-1]["changed_at"]
    assert paged == whole


@pytest.mark.parametrize("limit", [None, 0, -1, 501])
def test_a_page_has_one_to_five_hundred_rows(world: World, bo: Session, limit: int | None) -> None:
    with refused(BAD_ARGUMENT):
        call(bo, "get_mentor_status_history", p_mentor_id=world.ada.mentor_id, p_limit=limit)
    with refused(BAD_ARGUMENT):
        call(bo, "list_chapter_mentors", p_chapter_id=world.north.chapter_id, p_limit=limit)


def test_a_chapters_mentors_are_listed_by_name_filtered_and_paged(
    world: World, bo: Session, ada: Session
) -> None:
    def names(**options: object) -> list[str]:
        rows = call(bo, "list_chapter_mentors", p_chapter_id=world.north.chapter_id, **options)
        return [row["first_name"] for row in rows]

    pause(ada, world.ada)
    assert names() == ["Ada", "Finn"]
    assert names(p_status="active") == ["Finn"]
    assert names(p_status="paused") == ["Ada"]
    assert names(p_status="inactive") == []
    assert names(p_search="fIN") == ["Finn"]
    assert names(p_search="%") == []
    (first,) = call(bo, "list_chapter_mentors", p_chapter_id=world.north.chapter_id, p_limit=1)
    assert names(p_after_name=first["display_name"], p_after_id=first["mentor_id"]) == ["Finn"]


def test_the_views_show_the_same_as_the_functions(world: World, ada: Session) -> None:
    (answer,) = pause(ada, world.ada)
    assert ada.execute("select * from public.peer_mentor_status").fetchall() == [answer]
    rows = ada.execute("select * from public.mentor_status_history order by changed_at").fetchall()
    assert [set(row) for row in rows] == [
        {"mentor_id", "old_status", "new_status", "changed_by", "reason", "changed_at"}
    ] * 2
    assert [(row["old_status"], row["new_status"]) for row in rows] == [
        (None, "active"),
        ("active", "paused"),
    ]


def test_a_device_belongs_to_whoever_signed_in_last(
    world: World, ada: Session, bo: Session, owner: Session
) -> None:
    device = {"p_token": "d" * 163, "p_platform": "android"}
    call(ada, "register_device_token", **device)
    call(bo, "register_device_token", **device)
    assert count(owner, "select count(*) from public.device_tokens") == 1
    assert call(ada, "release_device_token", p_token=device["p_token"]) == [{"release_device_token": False}]
    assert call(bo, "release_device_token", p_token=device["p_token"]) == [{"release_device_token": True}]
    assert count(owner, "select count(*) from public.device_tokens") == 0


def test_registering_again_brings_a_retired_device_back(world: World, ada: Session, owner: Session) -> None:
    device = {"p_token": "some-device-token", "p_platform": "ios", "p_kind": "fid"}
    call(ada, "register_device_token", **device)
    owner.execute("update public.device_tokens set retired_at = now(), retired_because = 'UNREGISTERED'")
    call(ada, "register_device_token", **device)
    assert count(owner, "select count(*) from public.device_tokens where retired_at is null") == 1


@pytest.mark.parametrize(
    "device",
    [
        {"p_token": "short", "p_platform": "web"},
        {"p_token": "x" * 4097, "p_platform": "web"},
        {"p_token": "with a space in it", "p_platform": "web"},
        {"p_token": None, "p_platform": "web"},
        {"p_token": "some-device-token", "p_platform": "fridge"},
        {"p_token": "some-device-token", "p_platform": None},
        {"p_token": "some-device-token", "p_platform": "web", "p_kind": "other"},
    ],
)
def test_what_cannot_be_a_device_is_refused(world: World, ada: Session, device: Row) -> None:
    with refused(BAD_ARGUMENT):
        call(ada, "register_device_token", **device)


def test_the_service_role_acts_for_whom_it_names_or_as_the_system(
    database: Database, world: World, owner: Session
) -> None:
    with service_session(database) as service:
        update_status(service, world.ada, "paused", world.dag, "illness")
        update_status(service, world.ada, "active", None, None)
        pause(service, world.ada)
    assert [change.changed_by for change in trail(owner, world.ada)[1:]] == [world.dag.user_id, None, None]


def test_a_signed_in_person_acts_for_nobody_else(world: World, bo: Session, owner: Session) -> None:
    for actor in (world.ada, world.dag, uuid4(), None):
        with refused(NOT_YOURS):
            update_status(bo, world.ada, "paused", actor, "illness")
    assert status_of(owner, world.ada) == "active"
