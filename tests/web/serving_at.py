"""The pages at an address known beforehand, because the provider of sign-ins has to know where it sends people back to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry

from peerpause.api.app import create_app
from peerpause.telemetry import Metrics
from tests.api.serving import listening, settings
from tests.servers import Database
from tests.web.real_provider import RealProvider


@asynccontextmanager
async def serving_at(
    database: Database,
    provider: RealProvider | None,
    *,
    client_id: str | None = None,
    client_secret: str | None = None,
    sign_ins_per_minute: int = 0,
) -> AsyncIterator[str]:
    """Serve the pages where the provider expects them; anywhere, without one."""
    told: dict[str, Any] = {}
    if provider is not None:
        told = {
            **{"oidc_issuer": provider.issuer, "oidc_client_id": client_id},
            **{"oidc_client_secret": client_secret, "public_url": provider.public_url},
        }
    app = create_app(
        settings(sign_ins_per_minute=sign_ins_per_minute, **told),
        database_url=database.server.url(database.name, user="authenticator"),
        with_worker=False,
        metrics=Metrics(CollectorRegistry()),
    )
    port = 0 if provider is None else urlsplit(provider.public_url).port or 0
    async with listening(app, port=port) as url:
        yield url
