"""No path changes a status against the rules or unaudited: not plain SQL by the tables' owner, not another trigger, not COPY.

The one way round is `session_replication_role = replica`, which takes a superuser's deliberate hand.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.cast import (
    Mentor,
    World,
    add_certificate,
    add_mentor,
    require_certificate,
    set_status,
)
from tests.database.acting import (
    BAD_ARGUMENT,
    NOT_A_MOVE,
    NOT_YOURS,
    Session,
    assert_whole_trail,
    call,
    count,
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

_STATUSES = ["active", "paused", "inactive"]
_LEGAL = {("active", "paused"), ("paused", "active"), ("active", "inactive")}
_CHECK_VIOLATION = "23514"
_LAPSED = date(2020, 12, 31)


@pytest.fixture
def crowd(database: Database, world: World) -> list[Mentor]:
    """Ten more active mentors of the chapter north."""
    with psycopg.connect(database.url) as connection:
        return [add_mentor(connection, f"Ida{number}", chapters=[world.north]) for number in range(10)]


def plain_update(session: Session, mentor: Mentor, status: str) -> int:
    """An UPDATE as somebody would type it, with all that the new status needs."""
    with session.transaction():
        session.execute("""select set_config('peerpause.change', '{"reason": "other"}', true)""")
        return session.execute(
            "update public.peer_mentors set status = %(status)s::public.mentor_status,"
            " pause_reason = case when %(status)s = 'paused' then 'other' end"
            " where id = %(mentor)s",
            {"status": status, "mentor": mentor.mentor_id},
        ).rowcount


@pytest.mark.parametrize("new", _STATUSES)
@pytest.mark.parametrize("old", _STATUSES)
def test_the_owners_plain_update_makes_the_three_legal_moves_and_no_other(
    database: Database, world: World, owner: Session, old: str, new: str
) -> None:
    with psycopg.connect(database.url) as connection:
        if old != "active":
            set_status(connection, world.ada, old, reason="other")
    before = trail(owner, world.ada)
    if old == new:
        assert plain_update(owner, world.ada, new) == 1
        assert trail(owner, world.ada) == before
    elif (old, new) in _LEGAL:
        assert plain_update(owner, world.ada, new) == 1
        assert moves(owner, world.ada)[len(before) :] == [(old, new)]
        assert_whole_trail(owner, world.ada)
    else:
        with refused(NOT_A_MOVE) as refusal:
            plain_update(owner, world.ada, new)
        assert refusal.value.diag.message_primary == f"invalid status transition: {old} -> {new}"
        assert trail(owner, world.ada) == before


def test_a_bulk_update_writes_one_row_for_each_mentor(owner: Session, crowd: list[Mentor]) -> None:
    owner.execute("update public.peer_mentors set status = 'paused', pause_reason = 'travel'")
    for mentor in crowd:
        assert moves(owner, mentor) == [(None, "active"), ("active", "paused")]
        assert_whole_trail(owner, mentor)


def test_a_bulk_update_with_one_illegal_move_changes_nobody(
    world: World, owner: Session, crowd: list[Mentor]
) -> None:
    call(owner, "rpc_deactivate_mentor", p_mentor_id=crowd[7].mentor_id, p_reason="resigned")
    with refused(NOT_A_MOVE):
        owner.execute("update public.peer_mentors set status = 'paused', pause_reason = 'travel'")
    assert count(owner, "select count(*) from public.peer_mentors where status = 'paused'") == 0
    assert (
        count(owner, "select count(*) from public.peer_mentor_status_history where new_status = 'paused'")
        == 0
    )


_WAYS: dict[str, LiteralString] = {
    "update from": """
        update public.peer_mentors as p set status = 'paused', pause_reason = v.reason
        from (values (%(mentor)s::uuid, 'travel')) as v (id, reason)
        where p.id = v.id
    """,
    "insert on conflict": """
        insert into public.peer_mentors (id, organisation_id, display_name, first_name)
        select p.id, p.organisation_id, p.display_name, p.first_name from public.peer_mentors as p where p.id = %(mentor)s
        on conflict (id) do update set status = 'paused', pause_reason = 'travel'
    """,
    "merge": """
        merge into public.peer_mentors as p
        using (values (%(mentor)s::uuid)) as v (id) on p.id = v.id
        when matched then update set status = 'paused', pause_reason = 'travel'
    """,
    "writable cte": """
        with changed as (
            update public.peer_mentors set status = 'paused', pause_reason = 'travel' where id = %(mentor)s returning id
        )
        select count(*) from changed
    """,
    "view": """
        update public.peer_mentor_status set status = 'paused', pause_reason = 'travel' where mentor_id = %(mentor)s
    """,
}


@pytest.mark.parametrize("way", _WAYS)
def test_every_way_to_write_a_row_is_audited(world: World, owner: Session, way: str) -> None:
    owner.execute(_WAYS[way], {"mentor": world.ada.mentor_id})
    assert moves(owner, world.ada) == [(None, "active"), ("active", "paused")]
    assert_whole_trail(owner, world.ada)


@pytest.mark.parametrize("way", _WAYS)
def test_every_way_to_write_a_row_is_judged(world: World, owner: Session, way: str) -> None:
    call(owner, "rpc_deactivate_mentor", p_mentor_id=world.ada.mentor_id, p_reason="resigned")
    with refused(NOT_A_MOVE):
        owner.execute(_WAYS[way], {"mentor": world.ada.mentor_id})
    assert status_of(owner, world.ada) == "inactive"


@pytest.mark.parametrize("status", _STATUSES)
def test_a_new_mentor_may_start_in_any_status_and_the_history_says_in_which(
    world: World, owner: Session, status: str
) -> None:
    ida = insert_mentor(owner, world, status=status)
    assert moves(owner, ida) == [(None, status)]
    assert_whole_trail(owner, ida)


def test_a_copy_in_is_audited_row_by_row(world: World, owner: Session) -> None:
    ids = [uuid4(), uuid4(), uuid4()]
    with owner.cursor().copy(
        "copy public.peer_mentors (id, organisation_id, display_name, first_name, status, pause_reason) from stdin"
    ) as copy:
        for mentor_id, status, reason in zip(ids, _STATUSES, [None, "travel", None], strict=True):
            copy.write_row((mentor_id, world.organisation_id, "Ida Hansen", "Ida", status, reason))
    for mentor_id, status in zip(ids, _STATUSES, strict=True):
        assert moves(owner, mentor_of(world, mentor_id)) == [(None, status)]


def test_two_moves_in_one_transaction_leave_two_rows(world: World, owner: Session) -> None:
    with owner.transaction():
        for status in ("paused", "active", "paused", "active"):
            plain_update(owner, world.ada, status)
    assert len(trail(owner, world.ada)) == 5
    assert_whole_trail(owner, world.ada)


def test_a_statement_that_touches_no_status_leaves_no_row(world: World, owner: Session) -> None:
    before = mentor_row(owner, world.ada)["updated_at"]
    owner.execute("update public.peer_mentors set display_name = display_name || '!'")
    assert moves(owner, world.ada) == [(None, "active")]
    assert mentor_row(owner, world.ada)["updated_at"] > before


def add_foreign_trigger(owner: Session, name: LiteralString, body: LiteralString) -> None:
    """A BEFORE trigger of the app's own on `peer_mentors`; of those, PostgreSQL fires the first name first."""
    owner.execute(
        "create function public.meddle() returns trigger language plpgsql as $$ begin " + body + " end $$"
    )
    owner.execute(
        "create trigger "
        + name
        + " before update on public.peer_mentors for each row execute function public.meddle()"
    )


