"""Somebody with a signed-in person's rights and SQL at hand tries to act in another's name, or past the rules, and fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tests.cast import World, add_certificate, require_certificate
from tests.database.acting import (
    BAD_ARGUMENT,
    NOT_A_MOVE,
    NOT_YOURS,
    Session,
    call,
    count,
    deactivate,
    moves,
    pause,
    person_session,
    reactivate,
    refused,
    status_of,
    trail,
    update_status,
)
from tests.servers import Database

_LONG_AGO = date(2020, 1, 1)


@pytest.fixture
def ada(database: Database, world: World) -> Iterator[Session]:
    with person_session(database, world.ada) as session:
        yield session


@pytest.fixture
def bo(database: Database, world: World) -> Iterator[Session]:
    with person_session(database, world.bo) as session:
        yield session


@pytest.fixture
def shared_bo(module_database: Database, shared_world: World) -> Iterator[Session]:
    with person_session(module_database, shared_world.bo) as session:
        yield session


@pytest.fixture
def lapsed(database: Database, world: World) -> None:
    """Ada's required certificate has run out."""
    with psycopg.connect(database.url) as connection:
        require_certificate(connection, world.organisation_id)
        add_certificate(
            connection, world.ada, issued_on=_LONG_AGO, expires_on=_LONG_AGO + timedelta(days=365)
        )


def announce(session: Session, change: str, *, local: bool = False) -> None:
    """Put on by hand the setting with which our functions tell the trigger what they are doing."""
    session.execute("select set_config('peerpause.change', %s, %s)", (change, local))


def test_a_forged_actor_does_not_reach_the_history_by_a_plain_update(
    world: World, bo: Session, owner: Session
) -> None:
    announce(bo, f'{{"actor_id": "{world.dag.user_id}", "job_run_id": "{uuid4()}"}}')
    bo.execute(
        "update public.peer_mentors set status = 'paused', pause_reason = 'illness' where id = %s",
        (world.ada.mentor_id,),
    )
    assert trail(owner, world.ada)[-1].changed_by == world.bo.user_id
    assert (
        count(owner, "select count(*) from public.peer_mentor_status_history where job_run_id is not null")
        == 0
    )


def test_a_forged_actor_does_not_reach_the_history_by_a_function(
    world: World, ada: Session, owner: Session
) -> None:
    announce(ada, f'{{"actor_id": "{world.dag.user_id}", "reason": "travel"}}')
    pause(ada, world.ada)
    reactivate(ada, world.ada)
    deactivate(ada, world.ada)
    after_the_start = trail(owner, world.ada)[1:]
    assert {change.changed_by for change in after_the_start} == {world.ada.user_id}
    assert [change.reason for change in after_the_start] == ["illness", None, "resigned"]


def test_a_forged_system_actor_is_recorded_as_the_person(world: World, bo: Session, owner: Session) -> None:
    announce(bo, '{"actor_id": null, "reason": "resigned"}')
    bo.execute("update public.peer_mentors set status = 'inactive' where id = %s", (world.ada.mentor_id,))
    assert trail(owner, world.ada)[-1].changed_by == world.bo.user_id


@pytest.mark.usefixtures("lapsed")
def test_pretending_to_resign_does_not_bring_back_a_mentor_whose_certificate_lapsed(
    world: World, bo: Session, owner: Session
) -> None:
    pause(bo, world.ada)
    announce(bo, '{"resigning": true}')
    with refused(NOT_A_MOVE) as refusal:
        bo.execute("update public.peer_mentors set status = 'active' where id = %s", (world.ada.mentor_id,))
    assert refusal.value.diag.message_hint == "certification_expired"
    assert status_of(owner, world.ada) == "paused"


@pytest.mark.parametrize("reason", ["resignation_step", "certification_renewed", "my own words"])
def test_a_reason_that_only_the_system_gives_cannot_be_put_on_by_hand(
    world: World, bo: Session, owner: Session, reason: str
) -> None:
    pause(bo, world.ada)
    announce(bo, f'{{"reason": "{reason}"}}')
    with refused(BAD_ARGUMENT):
        bo.execute("update public.peer_mentors set status = 'active' where id = %s", (world.ada.mentor_id,))
    assert status_of(owner, world.ada) == "paused"


