"""A website on this machine that takes webhooks: over TLS, with a certificate for its name, answering as a test tells it to."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook

from peerpause.demo.fcm_oauth import new_key

HOST = "hooks.example.org"
HERE = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Taken:
    """A request as it came in; header names are in lower case."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """What it says, if the library finds it signed with this secret; raises WebhookVerificationError otherwise."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass(slots=True)
class Receiver:
    """The website. ``answers`` are given one after the other and then the last one for good: a status, or a whole response."""

    url: str
    trust: ssl.SSLContext
    taken: list[Taken] = field(default_factory=list)
    answers: list[int | web.StreamResponse] = field(default_factory=lambda: [204])
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def has_taken(self, count: int) -> None:
        """Wait until so many requests have come in, answered or not."""
        async with asyncio.timeout(30):
            while len(self.taken) < count:
                self._news.clear()
                await self._news.wait()

    async def take(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.taken.append(Taken(request.path_qs, headers, await request.text()))
        self._news.set()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=answer) if isinstance(answer, int) else answer


class Names(AbstractResolver):
    """A resolver in which every name leads where a test says, one answer after the other and then the last one for good."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers) or [[HERE]]
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        addresses = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""


@asynccontextmanager
async def receiving(folder: Path) -> AsyncIterator[Receiver]:
    """A running website; its certificate is written into the folder."""
    certificate = _write_certificate(folder)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(certificate)
    receiver = Receiver(url="", trust=ssl.create_default_context(cafile=str(certificate)))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HERE, 0, ssl_context=serving)
        await site.start()
        port = runner.addresses[0][1]
        receiver.url = f"https://{HOST}:{port}/hook"
        yield receiver
    finally:
        await runner.cleanup()


def _write_certificate(folder: Path) -> Path:
    key, name = new_key(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = folder / "website.pem"
    file.write_bytes(key.private_bytes(pem, pkcs8, serialization.NoEncryption()) + signed.public_bytes(pem))
    return file
