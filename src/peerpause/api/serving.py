"""The HTTP face as a process: what uvicorn starts, once or several times on one port."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import uvicorn
from fastapi import FastAPI

from peerpause.api.app import create_app
from peerpause.api.patience import PatientProtocol
from peerpause.settings import load_settings
from peerpause.telemetry import configure_logging

LAST_REQUESTS: Final = 30
"""Seconds that requests under way have to finish after SIGTERM."""

HTTP_SERVER: Final[Mapping[str, Any]] = {
    "http": PatientProtocol,
    "log_config": None,
    "access_log": False,
    "server_header": False,
}
"""What uvicorn is told wherever we serve: by the command, in the demo and in tests."""


def serve(*, host: str, port: int, processes: int, with_worker: bool) -> None:
    """Serve until SIGTERM or Ctrl-C, with ``processes`` processes that share the port; a process that dies is started again.

    The settings come from the environment, because each process reads them for itself.
    """
    name = with_a_worker.__name__ if with_worker else without_a_worker.__name__
    uvicorn.run(
        f"{__name__}:{name}",
        factory=True,
        host=host,
        port=port,
        workers=processes,
        **HTTP_SERVER,
        timeout_keep_alive=65,  # longer than load balancers keep theirs
        timeout_graceful_shutdown=LAST_REQUESTS,
    )


def with_a_worker() -> FastAPI:
    """The app of a process that also tells changes."""
    return _app(with_worker=True)


def without_a_worker() -> FastAPI:
    """The app of a process that answers requests and nothing else."""
    return _app(with_worker=False)


def _app(*, with_worker: bool) -> FastAPI:
    settings = load_settings()
    configure_logging(level=settings.log_level)
    return create_app(settings, database_url=settings.require("database_url"), with_worker=with_worker)
