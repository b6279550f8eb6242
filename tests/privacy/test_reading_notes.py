"""Who reads a mentor's notes or history leaves a trace, and nobody reads them past the functions that leave it."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest

from peerpause.database.session import Claims, Service, Sessions
from peerpause.errors import MentorNotFound, PermissionDenied
from peerpause.privacy.personal_data import PersonalData
from tests.cast import World
from tests.database.acting import NOT_YOURS, call, person_session, refused, service_session
from tests.privacy.conftest import NOTE
from tests.servers import Database


async def reads(data: PersonalData, world: World) -> list[tuple[UUID | None, str]]:
    """Who read what of Ada's, by the word of Ada herself."""
    return [
        (read.reader_id, read.what)
        for read in await data.reads(Claims(user_id=world.ada.user_id), world.ada.mentor_id)
    ]


def notes_in(rows: list[dict[str, object]]) -> set[object]:
    return {row["note"] for row in rows} - {None}


async def test_reading_somebodys_history_is_recorded_once_an_hour(
    database: Database, world: World, data: PersonalData
) -> None:
    with person_session(database, world.bo) as bo:
        for _ in range(3):
            assert notes_in(call(bo, "get_mentor_status_history", p_mentor_id=world.ada.mentor_id)) == {NOTE}
    assert await reads(data, world) == [(world.bo.user_id, "history")]


async def test_what_one_reads_of_oneself_is_not_recorded(
    database: Database, world: World, data: PersonalData
) -> None:
    with person_session(database, world.ada) as ada:
        assert notes_in(call(ada, "get_mentor_status_history", p_mentor_id=world.ada.mentor_id)) == {NOTE}
        assert notes_in(call(ada, "get_mentor_status", p_mentor_id=world.ada.mentor_id)) == {NOTE}
        assert notes_in(call(ada, "read_mentor_notes", p_mentor_id=world.ada.mentor_id)) == {NOTE}
    assert await reads(data, world) == []


async def test_reading_the_note_of_a_pause_is_recorded_but_for_its_author(
    database: Database, world: World, data: PersonalData
) -> None:
    """Bo wrote the note of Ada's pause; Dag only reads it."""
    for who in (world.bo, world.dag):
        with person_session(database, who) as session:
            assert notes_in(call(session, "get_mentor_status", p_mentor_id=world.ada.mentor_id)) == {NOTE}
    assert await reads(data, world) == [(world.dag.user_id, "note")]


async def test_a_status_without_a_note_is_nobodys_secret(
    database: Database, world: World, data: PersonalData
) -> None:
    with person_session(database, world.ada) as ada:
        call(ada, "rpc_reactivate_mentor", p_mentor_id=world.ada.mentor_id)
    with person_session(database, world.dag) as dag:
        call(dag, "get_mentor_status", p_mentor_id=world.ada.mentor_id)
    assert await reads(data, world) == []


async def test_an_export_is_recorded_for_the_mentor_to_see(world: World, data: PersonalData) -> None:
    await data.export(
        Claims(user_id=world.dag.user_id), world.ada.mentor_id, organisation_id=world.organisation_id
    )
    await data.export(Service(), world.ada.mentor_id)
    await data.export(Claims(user_id=world.ada.user_id), world.ada.user_id)
    assert await reads(data, world) == [(None, "export"), (world.dag.user_id, "export")]


async def test_an_old_hour_is_kept_apart(database: Database, world: World, data: PersonalData) -> None:
    with person_session(database, world.bo) as bo:
        call(bo, "read_mentor_notes", p_mentor_id=world.ada.mentor_id)
        with psycopg.connect(database.url) as connection:
            connection.execute(
                "update peerpause.mentor_reads set hour = hour - interval '1 hour', read_at = read_at - interval '1 hour'"
            )
        call(bo, "read_mentor_notes", p_mentor_id=world.ada.mentor_id)
    assert await reads(data, world) == [(world.bo.user_id, "history")] * 2


@pytest.mark.parametrize("who", ["cy", "finn", "greta", "eva"])
async def test_who_does_not_answer_for_ada_gets_no_notes_and_leaves_no_trace(
    database: Database, world: World, data: PersonalData, who: str
) -> None:
    with person_session(database, getattr(world, who)) as stranger:
        assert call(stranger, "read_mentor_notes", p_mentor_id=world.ada.mentor_id) == []
        for what in ("history", "note"):
            assert (
                stranger.execute(
                    "select * from peerpause.notes_of(%s, %s)", (world.ada.mentor_id, what)
                ).fetchall()
                == []
            )
    assert await reads(data, world) == []


@pytest.mark.parametrize(
    "statement",
    [
        "select pause_note from public.peer_mentors",
        "select * from public.peer_mentors",
        "select note from public.peer_mentor_status_history",
        "select note from public.scheduled_status_changes",
        "update public.peer_mentors set pause_note = null where pause_note = 'x'",
        "select * from peerpause.mentor_reads",
    ],
)
async def test_the_columns_themselves_are_closed(database: Database, world: World, statement: str) -> None:
    for who in (world.ada, world.bo, world.dag):
        with person_session(database, who) as session, refused(NOT_YOURS):
            session.execute(statement.encode())


async def test_where_nothing_can_be_recorded_the_notes_of_others_stay_out(
    database: Database, world: World, data: PersonalData
) -> None:
    """On a replica, or where PostgREST runs a function read-only."""
    for who, expected in ((world.bo, set()), (world.ada, {NOTE})):
        with person_session(database, who) as session:
            session.execute("set default_transaction_read_only = on")
            rows = call(session, "get_mentor_status_history", p_mentor_id=world.ada.mentor_id)
            assert len(rows) > 3
            assert notes_in(rows) == expected
            if who is world.ada:
                assert (
                    notes_in(call(session, "get_mentor_status", p_mentor_id=world.ada.mentor_id)) == expected
                )
    assert await reads(data, world) == []


async def test_jobs_are_no_readers(database: Database, world: World, data: PersonalData) -> None:
    with service_session(database) as service:
        assert notes_in(call(service, "get_mentor_status_history", p_mentor_id=world.ada.mentor_id)) == {NOTE}
    assert await reads(data, world) == []


async def test_the_read_log_is_for_the_mentor_and_for_admins(world: World, data: PersonalData) -> None:
    for who in (world.ada, world.dag, world.hal):
        assert await data.reads(Claims(user_id=who.user_id), world.ada.mentor_id) == ()
    for who in (world.bo, world.cy, world.finn, world.eva):
        with pytest.raises(PermissionDenied):
            await data.reads(Claims(user_id=who.user_id), world.ada.mentor_id)
    with pytest.raises(MentorNotFound):
        await data.reads(Claims(user_id=world.dag.user_id), world.stranger_id)


async def test_the_library_reads_the_history_by_the_recording_way(
    sessions: Sessions, world: World, data: PersonalData
) -> None:
    parameters = {"mentor_id": world.ada.mentor_id, "limit": 50, "before": None}
    rows = await sessions.call(Claims(user_id=world.dag.user_id), "read_mentor_history", parameters)
    assert notes_in([dict(row) for row in rows]) == {NOTE}
    (read,) = await data.reads(Claims(user_id=world.dag.user_id), world.ada.mentor_id)
    assert (read.reader_id, read.reader_name, read.what) == (world.dag.user_id, "Dag Hansen", "history")