@pytest.mark.parametrize("reason", ["certification_expired", "return_date_reached", "my own words"])
def test_a_plain_pause_cannot_give_a_reason_of_the_system(
    world: World, bo: Session, owner: Session, reason: str
) -> None:
    with refused(BAD_ARGUMENT):
        bo.execute(
            "update public.peer_mentors set status = 'paused', pause_reason = %s where id = %s",
            (reason, world.ada.mentor_id),
        )
    assert status_of(owner, world.ada) == "active"


def test_a_reason_slipped_in_by_returning_is_judged_like_any_other(
    world: World, bo: Session, owner: Session
) -> None:
    pause(bo, world.ada)
    with refused(BAD_ARGUMENT):
        bo.execute(
            "update public.peer_mentors set status = 'active' where id = %s"
            """ returning set_config('peerpause.change', '{"reason": "resignation_step"}', true)""",
            (world.ada.mentor_id,),
        )
    assert status_of(owner, world.ada) == "paused"


def test_a_pause_cannot_be_made_to_have_begun_long_ago(world: World, bo: Session, owner: Session) -> None:
    with refused(BAD_ARGUMENT):
        bo.execute(
            "update public.peer_mentors set status = 'paused', pause_reason = 'illness',"
            " pause_at = now() - interval '1 day' where id = %s",
            (world.ada.mentor_id,),
        )
    assert status_of(owner, world.ada) == "active"


def test_an_actor_slipped_in_by_returning_does_not_reach_the_history(
    world: World, bo: Session, owner: Session
) -> None:
    bo.execute(
        "update public.peer_mentors set status = 'paused', pause_reason = 'illness' where id = %s"
        " returning set_config('peerpause.change', %s, true)",
        (world.ada.mentor_id, f'{{"actor_id": "{world.dag.user_id}"}}'),
    )
    assert trail(owner, world.ada)[-1].changed_by == world.bo.user_id


def test_a_user_cannot_act_as_the_system(world: World, ada: Session, owner: Session) -> None:
    with refused(NOT_YOURS):
        update_status(ada, world.ada, "paused", None, "illness")
    assert status_of(owner, world.ada) == "active"


def test_a_role_named_only_in_the_token_gives_no_rights(database: Database, world: World) -> None:
    with person_session(database, world.ada) as ada:
        ada.execute(
            "select set_config('request.jwt.claims', %s, false)",
            (f'{{"sub": "{world.ada.user_id}", "role": "service_role"}}',),
        )
        with refused(NOT_YOURS):
            update_status(ada, world.ada, "paused", None, "illness")
        with refused(NOT_YOURS):
            pause(ada, world.greta)


def test_who_logs_in_as_a_person_only_cannot_take_a_higher_role(
    database: Database, world: World, owner: Session
) -> None:
    login = f"login_{uuid4().hex[:8]}"
    owner.execute(sql.SQL("create role {} login in role authenticated").format(sql.Identifier(login)))
    try:
        with psycopg.connect(database.url_as(login), autocommit=True) as session:
            session.execute("set role authenticated")
            for role in ("service_role", "postgres"):
                with refused(NOT_YOURS):
                    session.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
                with refused(NOT_YOURS):
                    session.execute("select set_config('role', %s, true)", (role,))
                with refused(NOT_YOURS):
                    session.execute(sql.SQL("set session authorization {}").format(sql.Identifier(role)))
    finally:
        owner.execute(sql.SQL("drop role {}").format(sql.Identifier(login)))


def test_row_security_cannot_be_switched_off(shared_world: World, shared_bo: Session) -> None:
    shared_bo.execute("set row_security = off")
    with refused(NOT_YOURS):
        shared_bo.execute("update public.peer_mentors set pause_note = 'x'")
    with refused(NOT_YOURS):
        shared_bo.execute("select * from public.peer_mentors")


