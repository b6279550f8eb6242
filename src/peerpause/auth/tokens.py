"""Tokens as Supabase Auth signs them: verified, and turned into the caller they name. Also makes them, for development."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, Literal
from uuid import UUID

import jwt

from peerpause.auth.keys import KeySet
from peerpause.database.session import Caller, Claims, Service
from peerpause.errors import NotSignedIn

AUDIENCE: Final = "authenticated"
"""What Supabase Auth writes into a person's token as its audience."""

LEEWAY: Final = 30.0
"""Seconds by which the issuer's clock may differ from ours."""

LONGEST_TOKEN: Final = 8192
"""Characters; a longer token is refused unread."""

REMEMBERED_FOR: Final = 60.0
"""Seconds for which a token that was found good is not looked into again; a key that was withdrawn counts for so much longer."""

_MOST_REMEMBERED: Final = 10_000

# PyJWT's own errors, and what Python's number and JSON readers raise for what no honest issuer writes.
_UNREADABLE: Final = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)

Role = Literal["authenticated", "anon", "service_role"]


class TokenExpired(NotSignedIn):
    """The token was good once; a fresh one is needed."""

    code = "token_expired"


class TokenVerifier:
    """Says who a token names, or refuses it.

    HS256 is verified with ``secret``, RS256 and ES256 with ``keys``, and nothing else is; each algorithm has its own key, so none
    can pass for another. A person's token must be for ``audience`` and, where ``issuer`` is given, from it. Only a token signed
    with the secret can be the service role's: whoever issues people's tokens does not thereby hold the key to everything.
    """

    def __init__(
        self,
        *,
        secret: str | None = None,
        keys: KeySet | None = None,
        audience: str = AUDIENCE,
        issuer: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._secret = secret
        self._keys = keys
        self._audience = audience
        self._issuer = issuer
        self._known = _KnownTokens(clock=clock)

    async def verify(self, token: str) -> Caller:
        """The caller a token names. Raises ``NotSignedIn``, ``Unavailable`` where the issuer's keys cannot be had.

        What a caller may do is asked of the database each time; only who they are is remembered, for a minute at most.
        """
        known = self._known.find(token)
        if known is None:
            known, ends_at = await self._read(token)
            self._known.keep(token, known, ends_at=ends_at)
        return known

    async def _read(self, token: str) -> tuple[Caller, float]:
        """The caller, and when the token ends."""
        algorithm, key = await self._key_for(token)
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                leeway=LEEWAY,
                options={"require": ["exp"], "verify_aud": False, "verify_iss": False},
            )
        except jwt.ExpiredSignatureError:
            raise TokenExpired("Your sign-in has expired.", hint="Sign in again.") from None
        except _UNREADABLE:
            raise _refused() from None
        return self._caller(claims, is_symmetric=algorithm == "HS256"), float(claims["exp"])

    async def _key_for(self, token: str) -> tuple[str, Any]:
        if len(token) > LONGEST_TOKEN:
            raise _refused()
        try:
            header = jwt.get_unverified_header(token)
        except _UNREADABLE:
            raise _refused() from None
        algorithm = header.get("alg")
        if "crit" in header:  # it demands something of us that we do not know
            raise _refused()
        if algorithm == "HS256" and self._secret is not None:
            return "HS256", self._secret
        if algorithm in ("RS256", "ES256") and self._keys is not None:
            key = await self._keys.find(header.get("kid"), algorithm)
            if key is not None:
                return algorithm, key
        raise _refused()

    def _caller(self, claims: Mapping[str, Any], *, is_symmetric: bool) -> Caller:
        match claims.get("role"):
            case "authenticated":
                self._require_meant_for_us(claims)
                return Claims(_person(claims.get("sub")), others=claims)
            case "anon" if is_symmetric:
                return Claims(others=claims)
            case "service_role" if is_symmetric:
                return Service()
            case _:
                raise _refused()

    def _require_meant_for_us(self, claims: Mapping[str, Any]) -> None:
        audience = claims.get("aud")
        if self._audience not in (audience if isinstance(audience, list) else [audience]):
            raise _refused()
        if self._issuer is not None and claims.get("iss") != self._issuer:
            raise _refused()


class _KnownTokens:
    """Tokens that were found good of late, by their fingerprints: the tokens themselves are kept nowhere."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        # What was found good longest ago comes first.
        self._callers: OrderedDict[bytes, tuple[Caller, float]] = OrderedDict()

    def find(self, token: str) -> Caller | None:
        found = self._callers.get(_fingerprint(token))
        return found[0] if found is not None and self._clock() < found[1] else None

    def keep(self, token: str, caller: Caller, *, ends_at: float) -> None:
        fingerprint = _fingerprint(token)
        self._callers.pop(fingerprint, None)
        self._callers[fingerprint] = caller, min(ends_at + LEEWAY, self._clock() + REMEMBERED_FOR)
        if len(self._callers) > _MOST_REMEMBERED:
            self._callers.popitem(last=False)


def issue_token(
    *,
    secret: str,
    sub: UUID | None,
    role: Role = "authenticated",
    expires_in: timedelta = timedelta(hours=1),
    issuer: str | None = None,
) -> str:
    """A token signed with the secret, as Supabase Auth would give it to the person ``sub``; the keys of roles name nobody."""
    now = int(time.time())
    claims: dict[str, object] = {"role": role, "iat": now, "exp": now + int(expires_in.total_seconds())}
    if sub is not None:
        claims["sub"] = str(sub)
    if role == AUDIENCE:
        claims["aud"] = AUDIENCE
    if issuer is not None:
        claims["iss"] = issuer
    return jwt.encode(claims, secret, algorithm="HS256")


def _person(sub: object) -> UUID:
    try:
        return UUID(sub if isinstance(sub, str) else "")
    except ValueError:
        raise _refused() from None


def _fingerprint(token: str) -> bytes:
    # Not every caller sends characters that can be encoded; those tokens are refused as unreadable.
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def _refused() -> NotSignedIn:
    # Why is nobody's business: it would teach a forger.
    return NotSignedIn("Your sign-in is not valid.", hint="Sign in again.")