_EARLY: LiteralString = "aaaa_meddle"
_LATE: LiteralString = "zzzz_meddle"


@pytest.mark.parametrize("name", [_EARLY, _LATE])
def test_a_foreign_trigger_that_makes_an_illegal_move_is_refused(
    world: World, owner: Session, name: LiteralString
) -> None:
    call(owner, "rpc_deactivate_mentor", p_mentor_id=world.ada.mentor_id, p_reason="resigned")
    add_foreign_trigger(owner, name, "new.status := 'active'; return new;")
    with refused(NOT_A_MOVE if name == _EARLY else _CHECK_VIOLATION):
        owner.execute("update public.peer_mentors set listed = false where id = %s", (world.ada.mentor_id,))
    assert status_of(owner, world.ada) == "inactive"
    assert_whole_trail(owner, world.ada)


@pytest.mark.parametrize("name", [_EARLY, _LATE])
def test_a_foreign_trigger_that_makes_a_legal_move_is_audited(
    world: World, owner: Session, name: LiteralString
) -> None:
    add_foreign_trigger(
        owner,
        name,
        "new.status := 'paused'; new.pause_reason := 'other'; new.pause_at := now(); return new;",
    )
    owner.execute("update public.peer_mentors set listed = false where id = %s", (world.ada.mentor_id,))
    assert moves(owner, world.ada) == [(None, "active"), ("active", "paused")]
    assert_whole_trail(owner, world.ada)