def test_triggers_cannot_be_switched_off(shared_bo: Session) -> None:
    with refused(NOT_YOURS):
        shared_bo.execute("set session_replication_role = replica")
    with refused(NOT_YOURS):
        shared_bo.execute("alter table public.peer_mentors disable trigger user")


@pytest.mark.parametrize(
    "facts",
    [
        "pause_note = 'other words'",
        "pause_reason = 'travel'",
        "pause_at = now()",
        "expected_return_on = null",
    ],
)
def test_the_facts_of_a_running_pause_are_not_edited_past_the_audit(
    world: World, bo: Session, facts: LiteralString
) -> None:
    pause(bo, world.ada, p_note="words", p_expected_return_on=date.today() + timedelta(days=9))
    with refused(NOT_YOURS):
        bo.execute(sql.SQL("update public.peer_mentors set {}").format(sql.SQL(facts)))


def test_a_plain_pause_keeps_to_the_calendar(world: World, bo: Session) -> None:
    with refused(BAD_ARGUMENT):
        bo.execute(
            "update public.peer_mentors set status = 'paused', pause_reason = 'illness', expected_return_on = %s"
            " where id = %s",
            (_LONG_AGO, world.ada.mentor_id),
        )
    with refused(BAD_ARGUMENT):
        bo.execute(
            "update public.peer_mentors set status = 'paused', pause_reason = 'illness',"
            " pause_at = now() + interval '1 day' where id = %s",
            (world.ada.mentor_id,),
        )


def test_a_mentor_cannot_change_the_own_row_directly(world: World, ada: Session, owner: Session) -> None:
    changed = ada.execute(
        "update public.peer_mentors set status = 'paused', pause_reason = 'illness' where id = %s",
        (world.ada.mentor_id,),
    )
    assert changed.rowcount == 0
    assert status_of(owner, world.ada) == "active"


def test_tables_of_ones_own_do_not_stand_in_for_ours(world: World, ada: Session, owner: Session) -> None:
    """Whoever shadowed `peer_mentors` or `coordinator_roles` could otherwise make themselves anybody's coordinator."""
    ada.execute(
        "create temp table peer_mentors as select %s::uuid as id, %s::uuid as user_id",
        (world.greta.mentor_id, world.ada.user_id),
    )
    ada.execute(
        "create temp table coordinator_roles as select %s::uuid as chapter_id, %s::uuid as user_id, true as active",
        (world.elsewhere.chapter_id, world.ada.user_id),
    )
    ada.execute("create temp table organisation_admins as select * from coordinator_roles")
    ada.execute("set search_path = pg_temp")
    with refused(NOT_YOURS):
        pause(ada, world.greta)
    with refused(NOT_YOURS):
        call(ada, "list_chapter_mentors", p_chapter_id=world.elsewhere.chapter_id)
    pause(ada, world.ada)
    assert moves(owner, world.ada) == [(None, "active"), ("active", "paused")]


@pytest.mark.parametrize("type_name", ["uuid", "text", "jsonb", "date", "timestamptz", "mentor_status"])
def test_types_of_ones_own_do_not_run_code_with_our_rights(
    database: Database, world: World, type_name: str
) -> None:
    """PostgreSQL looks for types in the temporary schema first, unless a function's search_path names it last."""
    name = sql.Identifier(type_name)
    real = (
        sql.SQL("public.mentor_status")
        if type_name == "mentor_status"
        else sql.SQL("pg_catalog.{}").format(name)
    )
    with person_session(database, world.bo) as bo:
        bo.execute(
            sql.SQL(
                "create function pg_temp.spy({0}) returns boolean language plpgsql as $$"
                " begin raise exception 'run as %', current_user using errcode = 'XX999'; end $$"
            ).format(real)
        )
        bo.execute(sql.SQL("create domain pg_temp.{0} as {1} check (pg_temp.spy(value))").format(name, real))
        run_everything(bo, world)


