"""What the tests of the API share: the cast in a database of the test's own, and the API on it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.api.serving import Api, serving
from tests.cast import World, build_world
from tests.servers import Database


@pytest.fixture
def world(database: Database) -> World:
    return build_world(database.url)


@pytest.fixture
async def api(database: Database, world: World) -> AsyncIterator[Api]:
    async with serving(database) as api:
        yield api