def test_a_foreign_trigger_that_undoes_a_pause_leaves_no_row(world: World, owner: Session) -> None:
    add_foreign_trigger(
        owner,
        _LATE,
        "new.status := old.status; new.pause_reason := null; new.pause_at := null; return new;",
    )
    plain_update(owner, world.ada, "paused")
    assert moves(owner, world.ada) == [(None, "active")]
    assert status_of(owner, world.ada) == "active"


def test_a_foreign_trigger_that_half_undoes_a_pause_is_refused(world: World, owner: Session) -> None:
    add_foreign_trigger(owner, _LATE, "new.pause_at := null; return new;")
    with refused(_CHECK_VIOLATION):
        plain_update(owner, world.ada, "paused")
    assert moves(owner, world.ada) == [(None, "active")]


def test_a_foreign_trigger_that_swallows_the_update_leaves_no_row(world: World, owner: Session) -> None:
    add_foreign_trigger(owner, _LATE, "return null;")
    assert plain_update(owner, world.ada, "paused") == 0
    assert moves(owner, world.ada) == [(None, "active")]


def test_a_foreign_trigger_that_changes_the_status_of_others_is_audited(world: World, owner: Session) -> None:
    add_foreign_trigger(
        owner,
        _EARLY,
        "if pg_trigger_depth() = 1 then"
        " update public.peer_mentors set status = 'paused', pause_reason = 'other'"
        " where id <> new.id and status = 'active'; end if; return new;",
    )
    owner.execute("update public.peer_mentors set listed = false where id = %s", (world.ada.mentor_id,))
    assert moves(owner, world.ada) == [(None, "active")]
    assert moves(owner, world.finn) == [(None, "active"), ("active", "paused")]


def test_switching_triggers_off_on_purpose_is_the_one_way_round(world: World, owner: Session) -> None:
    with owner.transaction():
        owner.execute("set local session_replication_role = replica")
        owner.execute(
            "update public.peer_mentors set status = 'inactive' where id = %s", (world.ada.mentor_id,)
        )
    assert status_of(owner, world.ada) == "inactive"
    assert moves(owner, world.ada) == [(None, "active")]


def test_even_with_triggers_off_a_row_cannot_lie_about_a_pause(world: World, owner: Session) -> None:
    with refused(_CHECK_VIOLATION), owner.transaction():
        owner.execute("set local session_replication_role = replica")
        owner.execute("update public.peer_mentors set status = 'paused'")


