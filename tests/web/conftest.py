"""What the tests of the web pages share: the cast in a database of the test's own, a pool on it, and its owner's session.

Most tests of pages need less: `pages`, the app on a database with the cast (`town`) that all tests of a module share.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from peerpause.database.session import Sessions
from tests.cast import World, build_world
from tests.database.acting import Session, owner_session
from tests.servers import Database
from tests.web.pages import Pages, opened_pages


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


@pytest.fixture(scope="module")
def town(module_database: Database) -> World:
    """The cast, in a database that the tests of one module share."""
    return build_world(module_database.url)


@pytest.fixture
async def pages(module_database: Database, town: World) -> AsyncIterator[Pages]:
    """The pages of that town."""
    async with opened_pages(module_database) as opened:
        yield opened
