"""Puts the HTTP face together: the rooms' routes, who asks, how refusals are answered, and what lives as long as the process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final

import aiohttp
import structlog
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.middleware.cors import CORSMiddleware

from peerpause.api import edge_functions, events, health, supabase
from peerpause.api.describing import SUMMARY, VERSION, describe
from peerpause.api.docs_page import docs_routes
from peerpause.api.manners import Manners, RequestFigures
from peerpause.api.problems import answer_refusals
from peerpause.api.repeating import Repeating, kept_by_the_database
from peerpause.api.told import ToldChanges
from peerpause.auth.callers import Doorkeeper
from peerpause.auth.keys import KeySet, fetch_from
from peerpause.auth.limits import ChangeLimiter, SharedLimiter
from peerpause.auth.tokens import TokenVerifier
from peerpause.certifications import routes as certifications
from peerpause.database.functions import ClientFunctions
from peerpause.directory import routes as directory
from peerpause.errors import ConfigurationError, Unavailable
from peerpause.notifications import routes as notifications
from peerpause.roster import routes as roster
from peerpause.settings import Settings
from peerpause.status import routes as status
from peerpause.telemetry import Event, Metrics
from peerpause.web import admin_import
from peerpause.web.gate import gate, require_whole_settings
from peerpause.web.refusals import nothing_there
from peerpause.web.router import web_router
from peerpause.wiring import Services, services
from peerpause.worker.run import background
from peerpause.worker.telling import Telling

_ROUTERS = (
    status.router, notifications.router, certifications.router, directory.router, roster.router,
    events.router, supabase.router, edge_functions.router, health.router,
)  # fmt: skip
_CORS_HEADERS = (
    "Authorization", "Apikey", "X-Client-Info", "Content-Type", "Content-Profile", "Accept-Profile", "Prefer",
    "If-Match", "If-None-Match", "Idempotency-Key", "X-Request-Id", "Last-Event-ID",
)  # fmt: skip
_WAIT_FOR_DATABASE: Final = 5.0
_CORS_SEEN = (
    "ETag", "X-Request-Id", "Content-Range", "Retry-After", "Preference-Applied", "RateLimit", "RateLimit-Policy", "WWW-Authenticate",
)  # fmt: skip

_log = structlog.get_logger(__name__)


def create_app(
    settings: Settings, *, database_url: str, with_worker: bool, metrics: Metrics | None = None
) -> FastAPI:
    """The HTTP API on one database; ``with_worker`` also tells changes and does what happens by the clock.

    ``metrics`` are the process's own; two apps in one process need two. Raises ``ConfigurationError`` where nothing is set that
    tokens could be checked with.
    """
    if settings.jwt_secret is None and settings.jwks_url is None:
        raise ConfigurationError(
            "Neither PEERPAUSE_JWT_SECRET nor PEERPAUSE_JWKS_URL is set, so nobody could sign in.",
            hint="Set PEERPAUSE_JWT_SECRET to the project's JWT secret, or PEERPAUSE_JWKS_URL to the address of its public keys.",
        )

    require_whole_settings(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            parts = await stack.enter_async_context(
                services(settings, database_url=database_url, metrics=metrics)
            )
            app.state.services = parts
            app.state.functions = ClientFunctions(sessions=parts.sessions)
            app.state.gate = await stack.enter_async_context(gate(settings, parts.sessions))
            app.state.doorkeeper = await _doorkeeper(settings, stack)
            await _limits(app, settings, parts, stack)
            app.state.told = ToldChanges(url=database_url)
            app.state.event_slots = asyncio.Semaphore(events.MOST_STREAMS)
            await stack.enter_async_context(app.state.told.listening())
            stack.enter_context(events.closing_early(app.state.told))
            if with_worker:
                await stack.enter_async_context(_worker(parts, database_url))
            yield

    # The description is public, and our own page shows it: the usual one loads scripts from elsewhere.
    app = FastAPI(
        title="PeerPause", summary=SUMMARY, version=VERSION, lifespan=lifespan, docs_url=None, redoc_url=None
    )
    app.state.public_url = settings.public_url
    for router in _ROUTERS:
        app.include_router(router)
    app.include_router(docs_routes())
    app.include_router(web_router())
    answer_refusals(app, nothing_there=nothing_there)
    describe(app)
    _add_manners(app, settings)
    return app


def _add_manners(app: FastAPI, settings: Settings) -> None:
    def figures() -> RequestFigures | None:
        parts: Services | None = getattr(app.state, "services", None)
        return None if parts is None else parts.metrics

    app.add_middleware(Repeating, kept_elsewhere=kept_by_the_database(_ROUTERS))
    if settings.cors_origins is not None:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=[origin.strip() for origin in settings.cors_origins.split(",")],
            allow_methods=["GET", "HEAD", "POST", "PUT", "DELETE"],
            allow_headers=_CORS_HEADERS,
            expose_headers=_CORS_SEEN,
            max_age=600,
        )
    only_https = (settings.public_url or "").startswith("https://")
    app.add_middleware(
        Manners,
        figures=figures,
        only_https=only_https,
        larger_bodies={admin_import.PATHS: admin_import.LARGEST_BODY},
    )


async def _limits(app: FastAPI, settings: Settings, parts: Services, stack: AsyncExitStack) -> None:
    changes = ChangeLimiter(counting=parts.sessions, per_minute=settings.changes_per_minute)
    sign_ins = SharedLimiter(
        counting=parts.sessions, scope="sign-ins", per_minute=settings.sign_ins_per_minute
    )
    for limiter in (changes.shared, sign_ins):
        await stack.enter_async_context(limiter.reporting())
    app.state.limiter = changes
    app.state.sign_ins = sign_ins


async def _doorkeeper(settings: Settings, stack: AsyncExitStack) -> Doorkeeper:
    keys = None
    if settings.jwks_url is not None:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        keys = KeySet(fetch=fetch_from(settings.jwks_url, session))
    return Doorkeeper(
        verifier=TokenVerifier(
            secret=_secret(settings.jwt_secret),
            keys=keys,
            audience=settings.jwt_audience,
            issuer=settings.jwt_issuer,
        ),
        service_key=_secret(settings.service_key),
    )


def _secret(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


@asynccontextmanager
async def _worker(parts: Services, database_url: str) -> AsyncIterator[None]:
    """Run the worker beside the API. It ends before the API does, having let what is under way finish."""
    stop = asyncio.Event()
    working = asyncio.create_task(_work(parts, database_url, stop))
    try:
        yield
    finally:
        stop.set()
        await working


async def _work(parts: Services, database_url: str, stop: asyncio.Event) -> None:
    while not stop.is_set():
        telling = Telling(outbox=parts.outbox, senders=parts.senders, bell=parts.bell)
        try:
            async with background(tools=parts, telling=telling, bell=parts.bell, listen_url=database_url):
                await stop.wait()
        except Unavailable as error:
            # Only at the start; later the worker survives it by itself. The API says meanwhile that the database is away.
            _log.warning(Event.WORKER_INTERRUPTED, part="worker", error=error.code)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _WAIT_FOR_DATABASE)
        except Exception as error:
            # Changes would be made and nobody told. The requests under way finish, and whoever watches over us starts us anew.
            _log.error(Event.WORKER_INTERRUPTED, part="worker", error=type(error).__name__, exc_info=True)
            os.kill(os.getpid(), signal.SIGTERM)
            return
