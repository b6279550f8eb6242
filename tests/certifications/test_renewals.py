"""Renewals and overrides: who may record them, what they bring back, and what stays as it is."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from peerpause.certifications.expiry import CertificationExpiryJob
from peerpause.certifications.renewals import grant_override, record_renewal
from peerpause.database.session import Claims, Service, Sessions
from peerpause.errors import InvalidArgument, PermissionDenied
from peerpause.notifications.outbox import Outbox
from tests.cast import Person, World
from tests.certifications.time_travel import Owner, certify, move_clock, today_in
from tests.database.acting import (
    NOT_YOURS,
    mentor_row,
    moves,
    person_session,
    reactivate,
    refused,
    status_of,
    trail,
)
from tests.servers import Database


@pytest.fixture
def today(owner: Owner, world: World) -> date:
    """Today where the organisation is, on the day after Ada's certificate ran out."""
    today = today_in(owner)
    certify(owner, world.ada, today - timedelta(days=1))
    return today


def as_person(person: Person) -> Claims:
    """The caller a person is."""
    return Claims(user_id=person.user_id)


async def test_a_renewal_ends_the_pause_that_was_for_the_certificate(
    job: CertificationExpiryJob, sessions: Sessions, world: World, owner: Owner, today: date
) -> None:
    await job.run()
    renewal = await record_renewal(
        sessions,
        as_person(world.bo),
        world.ada.mentor_id,
        issued_on=today,
        expires_on=today + timedelta(days=365),
    )
    assert (renewal.reactivated, renewal.status, renewal.kind) == (True, "active", "peer_mentor")
    last = trail(owner, world.ada)[-1]
    assert (last.new_status, last.reason, last.changed_by) == (
        "active",
        "certification_renewed",
        world.bo.user_id,
    )
    (row,) = owner.execute("select * from public.certification_renewals").fetchall()
    assert (row["ended_pause"], row["recorded_by"]) == (True, world.bo.user_id)
    assert (row["previous_expires_on"], row["certification_id"]) == (
        today - timedelta(days=1),
        renewal.certification_id,
    )


async def test_a_pause_of_their_own_stays_a_pause(
    database: Database,
    job: CertificationExpiryJob,
    sessions: Sessions,
    world: World,
    owner: Owner,
    today: date,
) -> None:
    with person_session(database, world.ada) as ada:
        ada.execute("select public.rpc_pause_mentor(%s, 'illness')", (world.ada.mentor_id,))
    await job.run()
    renewal = await record_renewal(
        sessions, as_person(world.bo), world.ada.mentor_id, issued_on=today, expires_on=None
    )
    assert (renewal.reactivated, renewal.status) == (False, "paused")
    assert mentor_row(owner, world.ada)["pause_reason"] == "illness"


async def test_the_pause_lasts_until_nothing_required_is_lapsed(
    job: CertificationExpiryJob, sessions: Sessions, world: World, owner: Owner, today: date
) -> None:
    owner.execute(
        "update public.organisations set required_certification_kinds = '{peer_mentor,first_aid}' where id = %s",
        (world.organisation_id,),
    )
    certify(owner, world.ada, today - timedelta(days=3), "first_aid")
    await job.run()
    reactivated = [
        (
            await record_renewal(
                sessions, Service(), world.ada.mentor_id, issued_on=today, expires_on=None, kind=kind
            )
        ).reactivated
        for kind in ("peer_mentor", "first_aid")
    ]
    assert reactivated == [False, True]


async def test_the_mentor_is_told_once_either_way(
    job: CertificationExpiryJob, sessions: Sessions, world: World, owner: Owner, today: date
) -> None:
    await job.run()
    for mentor in (world.ada, world.finn):
        await record_renewal(
            sessions, as_person(world.bo), mentor.mentor_id, issued_on=today, expires_on=None
        )
    await Outbox(sessions=sessions).tell_changes()
    told = owner.execute(
        "select recipient_id, payload ->> 'previous_status' as previous, payload ->> 'actor_id' as actor"
        " from public.notifications where event = 'certification_renewed' and about_self"
    ).fetchall()
    actor = str(world.bo.user_id)
    assert {(row["recipient_id"], row["previous"], row["actor"]) for row in told} == {
        (world.ada.user_id, "paused", actor),
        (world.finn.user_id, "active", actor),
    }
    assert len(told) == 2


