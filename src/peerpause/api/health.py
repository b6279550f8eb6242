"""Whether the process lives, whether it is ready, and its figures. For load balancers and Prometheus, not for people's data."""

from __future__ import annotations

import ipaddress
import os
from typing import Literal

import structlog
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from pydantic import BaseModel, Field

from peerpause.auth.callers import Doorkeeper
from peerpause.database.functions import client_function_names
from peerpause.database.session import Service, Sessions
from peerpause.errors import NotSignedIn, PeerPauseError, Unavailable
from peerpause.telemetry import Event

router = APIRouter(tags=["health"])

_log = structlog.get_logger(__name__)


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether requests can be served, and what of it is missing."""

    ready: bool
    database: Literal["ok", "away"]
    migrations: Literal["current", "pending", "unknown"]
    worker: Literal["alive", "missing", "unknown"] = Field(
        description="Whether a worker was alive within half a minute. Without one changes are made, but nobody is told of them."
    )


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


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request) -> Response:
    """Figures for Prometheus: for whoever holds the service key, and for programs on this very machine."""
    if not _is_from_here(request):
        doorkeeper: Doorkeeper = request.app.state.doorkeeper
        caller = await doorkeeper.admit(
            authorization=request.headers.get("authorization"), apikey=request.headers.get("apikey")
        )
        if not isinstance(caller, Service):
            raise NotSignedIn("The figures are not public.", hint="Send the service key as the bearer token.")
    return Response(generate_latest(_registry()), media_type=CONTENT_TYPE_LATEST)


async def _look(sessions: Sessions) -> Readiness:
    try:
        names = sorted(client_function_names())
        rows = await sessions.call(Service(), "read_functions", {"names": names})
    except Unavailable:
        return Readiness(ready=False, database="away", migrations="unknown", worker="unknown")
    except PeerPauseError:  # not even our roles are there
        return Readiness(ready=False, database="ok", migrations="pending", worker="unknown")
    is_current = {row["function_name"] for row in rows} >= set(names)
    return Readiness(
        ready=is_current,
        database="ok",
        migrations="current" if is_current else "pending",
        worker=await _worker(sessions),
    )


async def _worker(sessions: Sessions) -> Literal["alive", "missing", "unknown"]:
    try:
        (row,) = await sessions.call(Service(), "read_last_heartbeat")
    except PeerPauseError as error:  # the worker's tables may not be there yet
        _log.debug(Event.WORKER_INTERRUPTED, part="heartbeat", error=error.code)
        return "unknown"
    return "alive" if row["is_alive"] else "missing"


def _is_from_here(request: Request) -> bool:
    # A proxy on this machine speaks for others: what it passes on is not from here.
    if any(name in request.headers for name in ("forwarded", "x-forwarded-for", "x-real-ip", "via")):
        return False
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _registry() -> CollectorRegistry:
    """This process's figures, or those of all processes where Prometheus's own variable says where they keep them."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # it has no types
    return registry