def test_operators_and_functions_of_ones_own_are_not_used(world: World, ada: Session, owner: Session) -> None:
    ada.execute("create temp table anything ()")
    for function in ("now()", "clock_timestamp()", "btrim(text)", "current_setting(text, boolean)"):
        ada.execute(
            sql.SQL(
                "create function pg_temp.{} returns text language plpgsql as $$"
                " begin raise exception 'mine' using errcode = 'XX999'; end $$"
            ).format(sql.SQL(function))
        )
    ada.execute("set search_path = pg_temp, pg_catalog")
    pause(ada, world.ada)
    assert status_of(owner, world.ada) == "paused"


def test_each_function_that_holds_our_rights_names_the_temporary_schema_last(owner: Session) -> None:
    rows = owner.execute(
        "select p.oid::regprocedure::text as name from pg_proc as p"
        " where p.pronamespace in ('public'::regnamespace, 'peerpause'::regnamespace)"
        " and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')"
        " and (p.prosecdef or p.prolang = (select oid from pg_language where lanname = 'plpgsql'))"
        " and not 'search_path=pg_catalog, pg_temp' = any(coalesce(p.proconfig, '{}'))"
    ).fetchall()
    assert rows == []


@pytest.mark.parametrize("sub", ["ada", "", "1; drop table public.peer_mentors", "{}", "00000000"])
def test_a_token_whose_subject_is_no_uuid_is_refused_in_words(
    module_database: Database, shared_world: World, sub: str
) -> None:
    with psycopg.connect(module_database.url_as("authenticated", sub=sub), autocommit=True) as session:
        with pytest.raises(psycopg.Error) as refusal:
            session.execute(
                "select * from public.rpc_pause_mentor(%s, 'illness')", (shared_world.ada.mentor_id,)
            )
        assert refusal.value.sqlstate == "22P02"


def test_a_token_without_a_subject_is_nobody(database: Database, world: World) -> None:
    with psycopg.connect(database.url_as("authenticated"), autocommit=True) as session:
        assert session.execute("select count(*) from public.peer_mentors").fetchone() == (0,)
        with refused(NOT_YOURS):
            session.execute("select public.run_certification_expiry()")
        with refused(NOT_YOURS):
            session.execute("select public.register_device_token('token-of-mine', 'web')")
        with refused(NOT_YOURS):
            session.execute("select * from public.rpc_pause_mentor(%s, 'illness')", (world.ada.mentor_id,))


def test_junk_in_our_setting_does_not_stop_the_functions(world: World, ada: Session, owner: Session) -> None:
    announce(ada, "neither JSON nor anything")
    pause(ada, world.ada)
    assert status_of(owner, world.ada) == "paused"


def test_our_setting_is_gone_once_a_function_is_done(world: World, ada: Session) -> None:
    with ada.transaction():
        pause(ada, world.ada, p_note="words")
        row = ada.execute("select current_setting('peerpause.change', true) as change").fetchone()
        assert row == {"change": ""}


def run_everything(session: Session, world: World) -> None:
    """Call every function that people may call, and the trigger by a plain update; none of the calls is refused."""
    pause(session, world.ada, p_note="x", p_idempotency_key="1")
    reactivate(session, world.ada, p_reason="returned")
    session.execute("update public.peer_mentors set status = 'paused', pause_reason = 'illness'")
    update_status(session, world.ada, "active", world.bo, None)
    pause(session, world.ada, p_pause_at=f"{date.today() + timedelta(days=3)} 12:00")
    call(session, "rpc_cancel_scheduled_pause", p_mentor_id=world.ada.mentor_id)
    call(session, "get_mentor_status", p_mentor_id=world.ada.mentor_id)
    call(session, "get_mentor_status_history", p_mentor_id=world.ada.mentor_id)
    call(session, "list_chapter_mentors", p_chapter_id=world.north.chapter_id)
    call(session, "public_chapter_roster", p_chapter_id=world.north.chapter_id)
    call(session, "register_device_token", p_token="token-of-mine", p_platform="web")
    call(session, "release_device_token", p_token="token-of-mine")
    call(session, "run_certification_expiry")
    deactivate(session, world.ada, p_note="x")
    status = session.execute(
        "select status from public.peer_mentors where id = %s", (world.ada.mentor_id,)
    ).fetchone()
    assert status == {"status": "inactive"}