async def test_the_same_key_records_it_once(
    sessions: Sessions, world: World, owner: Owner, today: date
) -> None:
    arguments: dict[str, Any] = {"issued_on": today, "expires_on": None, "idempotency_key": "renewal-1"}
    first = await record_renewal(sessions, as_person(world.bo), world.ada.mentor_id, **arguments)
    second = await record_renewal(sessions, as_person(world.bo), world.ada.mentor_id, **arguments)
    assert first == second
    assert len(owner.execute("select from public.certification_renewals").fetchall()) == 1
    with pytest.raises(InvalidArgument):
        await record_renewal(
            sessions, as_person(world.bo), world.ada.mentor_id, **(arguments | {"expires_on": today})
        )


@pytest.mark.parametrize(
    ("issued", "expires"),
    [(1, 400), (-400, -1), (-1, -2)],
    ids=["from tomorrow", "over already", "backwards"],
)
async def test_dates_that_make_no_valid_certificate_are_refused(
    sessions: Sessions, world: World, today: date, issued: int, expires: int
) -> None:
    with pytest.raises(InvalidArgument):
        await record_renewal(
            sessions,
            as_person(world.bo),
            world.ada.mentor_id,
            issued_on=today + timedelta(days=issued),
            expires_on=today + timedelta(days=expires),
        )


async def test_nobody_renews_their_own_certificate(
    sessions: Sessions, world: World, owner: Owner, today: date
) -> None:
    owner.execute(
        "insert into public.coordinator_roles (organisation_id, chapter_id, user_id) values (%s, %s, %s)",
        (world.organisation_id, world.north.chapter_id, world.ada.user_id),
    )
    with pytest.raises(PermissionDenied):
        await record_renewal(
            sessions, as_person(world.ada), world.ada.mentor_id, issued_on=today, expires_on=None
        )
    await record_renewal(
        sessions, as_person(world.ada), world.finn.mentor_id, issued_on=today, expires_on=None
    )


@pytest.mark.parametrize("who", ["ada", "cy", "finn", "eva"])
async def test_strangers_record_nothing(
    sessions: Sessions, world: World, owner: Owner, today: date, who: str
) -> None:
    with pytest.raises(PermissionDenied):
        await record_renewal(
            sessions, as_person(getattr(world, who)), world.ada.mentor_id, issued_on=today, expires_on=None
        )
    assert not owner.execute("select from public.certification_renewals").fetchall()


async def test_without_a_valid_certificate_nobody_comes_back_but_by_an_override(
    database: Database,
    job: CertificationExpiryJob,
    sessions: Sessions,
    world: World,
    owner: Owner,
    today: date,
) -> None:
    await job.run()
    with person_session(database, world.bo) as bo:
        with refused("P0001") as caught:
            reactivate(bo, world.ada)
        assert caught.value.diag.message_hint == "certification_expired"
        await grant_override(
            sessions,
            as_person(world.dag),
            world.ada.mentor_id,
            justification="Course is booked for next week",
            valid_until=today + timedelta(days=2),
        )
        reactivate(bo, world.ada)
    assert (await job.run()).queried == 0
    move_clock(owner, timedelta(days=2))
    assert (await job.run()).queried == 0
    move_clock(owner, timedelta(days=3))
    assert (await job.run()).paused == 1
    assert status_of(owner, world.ada) == "paused"
    assert len(moves(owner, world.ada)) == 4


@pytest.mark.parametrize("who", ["bo", "ada", "eva"])
async def test_only_the_organisations_admins_grant_overrides(
    sessions: Sessions, world: World, today: date, who: str
) -> None:
    with pytest.raises(PermissionDenied):
        await grant_override(
            sessions,
            as_person(getattr(world, who)),
            world.ada.mentor_id,
            justification="because I say so",
            valid_until=today,
        )


@pytest.mark.parametrize(
    ("justification", "days"), [("too short", 3), ("a good long reason", -1), ("a good long reason", 400)]
)
async def test_an_override_needs_a_justification_and_an_end(
    sessions: Sessions, world: World, today: date, justification: str, days: int
) -> None:
    with pytest.raises(InvalidArgument):
        await grant_override(
            sessions,
            as_person(world.dag),
            world.ada.mentor_id,
            justification=justification,
            valid_until=today + timedelta(days=days),
        )


@pytest.mark.parametrize("table", ["certification_renewals", "certification_overrides"])
async def test_what_was_recorded_stays_recorded(
    sessions: Sessions, world: World, owner: Owner, today: date, table: str
) -> None:
    await record_renewal(sessions, Service(), world.ada.mentor_id, issued_on=today, expires_on=None)
    await grant_override(
        sessions, Service(), world.ada.mentor_id, justification="a good long reason", valid_until=today
    )
    for statement in (
        f"update public.{table} set mentor_id = mentor_id",
        f"delete from public.{table}",
        f"truncate public.{table}",
    ):
        with refused(NOT_YOURS):
            owner.execute(statement.encode())
