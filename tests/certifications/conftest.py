"""What the tests of certificates share: the cast in an organisation that requires one, the owner's session, the job, the clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from peerpause.certifications.expiry import CertificationExpiryJob
from peerpause.database.session import Sessions
from tests.cast import World, build_world, require_certificate
from tests.database.acting import Session, owner_session
from tests.servers import Database


@pytest.fixture
def world(database: Database) -> World:
    """The cast; Ada's and Finn's organisation requires a certificate, Greta's does not."""
    world = build_world(database.url)
    with psycopg.connect(database.url) as connection:
        require_certificate(connection, world.organisation_id)
    return world


@pytest.fixture
def owner(database: Database) -> Iterator[Session]:
    """The session of the tables' owner."""
    with owner_session(database) as session:
        yield session


@pytest.fixture
async def sessions(database: Database) -> AsyncIterator[Sessions]:
    """A pool as the program has one."""
    async with Sessions(url=database.url, size=4) as sessions:
        yield sessions


@pytest.fixture
def job(sessions: Sessions) -> CertificationExpiryJob:
    """The check, in batches so small that every run has several."""
    return CertificationExpiryJob(sessions=sessions, batch=2)
