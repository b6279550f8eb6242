"""A session is somebody's, takes one round trip, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from peerpause.database.session import Claims, Connection, Service, Sessions, Step
from peerpause.errors import (
    AlreadyPaused,
    DatabaseFault,
    InvalidArgument,
    MentorNotFound,
    PermissionDenied,
    Unavailable,
)
from tests.cast import World, build_world
from tests.database.wiretap import tapped
from tests.servers import Database

LOGINS = ["postgres", "authenticator"]


@pytest.fixture
def world(database: Database) -> World:
    return build_world(database.url)


@pytest.fixture(params=LOGINS)
def url(database: Database, request: pytest.FixtureRequest) -> str:
    return database.server.url(database.name, user=request.param)


@pytest.fixture
async def sessions(url: str, world: World) -> AsyncIterator[Sessions]:
    """One connection only, so that what one caller leaves behind is found by the next."""
    async with Sessions(url=url, size=1) as opened:
        yield opened


def as_(user_id: UUID) -> Claims:
    return Claims(user_id)


def pause(mentor_id: UUID, **changed: object) -> Step:
    return Step(
        "pause_mentor",
        {
            "mentor_id": mentor_id,
            "reason": "illness",
            "pause_at": None,
            "expected_return_on": None,
            "note": None,
            "expected_updated_at": None,
            "idempotency_key": None,
        }
        | changed,
    )


def status_of(mentor_id: UUID) -> Step:
    return Step("read_mentor_status", {"mentor_id": mentor_id})


async def mentors_seen(sessions: Sessions, claims: Claims) -> set[str]:
    async with sessions.as_user(claims) as connection:
        cursor = await connection.execute("select first_name from public.peer_mentors")
        return {row["first_name"] for row in await cursor.fetchall()}


async def test_a_change_and_its_answer_take_one_round_trip(url: str, world: World) -> None:
    async with tapped(url) as tap, Sessions(url=tap.url, size=1) as sessions:
        await sessions.call(as_(world.ada.user_id), "read_mentor_status", {"mentor_id": world.ada.mentor_id})
        tap.reset()
        done, read = await sessions.call_all(
            as_(world.ada.user_id), pause(world.ada.mentor_id), status_of(world.ada.mentor_id)
        )
        assert (tap.round_trips, tap.messages["S"], tap.messages["Q"]) == (1, 1, 0)
    assert (len(done), read[0]["status"]) == (1, "paused")


async def test_it_stays_one_round_trip_when_statements_are_prepared(url: str, world: World) -> None:
    async with tapped(url) as tap, Sessions(url=tap.url, size=1, prepare_after=2) as sessions:
        async with sessions.as_service():
            pass  # connected now
        for _ in range(8):
            tap.reset()
            await sessions.call_all(as_(world.ada.user_id), status_of(world.ada.mentor_id))
            assert (tap.round_trips, tap.messages["S"]) == (1, 1)
        # Everything is remembered by now: no statement needs to be parsed again.
        assert tap.messages["P"] == 0


async def test_opening_a_block_and_closing_it_take_one_round_trip_each(url: str, world: World) -> None:
    async with tapped(url) as tap, Sessions(url=tap.url, size=1) as sessions:
        await sessions.call(Service(), "read_mentor_status", {"mentor_id": world.ada.mentor_id})
        tap.reset()
        async with sessions.as_user(as_(world.ada.user_id)):
            assert tap.round_trips == 1
        assert tap.round_trips == 2


async def test_bo_sees_north_and_cy_sees_south(sessions: Sessions, world: World) -> None:
    assert await mentors_seen(sessions, as_(world.bo.user_id)) == {"Ada", "Finn"}
    assert await mentors_seen(sessions, as_(world.cy.user_id)) == {"Finn"}


async def test_a_visitor_may_not_even_look(sessions: Sessions) -> None:
    with pytest.raises(PermissionDenied):
        await mentors_seen(sessions, Claims())


async def test_the_service_sees_every_organisation(sessions: Sessions) -> None:
    async with sessions.as_service() as connection:
        cursor = await connection.execute("select first_name from public.peer_mentors")
        assert {row["first_name"] for row in await cursor.fetchall()} == {"Ada", "Finn", "Greta"}


async def test_no_claim_makes_a_person_somebody_else(sessions: Sessions, world: World) -> None:
    greedy = Claims(
        world.cy.user_id, others={"role": "service_role", "sub": str(world.bo.user_id), "aal": "aal2"}
    )
    async with sessions.as_user(greedy) as connection:
        cursor = await connection.execute(
            "select current_user as me, auth.uid() as uid, auth.jwt() ->> 'aal' as aal, auth.role() as role"
        )
        assert await cursor.fetchone() == {
            "me": "authenticated",
            "uid": world.cy.user_id,
            "aal": "aal2",
            "role": "authenticated",
        }


def test_claims_of_a_visitor_name_nobody() -> None:
    assert json.loads(Claims(others={"sub": "somebody", "role": "service_role"}).to_json()) == {
        "role": "anon"
    }


async def test_a_block_commits_at_its_end(sessions: Sessions, world: World) -> None:
    async with sessions.as_service() as connection:
        await connection.execute("update public.organisations set name = 'Renamed'")
    async with sessions.as_service() as connection:
        cursor = await connection.execute("select distinct name from public.organisations")
        assert await cursor.fetchall() == [{"name": "Renamed"}]


async def test_a_block_that_raises_changes_nothing(sessions: Sessions, world: World) -> None:
    async def rename_and_fail() -> None:
        async with sessions.as_service() as connection:
            await connection.execute("update public.organisations set name = 'Renamed'")
            raise LookupError

    with pytest.raises(LookupError):
        await rename_and_fail()
    async with sessions.as_service() as connection:
        cursor = await connection.execute(
            "select count(*) as renamed from public.organisations where name = 'Renamed'"
        )
        assert await cursor.fetchone() == {"renamed": 0}


async def test_nobody_commits_in_mid_block(sessions: Sessions) -> None:
    with pytest.raises(DatabaseFault):
        async with sessions.as_service() as connection:
            await connection.commit()


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (Step("read_mentor_status", {"mentor_id": UUID(int=0)}), MentorNotFound),
        (pause(UUID(int=0), note="not\0storable"), InvalidArgument),
        (Step("read_mentor_status"), DatabaseFault),
    ],
    ids=["refused by the server", "refused by the driver", "parameter missing"],
)
async def test_a_call_is_done_whole_or_not_at_all(
    sessions: Sessions, world: World, broken: Step, error: type[Exception]
) -> None:
    ada = as_(world.ada.user_id)
    with pytest.raises(error):
        await sessions.call_all(ada, pause(world.ada.mentor_id), broken)
    (row,) = await sessions.call(ada, "read_mentor_status", {"mentor_id": world.ada.mentor_id})
    assert row["status"] == "active"


async def test_a_refused_call_leaves_nothing_behind(sessions: Sessions, world: World) -> None:
    await sessions.call_all(as_(world.ada.user_id), pause(world.ada.mentor_id))
    with pytest.raises(AlreadyPaused):
        await sessions.call_all(as_(world.ada.user_id), pause(world.ada.mentor_id))
    await assert_nothing_is_left(sessions)


async def test_a_block_leaves_nothing_behind(sessions: Sessions, world: World) -> None:
    async with sessions.as_user(as_(world.ada.user_id)):
        pass
    with pytest.raises(LookupError):
        async with sessions.as_user(as_(world.ada.user_id)):
            raise LookupError
    await assert_nothing_is_left(sessions)


async def test_a_cancelled_call_changes_nothing_and_leaves_nothing_behind(
    sessions: Sessions, world: World, database: Database
) -> None:
    async with held(database, world.ada.mentor_id) as watch:
        task = asyncio.create_task(
            sessions.call_all(
                as_(world.ada.user_id), pause(world.ada.mentor_id), status_of(world.ada.mentor_id)
            )
        )
        await watch.until_somebody_waits()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await watch.until_nobody_waits()
    await assert_nothing_is_left(sessions)
    (row,) = await sessions.call(Service(), "read_mentor_status", {"mentor_id": world.ada.mentor_id})
    assert row["status"] == "active"


async def test_a_cancelled_block_changes_nothing_and_leaves_nothing_behind(
    sessions: Sessions, world: World, database: Database
) -> None:
    async def rename_and_wait() -> None:
        async with sessions.as_service() as connection:
            await connection.execute("update public.organisations set name = 'Renamed'")
            await connection.execute("update public.peer_mentors set display_name = 'Renamed'")

    async with held(database, world.ada.mentor_id) as watch:
        task = asyncio.create_task(rename_and_wait())
        await watch.until_somebody_waits()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await watch.until_nobody_waits()
    await assert_nothing_is_left(sessions)
    async with sessions.as_service() as connection:
        cursor = await connection.execute(
            "select count(*) as renamed from public.organisations where name = 'Renamed'"
        )
        assert await cursor.fetchone() == {"renamed": 0}


async def test_a_server_that_hangs_up_in_mid_call_is_unavailable_and_then_back(
    sessions: Sessions, world: World, database: Database
) -> None:
    async with held(database, world.ada.mentor_id) as watch:
        task = asyncio.create_task(sessions.call_all(as_(world.ada.user_id), pause(world.ada.mentor_id)))
        await watch.until_somebody_waits()
        await watch.terminate(await watch.waiting())
        with pytest.raises(Unavailable):
            await task
    (row,) = await sessions.call(Service(), "read_mentor_status", {"mentor_id": world.ada.mentor_id})
    assert row["status"] == "active"


async def test_a_connection_that_died_idle_is_replaced_unseen(
    sessions: Sessions, world: World, database: Database
) -> None:
    async with sessions.as_service() as connection:
        process = connection.info.backend_pid
    async with watching(database) as watch:
        await watch.terminate([process])
    (row,) = await sessions.call(Service(), "read_mentor_status", {"mentor_id": world.ada.mentor_id})
    assert row["status"] == "active"


async def test_an_absent_server_is_unavailable() -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        port = nobody_listens.getsockname()[1]
        async with Sessions(url=f"postgresql://postgres@127.0.0.1:{port}/postgres", patience=0.1) as sessions:
            with pytest.raises(Unavailable):
                await sessions.call(Service(), "read_mentor_status", {"mentor_id": UUID(int=0)})
            with pytest.raises(Unavailable):
                async with sessions.as_service():
                    pytest.fail("there is no session without a server")


async def test_who_finds_every_connection_taken_is_told_to_come_again(url: str, world: World) -> None:
    async with Sessions(url=url, size=1, patience=0.1) as sessions, sessions.as_service():
        with pytest.raises(Unavailable):
            await sessions.call(Service(), "read_mentor_status", {"mentor_id": world.ada.mentor_id})


async def test_nobody_waits_for_a_lock_for_ever(url: str, world: World, database: Database) -> None:
    async with (
        held(database, world.ada.mentor_id),
        Sessions(url=url, size=1, lock_timeout="20ms") as sessions,
    ):
        with pytest.raises(Unavailable, match="nothing was changed"):
            await sessions.call_all(as_(world.ada.user_id), pause(world.ada.mentor_id))


async def test_behind_an_old_pooler_the_server_is_asked_to_remember_nothing(url: str, world: World) -> None:
    assert await remembered_after_ten_calls(url, world, prepare_after=5) > 0
    assert await remembered_after_ten_calls(url, world, prepare_after=None) == 0


async def test_a_remembered_statement_obeys_whoever_asks_next(url: str, world: World) -> None:
    async with Sessions(url=url, size=1, prepare_after=0) as sessions:
        for _ in range(7):  # the server settles for one plan after five
            await sessions.call_all(as_(world.bo.user_id), status_of(world.ada.mentor_id))
        with pytest.raises(MentorNotFound):
            await sessions.call_all(as_(world.cy.user_id), status_of(world.ada.mentor_id))


async def test_the_gateways_login_can_do_nothing_as_itself(database: Database, world: World) -> None:
    with psycopg.connect(database.server.url(database.name, user="authenticator")) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select 1 from public.peer_mentors")
        connection.rollback()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select 1 from public.get_mentor_status(%s)", [world.ada.mentor_id])


async def remembered_after_ten_calls(url: str, world: World, *, prepare_after: int | None) -> int:
    async with Sessions(url=url, size=1, prepare_after=prepare_after) as sessions:
        for _ in range(10):
            await sessions.call_all(as_(world.ada.user_id), status_of(world.ada.mentor_id))
        async with sessions.as_service() as connection:
            cursor = await connection.execute("select count(*) as remembered from pg_prepared_statements")
            row = await cursor.fetchone()
    assert row is not None
    return int(row["remembered"])


async def assert_nothing_is_left(sessions: Sessions) -> None:
    """The pool's only connection is nobody's: no transaction, no role, no claims."""
    async with sessions._pool.connection() as connection:
        assert connection.info.transaction_status is TransactionStatus.IDLE
        cursor = await connection.execute(
            "select current_setting('role') as role, coalesce(current_setting('request.jwt.claims', true), '') as claims,"
            " session_user = current_user as as_itself, current_setting('peerpause.change', true) as change"
        )
        row = await cursor.fetchone()
        assert row is not None
        assert (row["role"], row["claims"], row["as_itself"], row["change"] or "") == ("none", "", True, "")


class Watch:
    """Somebody above it all who looks at who waits for whom."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def waiting(self) -> list[int]:
        cursor = await self._connection.execute(
            "select pid from pg_stat_activity where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0"
        )
        return [row["pid"] for row in await cursor.fetchall()]

    async def until_somebody_waits(self) -> None:
        await self._until(bool)

    async def until_nobody_waits(self) -> None:
        await self._until(lambda waiting: not waiting)

    async def terminate(self, processes: list[int]) -> None:
        """Returns when they are gone."""
        await self._connection.execute(
            "select pg_terminate_backend(pid, 10000) from unnest(%s::integer[]) as pid", [processes]
        )

    async def _until(self, reached: Callable[[list[int]], bool]) -> None:
        async with asyncio.timeout(20):
            while not reached(await self.waiting()):
                pass


