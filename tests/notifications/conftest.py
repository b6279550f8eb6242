"""What the tests of the way to the coordinator share: the cast, sessions as the service, a stand-in for Google, and the parts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from peerpause.database.session import Sessions
from peerpause.demo.fcm_standin import FcmStandin
from tests.cast import World, build_world
from tests.database.acting import Session, owner_session
from tests.notifications.pipeline import Pipeline, opened_pipeline
from tests.servers import Database


@pytest.fixture
def world(database: Database) -> World:
    """The cast in the test's own database, with nothing left to tell about how they started."""
    return build_world(database.url)


@pytest.fixture
def owner(database: Database) -> Iterator[Session]:
    """The session of the tables' owner."""
    with owner_session(database) as session:
        yield session


@pytest.fixture
async def sessions(database: Database) -> AsyncIterator[Sessions]:
    """Sessions on the test's own database."""
    async with Sessions(url=database.url) as opened:
        yield opened


@pytest.fixture
async def standin() -> AsyncIterator[FcmStandin]:
    """What takes the place of Google."""
    async with FcmStandin() as running:
        yield running


@pytest.fixture
async def pipeline(world: World, sessions: Sessions, standin: FcmStandin) -> AsyncIterator[Pipeline]:
    """Outbox, sender and service, put together as in `wiring`, sending to the stand-in."""
    async with opened_pipeline(sessions, standin) as opened:
        yield opened