@pytest.mark.parametrize(
    "statement",
    [
        "update public.peer_mentor_status_history set note = 'x'",
        "update public.peer_mentor_status_history set changed_at = changed_at",
        "update public.peer_mentor_status_history set changed_by = gen_random_uuid()",
        "update public.peer_mentor_status_history set told_at = now(), note = 'x'",
        "delete from public.peer_mentor_status_history",
        "truncate public.peer_mentor_status_history cascade",
        "truncate public.peer_mentors cascade",
        "truncate public.organisations cascade",
    ],
)
def test_the_history_is_append_only_even_for_the_owner(
    world: World, owner: Session, statement: LiteralString
) -> None:
    before = trail(owner, world.ada)
    with refused(NOT_YOURS):
        owner.execute(statement)
    assert trail(owner, world.ada) == before


def test_a_mentor_with_a_history_is_not_deleted(world: World, owner: Session) -> None:
    owner.execute("delete from public.chapter_memberships")
    with refused("23503"):
        owner.execute("delete from public.peer_mentors where id = %s", (world.ada.mentor_id,))


def test_a_change_is_marked_as_told_once_and_never_again(
    database: Database, world: World, owner: Session
) -> None:
    mark = "update public.peer_mentor_status_history set told_at = {} where mentor_id = %s"
    with service_session(database) as service:
        marked = service.execute(mark.format("now()").encode(), (world.ada.mentor_id,))
        assert marked.rowcount == 1
        for session in (service, owner):
            for value in ("now()", "null", "told_at"):
                with refused(NOT_YOURS):
                    session.execute(mark.format(value).encode(), (world.ada.mentor_id,))


def test_a_mentor_keeps_id_and_organisation_for_life(world: World, owner: Session) -> None:
    for change in ("id = gen_random_uuid()", "organisation_id = gen_random_uuid()"):
        with refused(BAD_ARGUMENT):
            owner.execute(f"update public.peer_mentors set {change}".encode())


def test_updated_at_moves_on_even_when_the_clock_has_gone_back(
    database: Database, world: World, owner: Session
) -> None:
    future = datetime.now(UTC) + timedelta(days=365)
    with owner.transaction():
        owner.execute("set local session_replication_role = replica")
        owner.execute("update public.peer_mentors set updated_at = %s", (future,))
    versions = [future]
    for _ in range(3):
        owner.execute("update public.peer_mentors set listed = not listed")
        versions.append(mentor_row(owner, world.ada)["updated_at"])
    with person_session(database, world.ada) as ada:
        versions.append(pause(ada, world.ada)[0]["updated_at"])
        versions.append(reactivate(ada, world.ada)[0]["updated_at"])
    assert versions == [future + timedelta(microseconds=step) for step in range(6)]
    assert_whole_trail(owner, world.ada)


def test_updated_at_cannot_be_set_by_hand(world: World, owner: Session) -> None:
    before = mentor_row(owner, world.ada)["updated_at"]
    owner.execute("update public.peer_mentors set updated_at = '2000-01-01'")
    assert mentor_row(owner, world.ada)["updated_at"] > before


def test_a_plain_pause_needs_a_known_reason(world: World, owner: Session) -> None:
    for reason in (None, "", "nonsense"):
        with refused(BAD_ARGUMENT) as refusal:
            owner.execute(
                "update public.peer_mentors set status = 'paused', pause_reason = %s where id = %s",
                (reason, world.ada.mentor_id),
            )
        assert "nonsense" not in str(refusal.value)


def test_a_plain_deactivation_needs_a_reason_and_the_hint_says_how(world: World, owner: Session) -> None:
    with refused(BAD_ARGUMENT) as refusal:
        owner.execute(
            "update public.peer_mentors set status = 'inactive' where id = %s", (world.ada.mentor_id,)
        )
    assert "set_config('peerpause.change'" in (refusal.value.diag.message_hint or "")
    plain_update(owner, world.ada, "inactive")
    assert trail(owner, world.ada)[-1].reason == "other"


