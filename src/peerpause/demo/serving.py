"""The demo's HTTP face: the API and the public pages, on a port of this machine, with a secret made for this run."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import uvicorn
from pydantic import SecretStr

from peerpause.api.app import create_app
from peerpause.api.serving import HTTP_SERVER
from peerpause.auth.tokens import issue_token
from peerpause.demo.pages import add_demo_pages
from peerpause.demo.stage import Stage
from peerpause.errors import ConfigurationError
from peerpause.settings import Settings

_LAST_REQUESTS = 5
_LOOK_AGAIN = 0.02


@dataclass(frozen=True, slots=True)
class Api:
    """Where the API answers, and the secret its tokens are signed with."""

    address: str
    _secret: str = field(repr=False)

    def token(self, user_id: UUID) -> str:
        """An access token for one of the demo's people, good for a day."""
        return issue_token(secret=self._secret, sub=user_id, expires_in=timedelta(days=1))


@asynccontextmanager
async def api(database_url: str, *, prepared: Stage, settings: Settings, port: int) -> AsyncIterator[Api]:
    """Serve beside the block; ``port`` 0 takes any that is free. Raises ``ConfigurationError`` where the port is taken."""
    secret = secrets.token_urlsafe(32)
    listener = _listen(port)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    ours = settings.model_copy(
        update={"jwt_secret": SecretStr(secret), "jwks_url": None, "jwt_issuer": None, "public_url": address}
    )
    app = create_app(ours, database_url=database_url, with_worker=False)
    add_demo_pages(app, sessions=prepared.services.sessions, standin=prepared.standin)
    server = _Server(
        uvicorn.Config(
            app,
            **HTTP_SERVER,
            timeout_graceful_shutdown=_LAST_REQUESTS,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            if serving.done():
                await serving
            await asyncio.sleep(_LOOK_AGAIN)
        yield Api(address, secret)
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """A server that leaves signals to the program it is part of."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signals: Ctrl-C ends the demo, and the demo ends this."""
        yield


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"Port {port} is taken.", hint="End what uses it, or choose another: --port 8123."
        ) from error
    return listener