@asynccontextmanager
async def watching(database: Database) -> AsyncIterator[Watch]:
    async with await Connection.connect(
        database.url, autocommit=True, row_factory=psycopg.rows.dict_row
    ) as above:
        yield Watch(above)


@asynccontextmanager
async def held(database: Database, mentor_id: UUID) -> AsyncIterator[Watch]:
    """While somebody else holds the mentor's row."""
    async with await psycopg.AsyncConnection[Any].connect(database.url) as holder:
        await holder.execute("select 1 from public.peer_mentors where id = %s for update", [mentor_id])
        async with watching(database) as watch:
            yield watch
        await holder.rollback()


@pytest.mark.parametrize("refusals", range(1, 9))
async def test_a_statement_that_was_skipped_behind_a_refusal_is_not_taken_for_prepared(
    sessions: Sessions, world: World, refusals: int
) -> None:
    """However often it was sent in vain before: one of the times is the one at which the driver would have it prepared."""
    for _ in range(refusals):
        with pytest.raises(MentorNotFound):
            await sessions.call_all(
                as_(world.bo.user_id), status_of(world.greta.mentor_id), status_of(world.ada.mentor_id)
            )
    for _ in range(6):
        unread, _row = await sessions.call_all(
            as_(world.bo.user_id), Step("count_unread"), status_of(world.ada.mentor_id)
        )
        assert unread == [{"unread": 0}]
        with pytest.raises(MentorNotFound):
            await sessions.call_all(
                as_(world.bo.user_id), status_of(world.greta.mentor_id), Step("count_unread")
            )


@pytest.mark.parametrize(("caller", "kept"), [(Service(), 0), (Claims(uuid4()), 1)], ids=["system", "person"])
async def test_the_systems_statements_are_planned_for_the_tables_as_they_are(
    database: Database, caller: Service | Claims, kept: int
) -> None:
    """A plan kept from when a queue was empty would make it grow without end; a person's statements are about a few rows always."""
    async with Sessions(url=database.url, size=1, prepare_after=0) as sessions:
        await sessions.call(caller, "public_roster", {"chapter_id": uuid4()})
        async with sessions.as_service() as connection:
            cursor = await connection.execute("select statement from pg_prepared_statements")
            statements = [row["statement"] for row in await cursor.fetchall()]
    assert sum("public_chapter_roster" in statement for statement in statements) == kept
