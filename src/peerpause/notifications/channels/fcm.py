"""Push through Firebase Cloud Messaging's HTTP v1 API: one attempt a call, over kept connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from pydantic_core import to_json

from peerpause.errors import ConfigurationError
from peerpause.notifications.channels import ChannelReply, Refused, TryAgain
from peerpause.notifications.channels.fcm_auth import AccessTokens, FcmCredentials, load_credentials
from peerpause.notifications.channels.fcm_errors import ACCESS_TOKEN_REFUSED, verdict
from peerpause.notifications.channels.fcm_message import PushMessage

__all__ = ["GOOGLE_ENDPOINT", "FcmChannel", "FcmCredentials", "PushMessage", "load_credentials"]

GOOGLE_ENDPOINT = "https://fcm.googleapis.com"

_LARGEST_ANSWER = 64 * 1024


def _utc_now() -> datetime:
    return datetime.now(UTC)


class FcmChannel:
    """Sends push messages to one Firebase project.

    ``session`` keeps the connections, and its connector's limit says how many; it may be shared with others. ``endpoint`` is
    Google's or a stand-in's. ``timeout`` (seconds) bounds one attempt, a token's renewal included; ``now`` gives the aware
    time. Raises ``ConfigurationError`` for an endpoint that is no http(s) address.
    """

    def __init__(
        self,
        *,
        session: aiohttp.ClientSession,
        credentials: FcmCredentials,
        endpoint: str = GOOGLE_ENDPOINT,
        timeout: float = 5.0,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._session = session
        self._url = f"{_checked_endpoint(endpoint)}/v1/projects/{credentials.project_id}/messages:send"
        self._proxy = _proxy_for(self._url)
        self._tokens = AccessTokens(credentials.google, timeout=timeout)
        self._timeout = timeout
        self._now = now

    async def send(self, message: PushMessage) -> ChannelReply:
        """Make one attempt.

        1. take an access token, renewing it where it is about to end;
        2. post the message and judge the answer;
        3. where the access token was refused, and only then, take a new one and post once more.
        """
        try:
            async with asyncio.timeout(self._timeout):
                return await self._attempt(message)
        except TimeoutError:
            return TryAgain("TIMEOUT")
        except aiohttp.ClientConnectorCertificateError:
            return Refused("TLS_CERTIFICATE", misconfigured=True)
        except (aiohttp.ClientError, OSError):
            return TryAgain("CONNECTION")

    async def sign_in(self) -> TryAgain | Refused | None:
        """See whether the credentials are good for an access token, without sending anything; ``None`` where they are."""
        try:
            async with asyncio.timeout(self._timeout):
                token = await self._tokens.current()
        except TimeoutError:
            return TryAgain("TIMEOUT")
        return None if isinstance(token, str) else token

    async def close(self) -> None:
        """Stop what is under way. The session is closed by whoever opened it."""
        await self._tokens.close()

    async def _attempt(self, message: PushMessage) -> ChannelReply:
        body = to_json(message.to_json(now=self._now()))
        token = await self._tokens.current()
        if not isinstance(token, str):
            return token
        reply = await self._post(body, token)
        if reply != ACCESS_TOKEN_REFUSED:
            return reply
        token = await self._tokens.replace(token)
        return await self._post(body, token) if isinstance(token, str) else token

    async def _post(self, body: bytes, token: str) -> ChannelReply:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json; charset=utf-8"}
        # A redirect would carry the access token to wherever it points.
        request = self._session.post(
            self._url, data=body, headers=headers, allow_redirects=False, proxy=self._proxy
        )
        async with request as response:
            answer = await _read_at_most(response, _LARGEST_ANSWER)
            retry_after = response.headers.get("Retry-After")
            return verdict(response.status, answer, retry_after=retry_after, now=self._now())


async def _read_at_most(response: aiohttp.ClientResponse, limit: int) -> bytes | None:
    body = await response.content.readany()
    while not response.content.at_eof():
        if len(body) > limit:
            return None
        body += await response.content.readany()
    return body if len(body) <= limit else None


def _checked_endpoint(endpoint: str) -> str:
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "?" in endpoint or "#" in endpoint:
        raise ConfigurationError(
            "PEERPAUSE_FCM_ENDPOINT is not an http(s) address.",
            hint=f"Leave it unset for Google's own, {GOOGLE_ENDPOINT}.",
        )
    return endpoint.rstrip("/")


def _proxy_for(url: str) -> str | None:
    """The proxy the environment asks for, looked up once rather than for each message."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
