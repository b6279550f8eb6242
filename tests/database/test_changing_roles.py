"""Roles come from tables, not from tokens: whoever gains or loses one is obeyed or refused at once, in the same session."""

from __future__ import annotations

import psycopg

from tests.cast import World, add_coordinator, add_mentor
from tests.database.acting import (
    NO_SUCH_MENTOR,
    NOT_YOURS,
    Session,
    call,
    moves,
    pause,
    person_session,
    reactivate,
    refused,
    status_of,
    trail,
)
from tests.servers import Database


def test_a_coordinator_removed_is_refused_at_once_in_the_same_session(
    database: Database, world: World, owner: Session
) -> None:
    with person_session(database, world.bo) as bo:
        pause(bo, world.ada)
        owner.execute(
            "update public.coordinator_roles set active = false where user_id = %s", (world.bo.user_id,)
        )
        with refused(NOT_YOURS):
            reactivate(bo, world.ada)
        with refused(NO_SUCH_MENTOR):
            call(bo, "get_mentor_status", p_mentor_id=world.ada.mentor_id)
        with refused(NOT_YOURS):
            call(bo, "list_chapter_mentors", p_chapter_id=world.north.chapter_id)
        with refused(NOT_YOURS):
            call(bo, "run_certification_expiry")
        assert bo.execute("select from public.peer_mentors").fetchall() == []
        assert bo.execute("update public.peer_mentors set status = 'active'").rowcount == 0
        owner.execute(
            "update public.coordinator_roles set active = true where user_id = %s", (world.bo.user_id,)
        )
        reactivate(bo, world.ada)


def test_an_admin_removed_is_refused_at_once(database: Database, world: World, owner: Session) -> None:
    with person_session(database, world.dag) as dag:
        pause(dag, world.ada)
        owner.execute("update public.organisation_admins set active = false")
        with refused(NOT_YOURS):
            reactivate(dag, world.ada)
        assert dag.execute("select from public.peer_mentors").fetchall() == []


def test_a_mentor_who_moves_to_another_chapter_changes_coordinators(
    database: Database, world: World, owner: Session
) -> None:
    owner.execute(
        "update public.chapter_memberships set chapter_id = %s where mentor_id = %s",
        (world.south.chapter_id, world.ada.mentor_id),
    )
    with person_session(database, world.bo) as bo, refused(NOT_YOURS):
        pause(bo, world.ada)
    with person_session(database, world.cy) as cy:
        pause(cy, world.ada)
    assert trail(owner, world.ada)[-1].changed_by == world.cy.user_id


def test_coordinators_of_each_of_a_mentors_chapters_change_the_one_status(
    database: Database, world: World, owner: Session
) -> None:
    with person_session(database, world.bo) as bo, person_session(database, world.cy) as cy:
        pause(bo, world.finn)
        reactivate(cy, world.finn)
    assert [change.changed_by for change in trail(owner, world.finn)[1:]] == [
        world.bo.user_id,
        world.cy.user_id,
    ]


def test_a_mentor_of_two_organisations_has_a_status_in_each(
    database: Database, world: World, owner: Session
) -> None:
    with psycopg.connect(database.url) as connection:
        other = add_mentor(connection, "Ada", chapters=[world.elsewhere])
    owner.execute(
        "update public.peer_mentors set user_id = %s where id = %s", (world.ada.user_id, other.mentor_id)
    )
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada)
        assert {
            row["status"] for row in ada.execute("select status from public.peer_mentors").fetchall()
        } == {
            "active",
            "paused",
        }
        pause(ada, other)
    assert moves(owner, other) == [(None, "active"), ("active", "paused")]
    with person_session(database, world.bo) as bo, refused(NOT_YOURS):
        reactivate(bo, other)


def test_a_mentor_who_coordinates_another_chapter_answers_for_both(
    database: Database, world: World, owner: Session
) -> None:
    owner.execute(
        "insert into public.coordinator_roles (organisation_id, chapter_id, user_id) values (%s, %s, %s)",
        (world.organisation_id, world.south.chapter_id, world.ada.user_id),
    )
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada)
        pause(ada, world.finn)
        # A plain update reaches Finn, whom Ada coordinates, and not Ada's own row.
        assert ada.execute("update public.peer_mentors set status = 'active'").rowcount == 1
    assert (status_of(owner, world.ada), status_of(owner, world.finn)) == ("paused", "active")


def test_a_mentor_without_a_chapter_is_the_admins(database: Database, world: World, owner: Session) -> None:
    owner.execute("delete from public.chapter_memberships")
    with person_session(database, world.bo) as bo, refused(NOT_YOURS):
        pause(bo, world.ada)
    with person_session(database, world.dag) as dag:
        pause(dag, world.ada)


def test_a_mentor_without_an_account_is_nobodys_own(database: Database, world: World, owner: Session) -> None:
    owner.execute("update public.peer_mentors set user_id = null")
    for person in (world.ada.user_id, world.stranger_id):
        with person_session(database, person) as session, refused(NOT_YOURS):
            pause(session, world.ada)
    with person_session(database, world.bo) as bo:
        pause(bo, world.ada)


def test_an_inactive_role_in_one_chapter_does_not_hide_an_active_one_in_another(
    database: Database, world: World
) -> None:
    with psycopg.connect(database.url) as connection:
        ida = add_coordinator(connection, "Ida", chapters=[world.north, world.south])
        connection.execute(
            "update public.coordinator_roles set active = false where user_id = %s and chapter_id = %s",
            (ida.user_id, world.north.chapter_id),
        )
    with person_session(database, ida) as session:
        with refused(NOT_YOURS):
            pause(session, world.ada)
        pause(session, world.finn)
