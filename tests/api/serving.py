"""The API of one database on a port of its own, and the people who call it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import uvicorn
from prometheus_client import CollectorRegistry

from peerpause.api.app import create_app
from peerpause.api.serving import HTTP_SERVER
from peerpause.auth.tokens import Role, issue_token
from peerpause.settings import Settings
from peerpause.telemetry import Metrics
from tests.cast import Person
from tests.servers import Database

SECRET = "a secret of more than thirty-two bytes, for tests"
SERVICE_KEY = "a service key of more than thirty-two bytes"


def token(person: Person) -> str:
    """An access token of this person's."""
    return issue_token(secret=SECRET, sub=person.user_id)


def role_key(role: Role) -> str:
    """The key of a role, as Supabase gives every project one for anon and one for service_role."""
    return issue_token(secret=SECRET, sub=None, role=role, expires_in=timedelta(days=365))


@dataclass(frozen=True, slots=True)
class Api:
    """A running API. ``as_`` speaks as a person, ``as_service`` with the service key, ``as_visitor`` as nobody."""

    url: str
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    def as_(self, person: Person) -> httpx.AsyncClient:
        return self.with_headers(Authorization=f"Bearer {token(person)}")

    def as_service(self) -> httpx.AsyncClient:
        return self.with_headers(Authorization=f"Bearer {SERVICE_KEY}")

    def as_visitor(self) -> httpx.AsyncClient:
        return self.with_headers()

    def with_headers(self, **headers: str) -> httpx.AsyncClient:
        client = httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30)
        self.clients.append(client)
        return client


def settings(**changed: Any) -> Settings:
    """Settings that leave the environment out of it."""
    return Settings(
        **{
            "jwt_secret": SECRET,
            "service_key": SERVICE_KEY,
            "changes_per_minute": 0,
            "sign_ins_per_minute": 0,
            **changed,
        }
    )


@asynccontextmanager
async def serving(
    database: Database | str, *, with_worker: bool = False, **changed: Any
) -> AsyncIterator[Api]:
    """Serve the API on a database, by the login a real installation has."""
    if isinstance(database, Database):
        database = database.server.url(database.name, user="authenticator")
    app = create_app(
        settings(**changed),
        database_url=database,
        with_worker=with_worker,
        metrics=Metrics(CollectorRegistry()),
    )
    async with listening(app) as url:
        api = Api(url)
        try:
            yield api
        finally:
            for client in api.clients:
                await client.aclose()


@asynccontextmanager
async def listening(app: Any, *, port: int = 0) -> AsyncIterator[str]:
    """Serve an ASGI app in this very loop, on a free port unless one is named."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                **HTTP_SERVER,
                lifespan="on",
                timeout_graceful_shutdown=5,
            )
        )
        running = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            if running.done():
                running.result()
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running
