"""What the tests of the worker share: the cast, a stand-in for Google, and the settings that lead there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from pydantic import SecretStr

from peerpause.demo.fcm_standin import FcmStandin
from peerpause.settings import Settings
from peerpause.worker.schema import ensure_schema
from tests.cast import World, add_device, build_world
from tests.database.acting import Session, owner_session
from tests.servers import Database

BOS_PHONE = "bos-phone"


@pytest.fixture
async def world(database: Database) -> World:
    """The cast, with a phone for Bo, and Procrastinate's tables."""
    await ensure_schema(database.url)
    world = build_world(database.url)
    with owner_session(database) as session:
        add_device(session, world.bo, BOS_PHONE)
    return world


@pytest.fixture
def owner(database: Database) -> Iterator[Session]:
    """The session of the tables' owner."""
    with owner_session(database) as session:
        yield session


@pytest.fixture
async def standin() -> AsyncIterator[FcmStandin]:
    """What takes the place of Google."""
    async with FcmStandin() as running:
        yield running


@pytest.fixture
def settings(standin: FcmStandin) -> Settings:
    """Settings that send pushes to the stand-in."""
    return Settings(fcm_credentials=SecretStr(standin.credentials), fcm_endpoint=standin.endpoint)
