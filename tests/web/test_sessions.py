"""A web session lasts as long as it is used and no longer than a day's work, ends at once when it is ended, and cannot be stolen
from the database.
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from peerpause.database.session import Claims, Service, Sessions
from peerpause.errors import PermissionDenied
from peerpause.web.sessions import IDLE, LONGEST, WebSessions
from tests.cast import World
from tests.database.acting import NOT_YOURS, Session, count, person_session, refused, visitor_session
from tests.servers import Database

ISSUER = "https://login.example.org"


@pytest.fixture
def web(sessions: Sessions) -> WebSessions:
    return WebSessions(sessions=sessions)


def turn_back(owner: Session, by: timedelta) -> None:
    """Let every session have begun and been used so much earlier."""
    owner.execute(
        "update peerpause.web_sessions set created_at = created_at - %(by)s,"
        " last_seen_at = last_seen_at - %(by)s, expires_at = expires_at - %(by)s",
        {"by": by},
    )


async def test_a_cookie_finds_its_person(web: WebSessions, world: World) -> None:
    word, begun = await web.begin(world.ada.user_id, ISSUER)
    found = await web.find(word)
    assert found == begun
    assert (begun.user_id, begun.issuer) == (world.ada.user_id, ISSUER)
    assert begun.expires_at - begun.created_at == IDLE


async def test_every_session_has_a_word_and_a_form_secret_of_its_own(web: WebSessions, world: World) -> None:
    begun = [await web.begin(world.ada.user_id, ISSUER) for _ in range(3)]
    assert len({word for word, _ in begun}) == len({session.csrf for _, session in begun}) == 3
    assert {word for word, _ in begun}.isdisjoint({session.csrf for _, session in begun})


async def test_the_database_never_holds_what_the_cookie_holds(
    web: WebSessions, world: World, owner: Session
) -> None:
    word, session = await web.begin(world.ada.user_id, None)
    (row,) = owner.execute("select s::text as kept, s.digest from peerpause.web_sessions as s").fetchall()
    assert word not in row["kept"]
    assert row["digest"] == hashlib.sha256(word.encode()).digest()
    assert word not in repr(session)
    assert session.csrf not in repr(session)


@pytest.mark.parametrize("word", ["", "x", "x" * 43, "'; --", "x" * 10_000, "ø" * 43, "\x00" * 43])
async def test_a_word_that_nobody_was_given_finds_nobody(web: WebSessions, world: World, word: str) -> None:
    await web.begin(world.ada.user_id, None)
    assert await web.find(word) is None


async def test_neither_the_digest_nor_the_id_of_a_session_opens_it(web: WebSessions, world: World) -> None:
    word, session = await web.begin(world.ada.user_id, None)
    digest = hashlib.sha256(word.encode())
    for guess in (digest.hexdigest(), str(session.session_id), session.csrf, word.swapcase(), word[:-1]):
        assert await web.find(guess) is None


async def test_a_session_ends_when_it_is_not_used(web: WebSessions, world: World, owner: Session) -> None:
    word, _ = await web.begin(world.ada.user_id, None)
    turn_back(owner, IDLE - timedelta(minutes=1))
    assert await web.find(word) is not None
    turn_back(owner, IDLE - timedelta(minutes=1))
    assert await web.find(word) is not None, "it was used meanwhile"
    turn_back(owner, IDLE + timedelta(minutes=1))
    assert await web.find(word) is None


async def test_a_session_ends_after_its_longest_time_however_much_it_is_used(
    web: WebSessions, world: World, owner: Session
) -> None:
    word, _ = await web.begin(world.ada.user_id, None)
    step = timedelta(minutes=90)
    used = timedelta()
    while used + step < LONGEST:
        turn_back(owner, step)
        used += step
        found = await web.find(word)
        assert found is not None
        assert found.expires_at <= found.created_at + LONGEST
    turn_back(owner, step)
    assert await web.find(word) is None


async def test_being_used_is_written_down_once_a_minute(
    web: WebSessions, world: World, owner: Session
) -> None:
    word, begun = await web.begin(world.ada.user_id, None)
    version = "select s.xmin::text as version from peerpause.web_sessions as s"
    before = owner.execute(version).fetchall()
    assert await web.find(word) == begun
    assert owner.execute(version).fetchall() == before
    turn_back(owner, timedelta(minutes=2))
    found = await web.find(word)
    assert found is not None
    assert found.expires_at > begun.expires_at


async def test_two_pages_that_load_at_once_are_both_signed_in(
    web: WebSessions, world: World, owner: Session
) -> None:
    word, _ = await web.begin(world.ada.user_id, None)
    turn_back(owner, timedelta(minutes=2))
    with owner.transaction():
        # Both wait for this row, so that the second finds it changed by the first.
        owner.execute("select from peerpause.web_sessions for update")
        both = asyncio.gather(web.find(word), web.find(word))
        waiting = "select count(*) from pg_locks where not granted"
        while count(owner, waiting) < 2:  # noqa: ASYNC110  # no event tells of a lock that is waited for
            await asyncio.sleep(0.01)
    assert None not in await both


async def test_an_ended_session_is_refused_at_once(web: WebSessions, world: World) -> None:
    word, session = await web.begin(world.ada.user_id, None)
    other_word, _ = await web.begin(world.ada.user_id, None)
    assert await web.end(session.session_id)
    assert await web.find(word) is None
    assert await web.find(other_word) is not None
    assert not await web.end(session.session_id), "it is ended once"


async def test_a_session_that_is_ended_while_a_page_loads_does_not_come_back(
    web: WebSessions, world: World, owner: Session
) -> None:
    word, _ = await web.begin(world.ada.user_id, None)
    turn_back(owner, timedelta(minutes=2))
    with owner.transaction():
        owner.execute("update peerpause.web_sessions set revoked_at = now()")
        loading = asyncio.create_task(web.find(word))
        while count(owner, "select count(*) from pg_locks where not granted") < 1:  # noqa: ASYNC110  # as above
            await asyncio.sleep(0.01)
    assert await loading is None


async def test_people_end_their_own_sessions_and_nobody_elses(web: WebSessions, world: World) -> None:
    word, session = await web.begin(world.ada.user_id, None)
    assert not await web.end(session.session_id, of=world.bo.user_id)
    assert await web.find(word) is not None
    assert await web.end(session.session_id, of=world.ada.user_id)
    assert await web.find(word) is None


async def test_people_list_their_own_sessions_the_last_used_first(
    web: WebSessions, world: World, owner: Session
) -> None:
    _, first = await web.begin(world.ada.user_id, None)
    turn_back(owner, timedelta(minutes=5))
    _, second = await web.begin(world.ada.user_id, ISSUER)
    _, ended = await web.begin(world.ada.user_id, ISSUER)
    await web.end(ended.session_id)
    await web.begin(world.bo.user_id, ISSUER)
    listed = await web.list(world.ada.user_id)
    assert [each.session_id for each in listed] == [second.session_id, first.session_id]


async def test_all_sessions_of_a_person_end_together(web: WebSessions, world: World) -> None:
    words = [(await web.begin(world.ada.user_id, None))[0] for _ in range(3)]
    bos, _ = await web.begin(world.bo.user_id, None)
    assert await web.end_all(world.ada.user_id) == 3
    assert [await web.find(word) for word in words] == [None] * 3
    assert await web.find(bos) is not None


async def test_somebody_unknown_gets_no_session(web: WebSessions, world: World, owner: Session) -> None:
    with pytest.raises(PermissionDenied):
        await web.begin(uuid4(), ISSUER)
    assert count(owner, "select count(*) from peerpause.web_sessions") == 0


async def test_somebody_who_is_erased_is_signed_out(web: WebSessions, world: World, owner: Session) -> None:
    word, _ = await web.begin(world.bo.user_id, None)
    owner.execute("delete from public.people where user_id = %s", (world.bo.user_id,))
    assert await web.find(word) is None


async def test_a_global_admin_without_an_entry_in_the_directory_may_sign_in(
    web: WebSessions, world: World, owner: Session
) -> None:
    owner.execute("delete from public.people where user_id = %s", (world.hal.user_id,))
    word, _ = await web.begin(world.hal.user_id, None)
    assert await web.find(word) is not None


async def test_what_is_over_is_forgotten_a_day_later(
    web: WebSessions, sessions: Sessions, world: World, owner: Session
) -> None:
    _, ended = await web.begin(world.ada.user_id, None)
    await web.end(ended.session_id)
    await sessions.call(Service(), "forget_web_sessions")
    assert count(owner, "select count(*) from peerpause.web_sessions") == 1
    owner.execute("update peerpause.web_sessions set revoked_at = revoked_at - interval '25 hours'")
    await web.begin(world.bo.user_id, None)
    turn_back(owner, IDLE + timedelta(hours=25))
    word, _ = await web.begin(world.cy.user_id, None)
    await sessions.call(Service(), "forget_web_sessions")
    assert count(owner, "select count(*) from peerpause.web_sessions") == 1
    assert await web.find(word) is not None


@pytest.mark.parametrize("statement", ["select * from", "delete from", "update {} set csrf = 'x' --"])
def test_nobody_but_the_service_comes_near_them(database: Database, world: World, statement: str) -> None:
    table = "peerpause.web_sessions"
    text = statement.format(table) if "{}" in statement else f"{statement} {table}"
    for session in (visitor_session(database), person_session(database, world.hal)):
        with session, refused(NOT_YOURS):
            session.execute(text.encode())


async def test_the_queries_behind_it_are_refused_to_the_person_themselves(
    sessions: Sessions, world: World
) -> None:
    with pytest.raises(PermissionDenied):
        await sessions.call(Claims(world.ada.user_id), "list_web_sessions", {"user_id": world.ada.user_id})


def test_a_digest_that_is_none_is_refused(owner: Session, world: World) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        owner.execute(
            "insert into peerpause.web_sessions (digest, user_id, csrf, expires_at)"
            " values ('plain word', %s, 'x', now() + interval '1 hour')",
            (world.ada.user_id,),
        )
