"""What the tests of the database share: the cast, already in place, and its owner's session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cast import World, build_world
from tests.database.acting import Session, owner_session
from tests.servers import Database


@pytest.fixture
def world(database: Database) -> World:
    """The cast in the test's own database."""
    return build_world(database.url)


@pytest.fixture(scope="module")
def shared_world(module_database: Database) -> World:
    """The cast in the module's database, for tests that change nothing or put back what they changed."""
    return build_world(module_database.url)


@pytest.fixture
def owner(database: Database) -> Iterator[Session]:
    """The session of the tables' owner."""
    with owner_session(database) as session:
        yield session
