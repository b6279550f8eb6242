"""What the tests of the web pages share: the cast in a database of the test's own, a pool on it, and its owner's session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from peerpause.database.session import Sessions
from tests.cast import World, build_world
from tests.database.acting import Session, owner_session
from tests.servers import Database


@pytest.fixture
def world(database: Database) -> World:
    return build_world(database.url)


@pytest.fixture
def owner(database: Database) -> Iterator[Session]:
    with owner_session(database) as session:
        yield session


@pytest.fixture
async def sessions(database: Database) -> AsyncIterator[Sessions]:
    """A pool by the login that a real installation has."""
    async with Sessions(url=database.server.url(database.name, user="authenticator"), size=4) as opened:
        yield opened
