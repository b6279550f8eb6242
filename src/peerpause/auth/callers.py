"""From the headers of a request to its caller: `Authorization: Bearer …`, `apikey: …`, or neither, which makes a visitor."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final, Protocol

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from peerpause.auth.tokens import TokenExpired, TokenVerifier
from peerpause.database.session import Caller, Claims, Service
from peerpause.errors import NotSignedIn, PermissionDenied

_PUBLISHABLE: Final = "sb_publishable_"

APIKEY_SCHEME: Final[Mapping[str, str]] = {
    "type": "apiKey",
    "in": "header",
    "name": "apikey",
    "description": "The project's key, as Supabase clients send it. It says who asks only where no `Authorization` does.",
}
"""The other way to bring credentials, for the description of the API."""


class Doorkeeper:
    """Says who asks. ``service_key`` is an opaque key that jobs and servers call with; without it there is none."""

    def __init__(self, *, verifier: TokenVerifier, service_key: str | None) -> None:
        self._verifier = verifier
        self._service_key = None if service_key is None else service_key.encode()

    async def admit(self, *, authorization: str | None, apikey: str | None) -> Caller:
        """The caller of a request with these headers. Raises ``NotSignedIn`` for credentials that are not good.

        Supabase's clients send the key in both headers until somebody signs in. A publishable key names nobody.
        """
        credential = _credential(authorization)
        if credential is None:
            credential = apikey
        if not credential or credential.startswith(_PUBLISHABLE):
            return Claims()
        if self._is_service_key(credential):
            return Service()
        return await self._verifier.verify(credential)

    def _is_service_key(self, credential: str) -> bool:
        return self._service_key is not None and hmac.compare_digest(credential.encode(), self._service_key)


class _Limiter(Protocol):
    """Who is counted when credentials are refused."""

    async def take(self, subject: str) -> None: ...


async def who_asks(request: Request) -> Caller:
    """The caller of a request, for routes. Remembered on the request, because a refusal reads differently to a visitor.

    Credentials that are no good count against the address they come from, and too many of them are ``TooManyRequests``: nobody
    guesses for long. Those that have merely expired do not count: an app that slept sends them honestly.
    """
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    try:
        caller = await doorkeeper.admit(
            authorization=request.headers.get("authorization"), apikey=request.headers.get("apikey")
        )
    except TokenExpired:
        raise
    except NotSignedIn:
        limiter: _Limiter = request.app.state.sign_ins
        await limiter.take(request.client.host if request.client else "")
        raise
    request.state.caller = caller
    return caller


async def only_the_service(request: Request) -> Service:
    """The service role, for routes that are for nobody else. Raises ``NotSignedIn`` for everybody else."""
    caller = await who_asks(request)
    if not isinstance(caller, Service):
        raise NotSignedIn(
            "This is for servers that hold the service key.", hint="Send the service key as the bearer token."
        )
    return caller


async def only_the_signed_in(request: Request) -> Caller:
    """Whoever is somebody. Raises ``NotSignedIn`` for a visitor."""
    caller = await who_asks(request)
    if isinstance(caller, Claims) and caller.user_id is None:
        raise NotSignedIn("Sign in first.", hint="Send the access token of a signed-in person.")
    return caller


async def only_a_person(request: Request) -> Claims:
    """A person with a token of their own. Raises ``NotSignedIn`` for a visitor, ``PermissionDenied`` for the service."""
    caller = await only_the_signed_in(request)
    if not isinstance(caller, Claims):
        raise PermissionDenied(
            "This belongs to a person; the service is none.", hint="Send a person's access token."
        )
    return caller


class Admits(HTTPBearer):
    """Asks for the caller by one of the functions above, and describes the header that names them.

    One dependency of a route instead of a chain of them: FastAPI's way through each costs as much as the look at the token.
    """

    def __init__(self, admit: Callable[[Request], Awaitable[Caller]]) -> None:
        super().__init__(
            auto_error=False,
            scheme_name="token",
            description="A person's access token (Supabase Auth, or `peerpause token`), or the service key.",
        )
        self._admit = admit

    async def __call__(self, request: Request) -> Any:  # type: ignore[override]  # a caller where FastAPI's own gives the header
        """The caller of a request."""
        return await self._admit(request)


Asking = Annotated[Caller, Depends(Admits(who_asks))]
SignedIn = Annotated[Caller, Depends(Admits(only_the_signed_in))]
Person = Annotated[Claims, Depends(Admits(only_a_person))]
OnlyService = Annotated[Service, Depends(Admits(only_the_service))]


def _credential(authorization: str | None) -> str | None:
    if authorization is None:
        return None
    scheme, _, credential = authorization.partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise NotSignedIn(
            "The Authorization header is not understood.", hint="Send: Authorization: Bearer <token>."
        )
    return credential.strip()
