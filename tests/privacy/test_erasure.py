"""Who was erased is nowhere in the database, and everything that counts still adds up."""

from __future__ import annotations

import dataclasses
import json
from uuid import uuid4

import psycopg
import pytest

from peerpause.database.session import Claims, Service, Sessions
from peerpause.errors import InvalidArgument, NotFound, PermissionDenied
from peerpause.privacy.personal_data import PersonalData, read_erasure
from tests.audit.recording import tell, verify
from tests.cast import Person, World, add_mentor, make_admin
from tests.database.acting import (
    Session,
    count,
    moves,
    owner_session,
    person_session,
    status_of,
)
from tests.privacy.scan import places_that_hold
from tests.servers import Database

TRACES_OF_ADA = ("zebrafish", "ada hansen", "ada@example.org")
TRACES_OF_BO = ("wildebeest", "bo hansen", "bo@example.org")


@pytest.fixture
def admin(world: World) -> Claims:
    return Claims(user_id=world.dag.user_id)


async def test_nothing_says_who_ada_was(database: Database, world: World, data: PersonalData) -> None:
    with owner_session(database) as owner:
        assert len(places_that_hold(owner, [*TRACES_OF_ADA, str(world.ada.user_id)])) > 12
        before = _counts(owner)
        erasure = await data.erase(Service(), world.ada.mentor_id, apply=True)
        await tell(database)
        assert places_that_hold(owner, [*TRACES_OF_ADA, str(world.ada.user_id)]) == set()
        assert places_that_hold(owner, [str(erasure.pseudonym)]) >= {
            "peer_mentors.user_id",
            "peer_mentor_status_history.changed_by",
            "audit_chain.pseudonym",
            "erasures.pseudonym",
        }
        after = _counts(owner)
    # She was away and has left, by two legal steps; everything else recorded is still there.
    assert after.pop("history") - before.pop("history") == 2
    assert after == before
    assert (await verify(database, world)).ok


async def test_nothing_says_who_bo_was(database: Database, world: World, data: PersonalData) -> None:
    with owner_session(database) as owner:
        assert len(places_that_hold(owner, [*TRACES_OF_BO, str(world.bo.user_id)])) > 6
        before = _counts(owner)
        erasure = await data.erase(Service(), world.bo.user_id, apply=True)
        assert places_that_hold(owner, [*TRACES_OF_BO, str(world.bo.user_id)]) == set()
        assert _counts(owner) == before
        assert (
            count(
                owner,
                "select count(*) from public.peer_mentor_status_history where changed_by = %s",
                erasure.pseudonym,
            )
            == 2
        )
    assert (await verify(database, world)).ok


async def test_nothing_says_who_the_admin_was(database: Database, world: World, data: PersonalData) -> None:
    await data.erase(
        Claims(user_id=world.dag.user_id),
        world.ada.mentor_id,
        organisation_id=world.organisation_id,
        apply=True,
    )
    await data.erase(Service(), world.dag.user_id, apply=True)
    with owner_session(database) as owner:
        assert places_that_hold(owner, ["dag hansen", "dag@example.org", str(world.dag.user_id)]) == set()
    assert (await verify(database, world)).ok


async def test_a_mentor_leaves_by_the_legal_steps_and_the_coordinators_are_told(
    database: Database, world: World, data: PersonalData
) -> None:
    await data.erase(Service(), world.finn.mentor_id, apply=True)
    await tell(database)
    with owner_session(database) as owner:
        assert status_of(owner, world.finn) == "inactive"
        assert moves(owner, world.finn)[-2:] == [("paused", "active"), ("active", "inactive")]
    with person_session(database, world.bo) as bo:
        (newest, *_) = bo.execute(
            "select payload from public.notifications order by created_at desc"
        ).fetchall()
    assert newest["payload"]["new_status"] == "inactive"
    assert newest["payload"]["display_name"].startswith("Slettet person ")


