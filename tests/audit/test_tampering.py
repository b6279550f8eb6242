"""Somebody who owns the tables rewrites the past, with every trigger switched off, and the chain tells."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString

import psycopg
import pytest

from peerpause.database.session import Service, Sessions, Step
from tests.audit.recording import codes, tell, verify
from tests.cast import World, build_world
from tests.database.acting import (
    NOT_YOURS,
    Session,
    count,
    owner_session,
    pause,
    person_session,
    reactivate,
    refused,
    service_session,
)
from tests.servers import Database


@pytest.fixture
async def world(database: Database) -> World:
    """The cast; Ada was away and is back, Finn is away, with a note each; an override was granted. All of it is chained."""
    world = build_world(database.url)
    with person_session(database, world.ada) as ada, person_session(database, world.bo) as bo:
        pause(ada, world.ada, p_note="in hospital")
        pause(bo, world.finn, "travel", p_note="to the sea")
        reactivate(ada, world.ada)
    with person_session(database, world.dag) as dag:
        dag.execute(
            "select public.grant_certification_override(%s, 'the course was moved', current_date + 7)",
            (world.ada.mentor_id,),
        )
    await tell(database)
    return world


@contextmanager
def tampering(database: Database) -> Iterator[Session]:
    """The owner, for whom no trigger fires."""
    with owner_session(database) as owner:
        owner.execute("set session_replication_role = replica")
        yield owner


_PAUSE_OF_ADA = "h.mentor_id = %(ada)s and h.new_status = 'paused'"


async def test_what_happened_as_it_should_agrees(database: Database, world: World) -> None:
    report = await verify(database, world)
    assert report.findings == ()
    assert (report.waiting, report.adopted) == (0, 0)
    assert report.links == report.place == 6  # two mentors begin, three changes, an override


@pytest.mark.parametrize(
    "change",
    [
        "reason = 'travel'",
        "note = 'on holiday'",
        "note = null",
        "changed_by = gen_random_uuid()",
        "changed_by = null",
        "changed_at = changed_at - interval '1 second'",
        "expected_return_on = '2030-01-01'",
        "job_run_id = gen_random_uuid()",
    ],
)
async def test_it_names_a_row_that_was_altered(
    database: Database, world: World, change: LiteralString
) -> None:
    with tampering(database) as owner:
        (row,) = owner.execute(
            f"update public.peer_mentor_status_history as h set {change} where {_PAUSE_OF_ADA} returning id",
            {"ada": world.ada.mentor_id},
        ).fetchall()
    finding, *more = (await verify(database, world)).findings
    # A moment that was moved may put the mentor's changes into another order besides.
    assert {each.code for each in more} <= {"trail_broken"}
    assert (finding.code, finding.kind, finding.entry_id) == ("altered", "history", row["id"])
    assert finding.mentor_id == world.ada.mentor_id


async def test_it_names_a_record_of_certificates_that_was_altered(database: Database, world: World) -> None:
    with tampering(database) as owner:
        owner.execute("update public.certification_overrides set valid_until = valid_until + 90")
    (finding,) = (await verify(database, world)).findings
    assert (finding.code, finding.kind) == ("altered", "override")


async def test_it_names_a_row_that_is_gone(database: Database, world: World) -> None:
    with tampering(database) as owner:
        (row,) = owner.execute(
            f"delete from public.peer_mentor_status_history as h where {_PAUSE_OF_ADA} returning id",
            {"ada": world.ada.mentor_id},
        ).fetchall()
    findings = (await verify(database, world)).findings
    assert ("missing", row["id"]) in {(finding.code, finding.entry_id) for finding in findings}
    assert "trail_broken" in {finding.code for finding in findings}


async def test_it_finds_a_row_that_is_gone_with_its_link(database: Database, world: World) -> None:
    with tampering(database) as owner:
        owner.execute(
            f"with gone as (delete from public.peer_mentor_status_history as h where {_PAUSE_OF_ADA} returning id)"
            " delete from peerpause.audit_chain as c using gone where c.entry_id = gone.id",
            {"ada": world.ada.mentor_id},
        )
    assert {"link_missing", "trail_broken"} <= await codes(database, world)


async def test_it_names_a_row_that_was_slipped_in(database: Database, world: World) -> None:
    with tampering(database) as owner:
        (row,) = owner.execute(
            "insert into public.peer_mentor_status_history"
            " (organisation_id, mentor_id, previous_status, new_status, changed_at, reason, told_at)"
            " values (%s, %s, 'active', 'paused', now(), 'illness', now()) returning id",
            (world.organisation_id, world.ada.mentor_id),
        ).fetchall()
    findings = {(finding.code, finding.entry_id) for finding in (await verify(database, world)).findings}
    assert ("inserted", row["id"]) in findings
    assert ("status_differs", None) in findings


async def test_it_names_a_record_of_certificates_that_was_slipped_in(
    database: Database, world: World
) -> None:
    with tampering(database) as owner:
        owner.execute(
            "insert into public.certification_overrides (organisation_id, mentor_id, justification, valid_until)"
            " values (%s, %s, 'a favour to a friend', current_date)",
            (world.organisation_id, world.ada.mentor_id),
        )
    await tell(database)
    assert await codes(database, world) == {"inserted"}


async def test_a_row_that_pretends_to_be_old_is_found_although_it_was_told(
    database: Database, world: World
) -> None:
    """A pause that never was, put in before one that was told two hours ago: the outbox takes it for news, the chain does not."""
    with tampering(database) as owner:
        owner.execute("update peerpause.audit_chain set chained_at = chained_at - interval '2 hours'")
        owner.execute(_MAKE_ALL_ANEW)
    assert await codes(database, world) == set()
    with tampering(database) as owner:
        owner.execute(
            "insert into public.peer_mentor_status_history"
            " (organisation_id, mentor_id, previous_status, new_status, changed_at, reason)"
            " select h.organisation_id, h.mentor_id, m.old::public.mentor_status, m.new::public.mentor_status,"
            " h.changed_at + m.number * interval '1 microsecond', 'illness'"
            " from public.peer_mentor_status_history as h,"
            " (values (1, 'active', 'paused'), (2, 'paused', 'active')) as m (number, old, new)"
            " where h.mentor_id = %s and h.previous_status is null",
            (world.ada.mentor_id,),
        )
    await tell(database)
    assert await codes(database, world) == {"backdated"}


async def test_a_status_that_was_changed_past_the_history_is_found(database: Database, world: World) -> None:
    with tampering(database) as owner:
        owner.execute(
            "update public.peer_mentors set status = 'inactive' where id = %s", (world.ada.mentor_id,)
        )
    (finding,) = (await verify(database, world)).findings
    assert (finding.code, finding.mentor_id) == ("status_differs", world.ada.mentor_id)


async def test_two_links_that_changed_places_are_found(database: Database, world: World) -> None:
    with tampering(database) as owner:
        owner.execute(
            "update peerpause.audit_chain set place = place + 100 where organisation_id = %s and place in (2, 3)",
            (world.organisation_id,),
        )
        owner.execute(
            "update peerpause.audit_chain set place = 105 - place where organisation_id = %s and place > 100",
            (world.organisation_id,),
        )
    assert "altered" in await codes(database, world)


async def test_a_row_rewritten_with_its_own_link_still_shows(database: Database, world: World) -> None:
    """Whoever makes one link anew would have to make all after it anew."""
    with tampering(database) as owner:
        (row,) = owner.execute(
            f"update public.peer_mentor_status_history as h set reason = 'travel' where {_PAUSE_OF_ADA} returning id",
            {"ada": world.ada.mentor_id},
        ).fetchall()
        owner.execute(_MAKE_ANEW, {"id": row["id"]})
    findings = (await verify(database, world)).findings
    place = count_place(database, row["id"])
    assert [(finding.code, finding.place) for finding in findings] == [("altered", place + 1)]


async def test_a_chain_that_was_cut_off_shows_in_its_head(database: Database, world: World) -> None:
    with tampering(database) as owner:
        owner.execute(
            "delete from peerpause.audit_chain as c using peerpause.audit_heads as a"
            " where c.organisation_id = a.organisation_id and c.place = a.place and a.organisation_id = %s",
            (world.organisation_id,),
        )
    assert {"truncated", "inserted"} == await codes(database, world)


async def test_a_note_blanked_by_hand_is_no_clearing(database: Database, world: World) -> None:
    with tampering(database) as owner:
        owner.execute(
            f"update public.peer_mentor_status_history as h set note = null where {_PAUSE_OF_ADA}",
            {"ada": world.ada.mentor_id},
        )
        owner.execute("update peerpause.audit_chain set note_salt = null")
    assert await codes(database, world) == {"altered"}


async def test_a_note_that_was_cleared_by_the_rules_is_no_finding(database: Database, world: World) -> None:
    with owner_session(database) as owner:
        cleared = count(
            owner,
            "select peerpause.clear_notes(%s, array(select id from public.peer_mentor_status_history), 'retention')",
            world.organisation_id,
        )
        assert cleared == 2
        assert (
            count(owner, "select count(*) from public.peer_mentor_status_history where note is not null") == 0
        )
        assert (
            count(
                owner,
                "select count(*) from peerpause.audit_chain where note_salt is not null and kind = 'history'",
            )
            == 0
        )
    report = await verify(database, world)
    assert report.ok
    assert report.links == 8


async def test_the_pseudonym_of_an_erased_person_cannot_be_exchanged(
    database: Database, world: World
) -> None:
    with owner_session(database) as owner:
        owner.execute(
            "select peerpause.clear_person(%s, %s, gen_random_uuid(), 'erasure')",
            (world.organisation_id, world.ada.user_id),
        )
    assert await codes(database, world) == set()
    with tampering(database) as owner:
        owner.execute(
            f"update public.peer_mentor_status_history as h set changed_by = %(bo)s where {_PAUSE_OF_ADA}",
            {"ada": world.ada.mentor_id, "bo": world.bo.user_id},
        )
    assert await codes(database, world) == {"altered"}


_BY_HAND: list[LiteralString] = [
    "update public.peer_mentor_status_history set note = null",
    "update public.peer_mentor_status_history set note = 'x'",
    "update public.peer_mentor_status_history set changed_by = gen_random_uuid()",
    "update public.certification_overrides set justification = '(removed at the end of its time)'",
    "update public.certification_overrides set granted_by = gen_random_uuid()",
    "update peerpause.audit_chain set note_salt = null where note_salt is not null",
    "update peerpause.audit_chain set person_salt = null where person_salt is not null",
    "update peerpause.audit_chain set hash = sha256('x')",
    "delete from peerpause.audit_chain",
    "truncate peerpause.audit_chain",
]


@pytest.mark.parametrize("statement", _BY_HAND)
async def test_nothing_is_cleared_by_hand_whatever_settings_one_puts_on(
    database: Database, world: World, statement: LiteralString
) -> None:
    with owner_session(database) as owner:
        owner.execute("select set_config('peerpause.erasing', %s, false)", (str(world.ada.mentor_id),))
        with refused(NOT_YOURS):
            owner.execute(statement)
    with service_session(database) as service, refused(NOT_YOURS):
        service.execute(statement)


async def test_the_functions_that_clear_are_nobodys_to_call(database: Database, world: World) -> None:
    calls: list[LiteralString] = [
        "select peerpause.clear_notes(%(organisation)s, '{}', 'erasure')",
        "select peerpause.clear_person(%(organisation)s, %(person)s, %(person)s, 'erasure')",
        "select peerpause.chain_clearings(%(organisation)s, '{}', 'note_cleared', null, 'erasure')",
    ]
    arguments = {"organisation": world.organisation_id, "person": world.ada.user_id}
    for session in (
        person_session(database, world.dag),
        person_session(database, world.hal),
        service_session(database),
    ):
        with session:
            for statement in calls:
                with refused(NOT_YOURS):
                    session.execute(statement, arguments)


async def test_several_workers_make_one_chain(database: Database, world: World) -> None:
    """Two passes at once: the second waits for the end of the chain and goes on from there."""
    with owner_session(database) as owner:
        for _ in range(6):
            owner.execute(
                "insert into public.peer_mentors (organisation_id, display_name, first_name) values (%s, 'Somebody', 'Some')",
                (world.organisation_id,),
            )
    parameters = {"at_most": 3, "base_url": None, "history_id": None}
    async with Sessions(url=database.url, size=2) as sessions:
        async with sessions.as_service() as first:
            step = Step("fan_out_changes", parameters)
            await first.execute(step.text, step.parameters)
            with psycopg.connect(database.url_as("service_role"), autocommit=True) as impatient:
                impatient.execute("set lock_timeout = '200ms'")
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    impatient.execute(step.text, step.parameters)
        await sessions.call(Service(), "fan_out_changes", parameters)
    report = await verify(database, world)
    assert report.ok
    assert (report.links, report.waiting) == (12, 0)


def count_place(database: Database, entry_id: object) -> int:
    with owner_session(database) as owner:
        return count(
            owner,
            "select place from peerpause.audit_chain where entry_id = %s and kind = 'history'",
            entry_id,
        )


_MAKE_ANEW = """
update peerpause.audit_chain as c
set hash = peerpause.audit_hash(b.hash, c, r.facts)
from peerpause.audit_chain as b, peerpause.audit_rows as r
where
  c.entry_id = %(id)s and c.kind = 'history' and r.entry_id = c.entry_id
  and b.organisation_id = c.organisation_id and b.place = c.place - 1
"""

_MAKE_ALL_ANEW = """
do $$
declare
  v_link peerpause.audit_chain;
  v_hash bytea;
begin
  for v_link in select * from peerpause.audit_chain as c order by c.organisation_id, c.place
  loop
    v_hash := case when v_link.place = 1 then decode(repeat('00', 32), 'hex') else v_hash end;
    v_hash := peerpause.audit_hash(
      v_hash, v_link, (select r.facts from peerpause.audit_rows as r where r.entry_id = v_link.entry_id and r.kind = v_link.kind)
    );
    update peerpause.audit_chain as c set hash = v_hash where c.organisation_id = v_link.organisation_id and c.place = v_link.place;
    update peerpause.audit_heads as a set hash = v_hash where a.organisation_id = v_link.organisation_id;
  end loop;
end
$$
"""
