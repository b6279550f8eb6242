"""The list of mentors that one answers for: the database gives it to whoever answers for them, and to nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest

from tests.cast import World, build_world
from tests.database.acting import NOT_YOURS, Session, person_session, refused, visitor_session
from tests.servers import Database


@pytest.fixture(scope="module")
def place(module_database: Database) -> World:
    return build_world(module_database.url)


@pytest.fixture
def speaking(module_database: Database, place: World, who: str) -> Iterator[Session]:
    with person_session(module_database, getattr(place, who)) as session:
        yield session


def names(session: Session, organisation_id: UUID, chapters: list[UUID] | None) -> set[str]:
    """Whom the list shows."""
    rows = session.execute(
        """
        select p.first_name
        from peerpause.roster_page(%s, %s, '{active,paused,inactive}', '{}', null, 60, false, 'name', false, null, null, null, 50) as r
        inner join public.peer_mentors as p on p.id = r.o_mentor_id
        """,
        (organisation_id, chapters),
    ).fetchall()
    return {row["first_name"] for row in rows}


@pytest.mark.parametrize(
    ("who", "chapter", "expected"),
    [
        ("bo", "north", {"Ada", "Finn"}),
        ("cy", "south", {"Finn"}),
        ("dag", "south", {"Finn"}),
        ("hal", "elsewhere", {"Greta"}),
    ],
)
def test_a_chapter_is_listed_for_whoever_answers_for_it(
    speaking: Session, place: World, chapter: str, expected: set[str]
) -> None:
    asked = getattr(place, chapter)
    assert names(speaking, asked.organisation_id, [asked.chapter_id]) == expected


@pytest.mark.parametrize("who", ["dag", "hal"])
def test_a_whole_organisation_is_listed_for_its_admins(speaking: Session, place: World) -> None:
    assert names(speaking, place.organisation_id, None) == {"Ada", "Finn"}


@pytest.mark.parametrize(
    ("who", "chapters"),
    [
        ("cy", ["north"]),
        ("cy", ["south", "north"]),
        ("ada", ["north"]),
        ("eva", ["north"]),
        ("bo", None),
        ("ada", None),
        ("eva", None),
    ],
)
def test_what_is_not_one_s_own_is_refused(
    speaking: Session, place: World, chapters: list[str] | None
) -> None:
    ids = None if chapters is None else [getattr(place, each).chapter_id for each in chapters]
    with refused(NOT_YOURS):
        names(speaking, place.organisation_id, ids)
    with refused(NOT_YOURS):
        speaking.execute("select peerpause.roster_counts(%s, %s, 14)", (place.organisation_id, ids))


@pytest.mark.parametrize("who", ["bo"])
def test_a_chapter_of_another_organisation_is_empty_in_this_one(speaking: Session, place: World) -> None:
    assert names(speaking, place.other_organisation_id, [place.north.chapter_id]) == set()


@pytest.mark.parametrize("who", ["ada", "bo"])
def test_a_mentor_s_address_is_for_whoever_answers_for_the_mentor(speaking: Session, place: World) -> None:
    ask = "select a.email from peerpause.address_of_mentor(%s) as a"
    assert speaking.execute(ask, (place.ada.mentor_id,)).fetchall() == [{"email": "ada@example.org"}]
    with refused(NOT_YOURS):
        speaking.execute(ask, (place.greta.mentor_id,))


def test_a_visitor_is_told_nothing(module_database: Database, place: World) -> None:
    with visitor_session(module_database) as visitor:
        for statement in (
            "select peerpause.roster_counts(null, '{}', 14)",
            "select peerpause.address_of_mentor(null)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                visitor.execute(statement)
