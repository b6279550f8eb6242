"""The public keys of a token issuer (JWKS): fetched when first needed, kept, and asked for again as they are rotated."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import aiohttp
import jwt
import structlog

from peerpause.errors import Unavailable
from peerpause.telemetry import Event

KEPT_FOR: Final = 600.0
"""Seconds after which the keys are fetched again, so that one that was withdrawn stops counting."""

REST_BETWEEN_FETCHES: Final = 60.0
"""Seconds between two fetches at least, however many tokens with unknown keys arrive, and however the last one ended."""

_LARGEST_SET: Final = 256 * 1024
_SMALLEST_RSA: Final = 2048
_FETCH_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)
_KEY_TYPES: Final[Mapping[str, str]] = {"RS256": "RSA", "ES256": "EC"}

_log = structlog.get_logger(__name__)

Fetch = Callable[[], Awaitable[bytes]]


class KeySet:
    """The keys one issuer signs with.

    ``fetch`` gets the JWKS document; ``clock`` counts monotonic seconds. Keys once fetched are used on while the issuer is away.
    """

    def __init__(self, *, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: tuple[jwt.PyJWK, ...] = ()
        self._asked_at: float | None = None
        self._fetched_at: float | None = None
        self._one_at_a_time = asyncio.Lock()

    async def find(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        """The key with this id, or the only one of the algorithm where the token names none; None where there is no such key.

        Raises ``Unavailable`` where the issuer has never been reached.
        """
        if self._is_old():
            await self._refresh()
        found = self._known(kid, algorithm)
        if found is None and self._may_ask():
            await self._refresh()
            found = self._known(kid, algorithm)
        if found is None and self._fetched_at is None:
            raise Unavailable(
                "The keys of the token issuer cannot be fetched just now.", hint="Try again in a moment."
            )
        return found

    def _known(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        fitting = [key for key in self._keys if key.algorithm_name == algorithm and kid in (None, key.key_id)]
        return fitting[0] if len(fitting) == 1 else None

    def _is_old(self) -> bool:
        is_old = self._fetched_at is None or self._clock() - self._fetched_at >= KEPT_FOR
        return is_old and self._may_ask()

    def _may_ask(self) -> bool:
        return self._asked_at is None or self._clock() - self._asked_at >= REST_BETWEEN_FETCHES

    async def _refresh(self) -> None:
        async with self._one_at_a_time:
            if not self._may_ask():
                return  # somebody else has, while we waited
            self._asked_at = self._clock()
            try:
                self._keys = read_keys(await self._fetch())
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                _log.warning(Event.KEYS_NOT_FETCHED, error=type(error).__name__)
            else:
                self._fetched_at = self._clock()


def read_keys(document: bytes) -> tuple[jwt.PyJWK, ...]:
    """The signature keys of a JWKS document that we can use, others left out. Raises ``ValueError`` for what is no such document."""
    found = json.loads(document)
    listed = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise ValueError("keys: not a list")  # noqa: TRY004  the document is at fault, not its type
    return tuple(key for each in listed if isinstance(each, dict) and (key := _read_key(each)) is not None)


def fetch_from(url: str, session: aiohttp.ClientSession) -> Fetch:
    """Get the document at a URL, which may not lead elsewhere. Raises what aiohttp raises, ``ValueError`` for a document too long."""

    async def fetch() -> bytes:
        async with session.get(
            url, timeout=_FETCH_TIMEOUT, allow_redirects=False, raise_for_status=True
        ) as answer:
            if answer.status != 200:
                raise ValueError("the issuer's address leads elsewhere")
            document = await answer.content.read(_LARGEST_SET + 1)
            while len(document) <= _LARGEST_SET and (more := await answer.content.read(_LARGEST_SET)):
                document += more
            if len(document) > _LARGEST_SET:
                raise ValueError("the document is too long")
            return document

    return fetch


def _read_key(listed: Mapping[str, Any]) -> jwt.PyJWK | None:
    # A symmetric key has no place in a public document, and would let anybody who reads it sign.
    algorithm = next((name for name, kind in _KEY_TYPES.items() if listed.get("kty") == kind), None)
    if algorithm is None or listed.get("alg", algorithm) != algorithm or listed.get("use", "sig") != "sig":
        return None
    if algorithm == "ES256" and listed.get("crv") != "P-256":
        return None
    try:
        key = jwt.PyJWK(dict(listed), algorithm=algorithm)
    except (jwt.PyJWTError, ValueError):
        return None
    return None if algorithm == "RS256" and key.key.key_size < _SMALLEST_RSA else key
