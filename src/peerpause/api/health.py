"""Whether the process lives, whether it is ready, and its figures. For load balancers and Prometheus, not for people's data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final, Literal

import structlog
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from pydantic import BaseModel, Field

from peerpause import sql
from peerpause.auth.callers import OnlyService
from peerpause.database.session import Service, Sessions
from peerpause.errors import PeerPauseError, Unavailable
from peerpause.telemetry import Event

router = APIRouter(tags=["health"])

_log = structlog.get_logger(__name__)


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Shortcoming(BaseModel):
    """A check that failed, and what to do about it."""

    check: Literal["database", "migrations", "worker"]
    detail: str
    hint: str


class Readiness(BaseModel):
    """Whether requests can be served, and what of it is missing."""

    ready: bool
    database: Literal["ok", "away"]
    migrations: Literal["current", "pending", "unknown"]
    worker: Literal["alive", "missing", "unknown"] = Field(
        description="Whether a worker was alive within half a minute. Without one changes are made, but nobody is told of them,"
        " so it is named below; requests are answered all the same."
    )
    problems: list[Shortcoming] = Field(description="The checks that failed; empty where all is well.")


@router.get("/healthz")
async def healthz() -> Alive:
    """The process lives. Asks nobody else, so that a database away restarts no process."""
    return Alive()


@router.get("/readyz", responses={503: {"model": Readiness, "description": "Not ready: see which part."}})
async def readyz(request: Request, response: Response) -> Readiness:
    """Ready to serve: the database answers, and its migrations are those of this program."""
    readiness = await _look(request.app.state.services.sessions)
    if not readiness.ready:
        response.status_code = 503
        response.headers["Retry-After"] = "5"
    return readiness


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(_service: OnlyService) -> Response:
    """Figures for Prometheus, for whoever holds the service key: as its `credentials` of type Bearer."""
    return Response(generate_latest(_registry()), media_type=CONTENT_TYPE_LATEST)


async def _look(sessions: Sessions) -> Readiness:
    try:
        rows = await sessions.call(Service(), "read_applied_migrations")
    except Unavailable:
        return _readiness("away", "unknown", "unknown", [_AWAY])
    except PeerPauseError:  # neither our roles nor the ledger's reader are there
        rows = []
    applied = {row["version"] for row in rows}
    pending = [migration.stem for migration in sql.migrations() if migration.version not in applied]
    worker = await _worker(sessions)
    problems = [_pending(pending)] if pending else []
    if worker != "alive":
        problems.append(_NO_WORKER)
    return _readiness("ok", "pending" if pending else "current", worker, problems)


def _readiness(
    database: Literal["ok", "away"],
    migrations: Literal["current", "pending", "unknown"],
    worker: Literal["alive", "missing", "unknown"],
    problems: list[Shortcoming],
) -> Readiness:
    return Readiness(
        ready=database == "ok" and migrations == "current",
        database=database,
        migrations=migrations,
        worker=worker,
        problems=problems,
    )


def _pending(stems: Sequence[str]) -> Shortcoming:
    return Shortcoming(
        check="migrations",
        detail=f"{len(stems)} of this program's migrations {'is' if len(stems) == 1 else 'are'} not in the database: "
        + ", ".join(stems[:5])
        + ("." if len(stems) <= 5 else ", …"),
        hint="Run `peerpause migrate up`.",
    )


_AWAY: Final = Shortcoming(
    check="database",
    detail="The database cannot be reached.",
    hint="See that PostgreSQL runs and that PEERPAUSE_DATABASE_URL leads to it; this process finds it again by itself.",
)
_NO_WORKER: Final = Shortcoming(
    check="worker",
    detail="No worker was alive within half a minute: changes are made, but nobody is told of them.",
    hint="Run `peerpause worker`, or `peerpause serve` without --no-worker.",
)


async def _worker(sessions: Sessions) -> Literal["alive", "missing", "unknown"]:
    try:
        (row,) = await sessions.call(Service(), "read_last_heartbeat")
    except PeerPauseError as error:  # the worker's tables may not be there yet
        _log.debug(Event.WORKER_INTERRUPTED, part="heartbeat", error=error.code)
        return "unknown"
    return "alive" if row["is_alive"] else "missing"


def _registry() -> CollectorRegistry:
    """This process's figures, or those of all processes where Prometheus's own variable says where they keep them."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # it has no types
    return registry
