"""What the roster shows of a mentor is the mentor's to say, through the function only, and within what a page can show."""

from __future__ import annotations

from typing import Any

import pytest

from peerpause.database.session import Claims, Sessions
from peerpause.errors import InvalidArgument, MentorNotFound, PermissionDenied
from peerpause.roster.roster import PublicProfile, PublicRoster
from tests.cast import Mentor, World
from tests.database.acting import (
    BAD_ARGUMENT,
    NOT_YOURS,
    Session,
    call,
    moves,
    person_session,
    refused,
    visitor_session,
)
from tests.servers import Database


def profile_of(mentor: Mentor, **changed: Any) -> PublicProfile:
    facts: dict[str, Any] = {
        "languages": ("nb", "en"),
        "presentation": "Hard of hearing since 2011.",
        "public_contact": "ada@example.org",
    }
    return PublicProfile(mentor_id=mentor.mentor_id, listed=True, **{**facts, **changed})


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


@pytest.fixture
def database(module_database: Database) -> Database:
    return module_database


@pytest.fixture
def roster(shared_sessions: Sessions) -> PublicRoster:
    return PublicRoster(sessions=shared_sessions)


@pytest.mark.parametrize("who", ["ada", "bo", "dag", "hal"])
async def test_the_mentor_their_coordinator_and_admins_may_change_it(
    roster: PublicRoster, world: World, who: str
) -> None:
    caller = Claims(getattr(world, who).user_id)
    wanted = profile_of(world.ada)
    assert await roster.update_profile(caller, wanted) == wanted
    shown = await roster.of_chapter(world.north.chapter_id)
    assert shown is not None
    ada = shown.mentors[0]
    assert (ada.languages, ada.presentation, ada.contact) == (
        ("nb", "en"),
        "Hard of hearing since 2011.",
        "ada@example.org",
    )


@pytest.mark.parametrize("who", ["finn", "cy", "eva", "greta"])
async def test_nobody_else_may(roster: PublicRoster, world: World, who: str) -> None:
    with pytest.raises(PermissionDenied):
        await roster.update_profile(Claims(getattr(world, who).user_id), profile_of(world.ada))


async def test_a_visitor_may_not_even_call_it(database: Database, world: World) -> None:
    with visitor_session(database) as visitor, refused(NOT_YOURS):
        call(
            visitor,
            "update_public_profile",
            p_mentor_id=world.ada.mentor_id,
            p_listed=True,
            p_languages=[],
            p_presentation=None,
            p_public_contact=None,
        )


async def test_it_says_when_there_is_no_such_mentor(roster: PublicRoster, world: World) -> None:
    with pytest.raises(MentorNotFound):
        await roster.update_profile(
            Claims(world.dag.user_id), PublicProfile(mentor_id=world.stranger_id, listed=True)
        )


@pytest.mark.parametrize(
    "contact",
    [
        *("ada@example.org", "+47 22 33 44 55", "22334455", "(022) 33 44 55", "https://example.org/ada?x=1"),
        *("ada.hansen+likeperson@lag.example.no", "HTTPS://Example.org"),
    ],
)
async def test_a_contact_is_an_address_a_number_or_a_link(
    roster: PublicRoster, world: World, contact: str
) -> None:
    kept = await roster.update_profile(
        Claims(world.ada.user_id), profile_of(world.ada, public_contact=contact)
    )
    assert kept.public_contact == contact


@pytest.mark.parametrize(
    "contact",
    [
        *(
            "javascript:alert(1)",
            "http://example.org",
            "https://example.org/<script>",
            "call me",
            "12",
            "1234567890123456",
        ),
        *("a@b", "ada@example.org\nBcc: x@example.org", "\u202egro.elpmaxe@ada", "https://user@example.org/"),
        *("https://example", "ada@example.org" + "x" * 200, "data:text/html,x", 'a"b@example.org'),
    ],
)
async def test_a_contact_that_is_none_is_refused(roster: PublicRoster, world: World, contact: str) -> None:
    with pytest.raises(InvalidArgument):
        await roster.update_profile(Claims(world.ada.user_id), profile_of(world.ada, public_contact=contact))


@pytest.mark.parametrize(
    "languages",
    [
        ("Norwegian",),
        ("nb", "NB"),
        ("nb", "nb"),
        ("n",),
        ("<b>",),
        ("nb ",),
        tuple(f"a{c}" for c in "abcdefghijk"),
    ],
)
async def test_languages_are_at_most_ten_different_tags(
    roster: PublicRoster, world: World, languages: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidArgument):
        await roster.update_profile(Claims(world.ada.user_id), profile_of(world.ada, languages=languages))


@pytest.mark.parametrize("text", ["x" * 601, "one\x07two", "turned \u202e around", "hidden\u200b"])
async def test_a_presentation_is_short_and_visible(roster: PublicRoster, world: World, text: str) -> None:
    with pytest.raises(InvalidArgument):
        await roster.update_profile(Claims(world.ada.user_id), profile_of(world.ada, presentation=text))


async def test_blank_text_is_no_text_and_lines_are_kept(roster: PublicRoster, world: World) -> None:
    caller = Claims(world.ada.user_id)
    kept = await roster.update_profile(
        caller, profile_of(world.ada, presentation=" \r\n ", public_contact="  ")
    )
    assert (kept.presentation, kept.public_contact) == (None, None)
    kept = await roster.update_profile(caller, profile_of(world.ada, presentation=" One.\r\nTwo. "))
    assert kept.presentation == "One.\nTwo."


def test_what_is_missing_is_refused(database: Database, world: World) -> None:
    arguments: dict[str, object] = {
        "p_mentor_id": world.ada.mentor_id,
        "p_listed": True,
        "p_languages": [],
        "p_presentation": None,
        "p_public_contact": None,
    }
    with person_session(database, world.ada) as ada:
        for name in ("p_listed", "p_languages"):
            with refused(BAD_ARGUMENT):
                call(ada, "update_public_profile", **{**arguments, name: None})


def test_a_plain_update_past_the_function_is_refused(database: Database, world: World) -> None:
    for person in (world.ada, world.bo, world.dag):
        with person_session(database, person) as session, refused(NOT_YOURS):
            session.execute("update public.peer_mentors set listed = false")


async def test_it_is_no_change_of_status(roster: PublicRoster, world: World, owner: Session) -> None:
    await roster.update_profile(Claims(world.ada.user_id), profile_of(world.ada))
    assert moves(owner, world.ada) == [(None, "active")]
