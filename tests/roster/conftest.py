"""What the tests of the roster share: the cast in the test's own database, its owner's session, and the roster's routes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI

from peerpause.api.problems import answer_refusals
from peerpause.auth.callers import Doorkeeper
from peerpause.auth.limits import ChangeLimiter, SharedLimiter
from peerpause.auth.tokens import TokenVerifier
from peerpause.database.session import Sessions
from peerpause.roster.endpoints import WebhookEndpoints
from peerpause.roster.routes import router
from tests.api.serving import SECRET
from tests.cast import World, build_world
from tests.database.acting import Session, owner_session
from tests.servers import Database


@pytest.fixture
def world(database: Database) -> World:
    """The cast; nobody needs a certificate unless a test says so."""
    return build_world(database.url)


@pytest.fixture(scope="module")
def shared_world(module_database: Database) -> World:
    """The cast in the module's database, for tests that change nothing others look at."""
    return build_world(module_database.url)


@pytest.fixture
async def shared_sessions(module_database: Database) -> AsyncIterator[Sessions]:
    """A pool on the module's database."""
    async with Sessions(url=module_database.url, size=2) as opened:
        yield opened


@pytest.fixture
def owner(database: Database) -> Iterator[Session]:
    """The session of the tables' owner."""
    with owner_session(database) as session:
        yield session


@pytest.fixture
async def sessions(database: Database) -> AsyncIterator[Sessions]:
    """A pool as the program has one."""
    async with Sessions(url=database.url, size=4) as opened:
        yield opened


class OnlyExampleOrg:
    """Says of one website that it is public, and of all others that they are not."""

    async def leads_to_the_public(self, url: str) -> bool:
        return url.startswith("https://www.example.org/")


@pytest.fixture
async def http(sessions: Sessions, world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A visitor of the roster's routes; with a token of `tests.api.serving` anybody else."""
    app = FastAPI()
    endpoints = WebhookEndpoints(sessions=sessions, addresses=OnlyExampleOrg())
    app.state.services = SimpleNamespace(sessions=sessions, webhook_endpoints=endpoints)
    app.state.doorkeeper = Doorkeeper(verifier=TokenVerifier(secret=SECRET), service_key=None)
    app.state.limiter = ChangeLimiter(counting=sessions, per_minute=0)
    app.state.sign_ins = SharedLimiter(counting=sessions, scope="sign-ins", per_minute=0)
    app.include_router(router)
    answer_refusals(app)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="https://peerpause.test"
    ) as client:
        yield client