async def test_a_look_beforehand_changes_nothing_and_says_what_would_happen(
    database: Database, world: World, data: PersonalData
) -> None:
    with owner_session(database) as owner:
        before = places_that_hold(owner, TRACES_OF_ADA)
        seen = await data.erase(Service(), world.ada.mentor_id)
        assert (seen.applied, seen.pseudonym) == (False, None)
        assert places_that_hold(owner, TRACES_OF_ADA) == before
        assert status_of(owner, world.ada) == "paused"
    done = await data.erase(Service(), world.ada.mentor_id, apply=True)
    assert done.counts == seen.counts
    assert done.counts["notes"] == 4  # of two pauses, a renewal and an override


async def test_erasing_again_does_nothing_and_keeps_the_pseudonym(world: World, data: PersonalData) -> None:
    first = await data.erase(Service(), world.ada.mentor_id, apply=True)
    for person_id in (world.ada.mentor_id, world.ada.user_id):
        again = await data.erase(Service(), person_id, apply=True)
        assert (again.pseudonym, again.repeated, again.counts) == (first.pseudonym, True, {})
    assert len(await data.erasures(Service())) == 1


async def test_what_an_import_brings_back_is_erased_under_the_same_pseudonym(
    database: Database, world: World, data: PersonalData
) -> None:
    first = await data.erase(Service(), world.ada.mentor_id, apply=True)
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "update public.peer_mentors set display_name = 'Ada Hansen' where id = %s", (world.ada.mentor_id,)
        )
    again = await data.erase(Service(), world.ada.mentor_id, apply=True)
    assert (again.pseudonym, again.counts) == (first.pseudonym, {"peer_mentors": 1})


async def test_an_admin_erases_within_the_own_organisation_only(
    database: Database, world: World, data: PersonalData, admin: Claims
) -> None:
    """Ada is a mentor of the other organisation too, and is known there as before."""
    with psycopg.connect(database.url) as connection:
        there = add_mentor(connection, "Ada", chapters=[world.elsewhere])
        connection.execute(
            "update public.peer_mentors set user_id = %s where id = %s", (world.ada.user_id, there.mentor_id)
        )
    await data.erase(admin, world.ada.user_id, organisation_id=world.organisation_id, apply=True)
    with owner_session(database) as owner:
        rows = owner.execute(
            "select organisation_id from public.peer_mentors where user_id = %s", (world.ada.user_id,)
        ).fetchall()
        assert [row["organisation_id"] for row in rows] == [world.other_organisation_id]
        assert count(owner, "select count(*) from public.people where user_id = %s", world.ada.user_id) == 1
        assert (
            count(owner, "select count(*) from public.device_tokens where user_id = %s", world.ada.user_id)
            == 1
        )
        assert places_that_hold(owner, ["zebrafish in hospital"]) == set()


@pytest.mark.parametrize("who", ["ada", "bo", "cy", "eva"])
async def test_nobody_else_exports_or_erases(world: World, data: PersonalData, who: str) -> None:
    caller = Claims(user_id=getattr(world, who).user_id)
    for act in (data.export, data.erase):
        for organisation_id in (world.organisation_id, None):
            with pytest.raises(PermissionDenied):
                await act(caller, world.finn.mentor_id, organisation_id=organisation_id)
    with pytest.raises(PermissionDenied):
        await data.erasures(caller, organisation_id=world.organisation_id)
    with pytest.raises(PermissionDenied):
        await data.erasures(caller)


async def test_an_admin_finds_nobody_of_another_organisation(
    world: World, data: PersonalData, admin: Claims
) -> None:
    for person in (world.greta.mentor_id, world.greta.user_id, world.eva.user_id, uuid4()):
        for act in (data.export, data.erase):
            with pytest.raises(NotFound):
                await act(admin, person, organisation_id=world.organisation_id)
            with pytest.raises(PermissionDenied):
                await act(admin, person, organisation_id=world.other_organisation_id)


