"""The pages of a database with the cast in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.api.serving import Api, serving
from tests.cast import World, build_world
from tests.servers import Database


@pytest.fixture(scope="module")
def world(module_database: Database) -> World:
    """The cast, in a database that the tests of one module share."""
    return build_world(module_database.url)


@pytest.fixture
async def api(module_database: Database, world: World) -> AsyncIterator[Api]:
    """The app on that database."""
    async with serving(module_database) as running:
        yield running