def test_a_plain_pause_keeps_its_facts_and_a_return_clears_them(
    database: Database, world: World, owner: Session
) -> None:
    back = date.today() + timedelta(days=30)
    with person_session(database, world.bo) as bo:
        bo.execute(
            "update public.peer_mentors set status = 'paused', pause_reason = 'travel', pause_note = 'to the sea',"
            " expected_return_on = %s where id = %s",
            (back, world.ada.mentor_id),
        )
        paused = mentor_row(owner, world.ada)
        facts = ("pause_reason", "pause_note", "expected_return_on")
        assert [paused[fact] for fact in facts] == ["travel", "to the sea", back]
        assert paused["pause_at"] == paused["updated_at"]
        bo.execute("update public.peer_mentors set status = 'active' where id = %s", (world.ada.mentor_id,))
    returned = mentor_row(owner, world.ada)
    assert [returned[fact] for fact in (*facts, "pause_at")] == [None] * 4
    assert returned["reactivated_at"] == returned["updated_at"]
    row = owner.execute(
        "select reason, note, expected_return_on from public.peer_mentor_status_history where new_status = 'paused'"
    ).fetchone()
    assert row == {"reason": "travel", "note": "to the sea", "expected_return_on": back}


def test_an_update_by_the_service_role_names_the_actor_it_speaks_for(
    database: Database, world: World, owner: Session
) -> None:
    with service_session(database) as service:
        update_status(service, world.ada, "paused", world.dag, "illness")
        with service.transaction():
            service.execute(
                "select set_config('peerpause.change', %s, true)", (f'{{"actor_id": "{world.hal.user_id}"}}',)
            )
            service.execute("update public.peer_mentors set status = 'active' where status = 'paused'")
        pause(service, world.ada)
    assert [change.changed_by for change in trail(owner, world.ada)] == [
        None,
        world.dag.user_id,
        world.hal.user_id,
        None,
    ]


def test_a_lapsed_certificate_stops_a_plain_return_by_anybody(
    database: Database, world: World, owner: Session
) -> None:
    pause(owner, world.ada)
    with psycopg.connect(database.url) as connection:
        require_certificate(connection, world.organisation_id)
        add_certificate(connection, world.ada, issued_on=date(2020, 1, 1), expires_on=_LAPSED)
    with person_session(database, world.bo) as bo, service_session(database) as service:
        for session in (bo, service, owner):
            with refused(NOT_A_MOVE) as refusal:
                session.execute(
                    "update public.peer_mentors set status = 'active' where id = %s", (world.ada.mentor_id,)
                )
            assert refusal.value.diag.message_hint == "certification_expired"
            assert refusal.value.diag.message_detail == '{"expired_on": "2020-12-31"}'
    assert status_of(owner, world.ada) == "paused"


def insert_mentor(owner: Session, world: World, *, status: str) -> Mentor:
    mentor = mentor_of(world, uuid4())
    owner.execute(
        "insert into public.peer_mentors (id, organisation_id, display_name, first_name, status) values (%s, %s, %s, %s, %s)",
        (mentor.mentor_id, world.organisation_id, mentor.display_name, mentor.first_name, status),
    )
    return mentor


def mentor_of(world: World, mentor_id: UUID) -> Mentor:
    return Mentor(uuid4(), "Ida", mentor_id, world.organisation_id)


def test_many_mentors_changed_at_once_are_no_loop_in_a_loop(
    owner: Session, crowd: list[Mentor], world: World
) -> None:
    """The plan that a session keeps after it changed one mentor must serve for ten thousand too."""
    plans: list[str] = []
    owner.add_notice_handler(lambda notice: plans.append(notice.message_detail or ""))
    owner.execute("set client_min_messages = log")
    owner.execute("set debug_print_plan = on")
    assert plain_update(owner, world.ada, "paused") == 1
    of_the_history = [plan for plan in plans if "{NAMEDTUPLESTORESCAN" in plan]
    assert len(of_the_history) == 1
    assert not any("{NESTLOOP" in plan for plan in of_the_history)
