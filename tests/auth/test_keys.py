"""When the issuer's keys are fetched, and which of them are used."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from peerpause.auth.keys import KEPT_FOR, REST_BETWEEN_FETCHES, KeySet, fetch_from, read_keys
from peerpause.errors import Unavailable
from tests.auth.test_tokens import EC_KEY, RSA_KEY, jwk


class Issuer:
    """An issuer whose keys, clock and whims the test sets."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = list(keys)
        self.fault: Exception | None = None
        self.asked = 0
        self.now = 1000.0
        self.set = KeySet(fetch=self.fetch, clock=lambda: self.now)

    async def fetch(self) -> bytes:
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        return json.dumps({"keys": self.keys}).encode()


async def test_the_keys_are_fetched_once_and_kept() -> None:
    issuer = Issuer(jwk(RSA_KEY, "r"))
    for _ in range(3):
        assert await issuer.set.find("r", "RS256") is not None
    assert issuer.asked == 1


async def test_an_unknown_key_is_asked_for_at_most_once_a_minute() -> None:
    issuer = Issuer(jwk(RSA_KEY, "r"))
    await issuer.set.find("r", "RS256")
    issuer.now += REST_BETWEEN_FETCHES
    for _ in range(5):
        assert await issuer.set.find("new", "RS256") is None
    assert issuer.asked == 2
    issuer.keys.append(jwk(RSA_KEY, "new"))
    issuer.now += REST_BETWEEN_FETCHES - 1
    assert await issuer.set.find("new", "RS256") is None
    issuer.now += 1
    assert await issuer.set.find("new", "RS256") is not None


async def test_a_withdrawn_key_stops_counting() -> None:
    issuer = Issuer(jwk(RSA_KEY, "old"))
    await issuer.set.find("old", "RS256")
    issuer.keys = [jwk(EC_KEY, "new")]
    issuer.now += KEPT_FOR
    assert await issuer.set.find("old", "RS256") is None
    assert await issuer.set.find("new", "ES256") is not None


async def test_known_keys_serve_while_the_issuer_is_away() -> None:
    issuer = Issuer(jwk(RSA_KEY, "r"))
    await issuer.set.find("r", "RS256")
    issuer.fault = aiohttp.ClientConnectionError()
    issuer.now += KEPT_FOR * 2
    for _ in range(3):
        assert await issuer.set.find("r", "RS256") is not None
    assert issuer.asked == 2


async def test_an_issuer_never_reached_is_unavailable() -> None:
    issuer = Issuer()
    issuer.fault = TimeoutError()
    for _ in range(3):
        with pytest.raises(Unavailable):
            await issuer.set.find("r", "RS256")
    assert issuer.asked == 1


@pytest.mark.parametrize("document", [b"", b"{", b"[]", b"{}", b'{"keys": {}}', b"\xff"])
def test_what_is_no_set_of_keys_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  JSON's own is one too
        read_keys(document)


def test_keys_for_other_uses_are_left_out() -> None:
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    listed = [
        jwk(RSA_KEY, "encrypts", use="enc"),
        jwk(RSA_KEY, "other", alg="RS512"),
        jwk(ec.generate_private_key(ec.SECP384R1()), "curve"),
        {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0"},
        "no key",
        jwk(RSA_KEY, "good", use="sig", alg="RS256"),
    ]
    assert [key.key_id for key in read_keys(json.dumps({"keys": listed}).encode())] == ["good"]
    assert small.key_size == 1024
    assert read_keys(json.dumps({"keys": [jwk(small, "small")]}).encode()) == ()


async def test_the_document_is_fetched_whole_and_from_nowhere_else() -> None:
    async def keys(request: web.Request) -> web.StreamResponse:
        match request.path:
            case "/moved":
                raise web.HTTPFound("/keys")
            case "/long":
                return web.Response(body=b"x" * 300_000)
            case "/gone":
                raise web.HTTPNotFound
            case _:
                return web.json_response({"keys": [jwk(RSA_KEY, "r")] * 100})

    app = web.Application()
    app.router.add_get("/{name}", keys)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as session:
        assert len(read_keys(await fetch_from(f"{address}/keys", session)())) == 100
        for path in ("moved", "long"):
            with pytest.raises(ValueError, match="elsewhere|too long"):
                await fetch_from(f"{address}/{path}", session)()
        with pytest.raises(aiohttp.ClientResponseError):
            await fetch_from(f"{address}/gone", session)()
    await runner.cleanup()
