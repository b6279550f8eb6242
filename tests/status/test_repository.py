"""The PostgreSQL repository keeps the contract, in one round trip a call, and loses no race unnoticed."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from peerpause.database.session import Caller, Service, Sessions
from peerpause.errors import AlreadyPaused, Conflict, Unavailable
from peerpause.status.repository import MentorStatusRepository, PostgresMentorStatusRepository
from peerpause.status.rules import MentorStatusRecord
from tests.cast import World, build_world
from tests.database.wiretap import tapped
from tests.servers import Database
from tests.status.contract import MentorStatusRepositoryContract, Open, as_


class TestPostgresMentorStatusRepository(MentorStatusRepositoryContract):
    @pytest.fixture
    async def open_as(self, database: Database) -> AsyncIterator[Open]:
        # The way in that a real installation has: a login that can do nothing by itself.
        async with Sessions(url=database.server.url(database.name, user="authenticator"), size=2) as sessions:

            def open_as(caller: Caller) -> MentorStatusRepository:
                return PostgresMentorStatusRepository(sessions=sessions, caller=caller)

            yield open_as


@pytest.fixture
def world(database: Database) -> World:
    return build_world(database.url)


async def test_every_call_takes_one_round_trip(database: Database, world: World) -> None:
    async with tapped(database.url) as tap, Sessions(url=tap.url, size=1) as sessions:
        ada = PostgresMentorStatusRepository(sessions=sessions, caller=as_(world.ada))
        bo = PostgresMentorStatusRepository(sessions=sessions, caller=as_(world.bo))
        await ada.fetch_mentor_status(world.ada.mentor_id)  # connected now
        for request in (
            ada.fetch_mentor_status(world.ada.mentor_id),
            ada.pause_mentor(world.ada.mentor_id, "illness"),
            ada.update_expected_return(world.ada.mentor_id, None),
            ada.reactivate_mentor(world.ada.mentor_id),
            ada.deactivate_mentor(world.ada.mentor_id, "resigned"),
            ada.fetch_status_history(world.ada.mentor_id),
            ada.cancel_scheduled_pause(world.ada.mentor_id),
            bo.fetch_active_mentors_for_chapter(world.north.chapter_id),
        ):
            tap.reset()
            await request
            assert (tap.round_trips, tap.messages["S"]) == (1, 1)


async def test_of_two_parallel_pauses_one_wins_and_the_other_hears_of_it(
    database: Database, world: World
) -> None:
    async with Sessions(url=database.url, size=2) as sessions:
        bo = PostgresMentorStatusRepository(sessions=sessions, caller=as_(world.bo))
        ada = PostgresMentorStatusRepository(sessions=sessions, caller=as_(world.ada))
        outcomes = await asyncio.gather(
            ada.pause_mentor(world.ada.mentor_id, "illness"),
            bo.pause_mentor(world.ada.mentor_id, "coordinator_pause"),
            return_exceptions=True,
        )
        (won,) = [outcome for outcome in outcomes if isinstance(outcome, MentorStatusRecord)]
        (lost,) = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert type(lost) is AlreadyPaused
        assert await ada.fetch_mentor_status(world.ada.mentor_id) == won


async def test_of_two_parallel_changes_of_one_view_one_is_a_conflict(
    database: Database, world: World
) -> None:
    async with Sessions(url=database.url, size=2) as sessions:
        ada = PostgresMentorStatusRepository(sessions=sessions, caller=as_(world.ada))
        seen = (await ada.fetch_mentor_status(world.ada.mentor_id)).updated_at
        outcomes = await asyncio.gather(
            ada.pause_mentor(world.ada.mentor_id, "illness", expected_updated_at=seen),
            ada.deactivate_mentor(world.ada.mentor_id, "resigned", expected_updated_at=seen),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes if isinstance(outcome, BaseException)] == [Conflict]
        assert len(await ada.fetch_status_history(world.ada.mentor_id)) == 2


async def test_an_absent_database_is_unavailable(world: World) -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        url = f"postgresql://postgres@127.0.0.1:{nobody_listens.getsockname()[1]}/postgres"
        async with Sessions(url=url, patience=0.1) as sessions:
            repository = PostgresMentorStatusRepository(sessions=sessions, caller=Service())
            with pytest.raises(Unavailable):
                await repository.pause_mentor(world.ada.mentor_id, "other")
