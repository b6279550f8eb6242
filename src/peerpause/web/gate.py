"""What signing in needs, put together once a process: the provider, who is who there, the sign-ins under way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp
from fastapi import Request

from peerpause.database.session import Sessions
from peerpause.errors import ConfigurationError
from peerpause.settings import Settings, variable
from peerpause.web.attempts import Attempts
from peerpause.web.identities import Identities
from peerpause.web.provider import Provider
from peerpause.web.sessions import WebSessions

CALLBACK: Final = "/sign-in/callback"
"""Where the provider sends people back to; it must be told beforehand, with `PEERPAUSE_PUBLIC_URL` before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Everything by which people come in. ``provider`` is None where none is set: then nobody can."""

    provider: Provider | None
    identities: Identities
    attempts: Attempts
    web_sessions: WebSessions
    public_url: str | None


def require_whole_settings(settings: Settings) -> None:
    """Refuse, at start, settings by which nobody could sign in. Raises ``ConfigurationError``."""
    if settings.oidc_issuer is None:
        return
    for name in ("oidc_client_id", "public_url"):
        if getattr(settings, name) is None:
            raise ConfigurationError(
                f"{variable('oidc_issuer')} is set and {variable(name)} is not, so that nobody could sign in.",
                hint=f"Set {variable(name)}, or unset {variable('oidc_issuer')}; docs/sign-in.md says how.",
            )


@asynccontextmanager
async def gate(settings: Settings, sessions: Sessions) -> AsyncIterator[Gate]:
    """The gate of one process. The provider is asked when the first person signs in, not before."""
    async with aiohttp.ClientSession() as http:
        yield Gate(
            provider=_provider(settings, http),
            identities=Identities(sessions=sessions, subject_is_user_id=subject_is_user_id(settings)),
            attempts=Attempts(sessions=sessions),
            web_sessions=WebSessions(sessions=sessions),
            public_url=settings.public_url,
        )


def gate_of(request: Request) -> Gate:
    """The gate of this process."""
    found: Gate = request.app.state.gate
    return found


def subject_is_user_id(settings: Settings) -> bool:
    """Whether the issuer's subjects are our user ids: said so, or else where it issues the access tokens too."""
    if settings.oidc_subject_is_user_id is not None:
        return settings.oidc_subject_is_user_id
    return settings.oidc_issuer is not None and settings.oidc_issuer == settings.jwt_issuer


def _provider(settings: Settings, http: aiohttp.ClientSession) -> Provider | None:
    if settings.oidc_issuer is None:
        return None
    require_whole_settings(settings)
    secret = settings.oidc_client_secret
    return Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id or "",
        client_secret=None if secret is None else secret.get_secret_value(),
        scopes=settings.oidc_scopes,
        redirect_uri=f"{settings.public_url}{CALLBACK}",
        http=http,
    )
