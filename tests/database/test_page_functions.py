"""Functions that only our own pages call: each looks at its caller itself."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from tests.cast import World, require_certificate
from tests.certifications.time_travel import certify, today_in
from tests.database.acting import (
    NOT_YOURS,
    Row,
    Session,
    person_session,
    refused,
    visitor_session,
)
from tests.servers import Database


@pytest.fixture(autouse=True)
def certificates_are_required(owner: Session, world: World) -> None:
    require_certificate(owner, world.organisation_id)


def begin(session: Session, chapters: list[UUID] | None = None) -> Row:
    (row,) = session.execute(
        "select peerpause.begin_expiry_run_by_hand(%s::uuid[]) as run_id", (chapters,)
    ).fetchall()
    return row


def test_a_check_by_hand_is_begun_for_own_chapters_by_whoever_asks(
    database: Database, world: World, owner: Session
) -> None:
    for person, chapters in (
        (world.bo, [world.south.chapter_id]),
        (world.eva, [world.north.chapter_id]),
        (world.ada, None),
        (world.bo, [world.stranger_id]),
    ):
        with person_session(database, person) as session, refused(NOT_YOURS):
            begin(session, chapters)
    with visitor_session(database) as visitor, refused(NOT_YOURS):
        begin(visitor)
    with person_session(database, world.bo) as bo:
        run_id = begin(bo)["run_id"]
        assert begin(bo)["run_id"] is None
    (run,) = owner.execute("select started_by, chapter_ids, status from public.job_runs").fetchall()
    assert run == {
        "started_by": world.bo.user_id,
        "chapter_ids": [world.north.chapter_id],
        "status": "running",
    }
    assert run_id is not None


def test_who_started_a_run_is_named_to_them_and_to_the_admins(
    database: Database, world: World, owner: Session
) -> None:
    with person_session(database, world.bo) as bo:
        run_id = begin(bo)["run_id"]
    for person, names in (
        (world.bo, [world.bo.display_name]),
        (world.dag, [world.bo.display_name]),
        (world.cy, []),
        (world.ada, []),
        (world.eva, []),
    ):
        with person_session(database, person) as session:
            rows = session.execute("select * from peerpause.starters_of_runs(%s)", ([run_id],)).fetchall()
            assert [row["display_name"] for row in rows] == names


def test_who_recorded_a_certificate_is_named_to_those_who_may_see_it(
    database: Database, world: World, owner: Session
) -> None:
    today = today_in(owner)
    certify(owner, world.ada, today + timedelta(days=3))
    with person_session(database, world.bo) as bo:
        bo.execute(
            "select public.record_renewal(%s, %s, %s)",
            (world.ada.mentor_id, today, today + timedelta(days=300)),
        )
    asked = "select display_name from peerpause.recorders_of_mentor(%s)"
    for person in (world.bo, world.dag, world.ada):
        with person_session(database, person) as session:
            rows = session.execute(asked, (world.ada.mentor_id,)).fetchall()
            assert rows == [{"display_name": world.bo.display_name}]
    for person in (world.cy, world.eva, world.greta):
        with person_session(database, person) as session, refused(NOT_YOURS):
            session.execute(asked, (world.ada.mentor_id,))