async def test_a_visitor_is_sent_away(world: World, data: PersonalData) -> None:
    with pytest.raises(PermissionDenied):
        await data.export(Claims(), world.ada.user_id)


async def test_who_was_erased_is_erased_again_after_an_old_backup(
    database: Database, world: World, server_copy: Database, data: PersonalData
) -> None:
    """The copy is the backup: in it Ada and Bo are still there."""
    for person in (world.ada.user_id, world.bo.user_id):
        await data.erase(Service(), person, apply=True)
    listed = await data.erasures(Service())
    kept = [dataclasses.asdict(each) for each in listed]
    entries = [read_erasure(_through_json(entry)) for entry in kept]
    assert tuple(entries) == listed

    async with Sessions(url=server_copy.url, size=1) as sessions:
        restored = PersonalData(sessions=sessions)
        seen = await restored.reapply(entries)
        with owner_session(server_copy) as owner:
            assert places_that_hold(owner, TRACES_OF_ADA)
            done = await restored.reapply(entries, apply=True)
            # Of what quotes both, the first of them takes the rest along.
            assert done[0].counts == seen[0].counts
            assert all(each.counts for each in done)
            ids = [str(world.ada.user_id), str(world.bo.user_id)]
            assert places_that_hold(owner, [*TRACES_OF_ADA, *TRACES_OF_BO, *ids]) == set()
        assert [each.counts for each in await restored.reapply(entries, apply=True)] == [{}, {}]
        assert [each.pseudonym for each in await restored.erasures(Service())] == [
            each.pseudonym for each in listed
        ]
    assert (await verify(server_copy, world)).ok


@pytest.mark.parametrize(
    "entry", [None, [], {}, {"pseudonym": "x"}, {"pseudonym": None, "organisation_id": None}]
)
def test_what_is_no_entry_of_the_list_is_refused(entry: object) -> None:
    with pytest.raises(InvalidArgument, match="not an entry"):
        read_erasure(entry)


async def test_somebody_without_any_part_who_changed_things_can_be_erased(
    database: Database, world: World, data: PersonalData
) -> None:
    """Bo's role is long gone, the entry in the directory too; the history still names Bo."""
    with psycopg.connect(database.url) as connection:
        connection.execute("delete from public.coordinator_roles where user_id = %s", (world.bo.user_id,))
        connection.execute("delete from public.people where user_id = %s", (world.bo.user_id,))
    done = await data.erase(
        Claims(user_id=world.dag.user_id), world.bo.user_id, organisation_id=world.organisation_id, apply=True
    )
    assert done.counts["records"] == 3  # two changes and a renewal


async def test_an_admin_who_is_erased_is_an_admin_no_more(
    database: Database, world: World, data: PersonalData
) -> None:
    with psycopg.connect(database.url) as connection:
        make_admin(connection, Person(world.bo.user_id, "Bo"), world.organisation_id)
    bo = Claims(user_id=world.bo.user_id)
    await data.erase(bo, world.bo.user_id, organisation_id=world.organisation_id, apply=True)
    with pytest.raises(PermissionDenied):
        await data.erasures(bo, organisation_id=world.organisation_id)


def _counts(owner: Session) -> dict[str, int]:
    """How much there is of what must not become less."""
    return {
        "history": count(owner, "select count(*) from public.peer_mentor_status_history"),
        "mentors": count(owner, "select count(*) from public.peer_mentors"),
        "memberships": count(owner, "select count(*) from public.chapter_memberships"),
        "certificates": count(owner, "select count(*) from public.certifications"),
        "renewals": count(owner, "select count(*) from public.certification_renewals"),
        "overrides": count(owner, "select count(*) from public.certification_overrides"),
        "runs": count(owner, "select count(*) from public.job_runs"),
    }


def _through_json(entry: dict[str, object]) -> object:
    return json.loads(json.dumps(entry, default=str))
