"""Webhooks, one attempt at a time: signed after the Standard Webhooks convention, sent to public websites only.

Where a name leads is looked at on the very socket that is about to connect, so that a name which points elsewhere a moment later
(DNS rebinding) gains nothing. Redirects are not followed, and of the answer nothing but its status is used.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from standardwebhooks import Webhook

from peerpause.notifications.channels import ChannelReply, Delivered, Refused, TokenGone, TryAgain
from peerpause.notifications.channels.webhook_addresses import is_public, may_be_a_website

MOST_SECONDS: Final = 15.0
"""How long one attempt may take in all."""

_MOST_OF_THE_ANSWER: Final = 16 * 1024
_LONGEST_WAIT: Final = 24 * 3600.0
_AGENT: Final = "PeerPause-Webhooks/1"

AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """What is sent where. ``message_id`` stays the same however often it is tried; ``secrets`` all sign it."""

    url: str = field(repr=False)
    message_id: str
    body: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


class WebhookChannel:
    """Sends webhooks.

    ``allowed`` are further IP addresses it may connect to and ``ssl_context`` whom it trusts: for tests against a receiver on this
    machine, as is ``resolver``.
    """

    def __init__(
        self,
        *,
        allowed: frozenset[str] = frozenset(),
        resolver: AbstractResolver | None = None,
        ssl_context: ssl.SSLContext | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._allowed = allowed
        self._now = now
        self._resolver = _PublicResolver(inner=resolver, may_connect=self._may_connect)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=self._resolver,
                use_dns_cache=False,
                socket_factory=self._open_socket,
                ssl=ssl_context or True,
                limit_per_host=8,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=MOST_SECONDS, sock_connect=5.0),
            auto_decompress=False,
            trust_env=False,
            headers={"User-Agent": _AGENT},
        )

    async def send(self, message: WebhookMessage) -> ChannelReply:
        """Make one attempt. Never raises for what the network or the website does."""
        if not may_be_a_website(message.url):
            return Refused("address_not_public")
        try:
            async with self._session.post(
                message.url, data=message.body.encode(), headers=self._headers(message), allow_redirects=False
            ) as answer:
                # Read a little, so that the connection can be used again; hang up on whoever has more to say.
                if len(await answer.content.read(_MOST_OF_THE_ANSWER)) == _MOST_OF_THE_ANSWER:
                    answer.close()
                return _reply(answer.status, answer.headers.get("Retry-After"), now=self._now())
        except TimeoutError:
            return TryAgain("timeout")
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, _AddressRefused):
                return Refused("address_not_public")
            return TryAgain("tls_failed" if isinstance(error, aiohttp.ClientSSLError) else "unreachable")
        except (aiohttp.ClientError, ValueError, OSError):
            return TryAgain("connection_failed")

    async def leads_to_the_public(self, url: str) -> bool:
        """Whether an address has the right form and its name leads to public addresses only, now.

        A kindness to whoever types it in: what counts is asked again at each connection.
        """
        if not may_be_a_website(url):
            return False
        host = urlsplit(url).hostname or ""
        try:
            async with asyncio.timeout(MOST_SECONDS):
                await self._resolver.resolve(host, 443)
        except OSError:  # a name that leads nowhere, too; and TimeoutError is one
            return False
        return True

    async def close(self) -> None:
        """Give back connections."""
        await self._session.close()
        await self._resolver.close()

    def _headers(self, message: WebhookMessage) -> dict[str, str]:
        now = self._now().astimezone(UTC)
        signatures = (
            Webhook(secret).sign(message.message_id, now, message.body) for secret in message.secrets
        )
        return {
            "Content-Type": "application/json",
            "webhook-id": message.message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }

    def _may_connect(self, address: str) -> bool:
        return is_public(address) or address in self._allowed

    def _open_socket(self, info: AddressInfo) -> socket.socket:
        """The last door: the address here is the one the socket connects to, however it was come by."""
        family, kind, protocol, _, address = info
        if not self._may_connect(str(address[0])):
            raise _AddressRefused(_NOT_PUBLIC)
        return socket.socket(family=family, type=kind, proto=protocol)


_NOT_PUBLIC: Final = "the name leads to an address that is not public"


class _AddressRefused(OSError):
    """Raised where the driver of connections expects an OSError, so that it comes out as one of its own."""


class _PublicResolver(AbstractResolver):
    """Resolves names, and refuses one of whose addresses any is not public: a public website has no such."""

    def __init__(self, *, inner: AbstractResolver | None, may_connect: Callable[[str], bool]) -> None:
        self._inner = inner or aiohttp.ThreadedResolver()
        self._may_connect = may_connect

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if not all(self._may_connect(each["host"]) for each in found):
            raise _AddressRefused(_NOT_PUBLIC)
        return found

    async def close(self) -> None:
        await self._inner.close()


def _reply(status: int, retry_after: str | None, *, now: datetime) -> ChannelReply:
    if 200 <= status < 300:
        return Delivered()
    code = f"http_{status}"
    if status == HTTPStatus.GONE:
        return TokenGone(code)
    if 300 <= status < 400:
        return Refused(code)
    # Also 401 or 404: whoever mends their website within a day still gets the message.
    return TryAgain(code, after=_seconds(retry_after, now=now))


def _seconds(retry_after: str | None, *, now: datetime) -> float | None:
    """A ``Retry-After`` in seconds, whether given so or as a date; None where it says nothing sensible."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return min(float(retry_after), _LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), _LONGEST_WAIT)
