"""The provider of sign-ins: OpenID Connect's code flow with PKCE, as Vipps, BankID brokers, Entra, Keycloak and Supabase Auth speak it.

Where to ask comes from the issuer's discovery document; whom the answer names, from an ID token that is verified wholly: signature
by one of the issuer's keys, algorithm, issuer, audience, authorised party, expiry, and the nonce of this very sign-in.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
import jwt
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core.claims import CodeIDToken
from joserfc.errors import JoseError

from peerpause.auth.keys import KeySet, fetch_from
from peerpause.errors import PermissionDenied, Unavailable
from peerpause.web.attempts import Attempt
from peerpause.web.identities import ProvenIdentity

KEPT_FOR: Final = 3600.0
"""Seconds after which the discovery document is fetched again."""

LEEWAY: Final = 30
"""Seconds by which the provider's clock may differ from ours."""

_ALGORITHMS: Final = ("RS256", "ES256")
_DISCOVERY: Final = "/.well-known/openid-configuration"
_LARGEST_ANSWER: Final = 256 * 1024
_LONGEST_TOKEN: Final = 16 * 1024
_LONGEST_SUBJECT: Final = 255
_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
_UNREADABLE: Final = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)
_DECODING: Final[Any] = {
    "require": ["iss", "sub", "aud", "exp", "iat"],
    "verify_signature": True,
    "verify_exp": True,
    "verify_iat": True,
    "verify_aud": True,
    "verify_iss": True,
}


class SignInRefused(PermissionDenied):
    """The provider's answer does not prove who somebody is; ``detail["reason"]`` is for the log, not for the person."""

    code = "sign_in_refused"


@dataclass(frozen=True, slots=True)
class _Discovered:
    """What the issuer says about itself, and the keys it signs with."""

    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    client_authentication: str
    names_itself_in_answers: bool
    keys: KeySet


class Provider:
    """One issuer, as one client of it. Without ``client_secret`` we are a public client, and PKCE alone proves that it is us.

    ``redirect_uri`` is our address that the provider sends people back to. ``clock`` counts monotonic seconds.
    """

    def __init__(
        self,
        *,
        issuer: str,
        client_id: str,
        client_secret: str | None,
        scopes: str,
        redirect_uri: str,
        http: aiohttp.ClientSession,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._scopes = scopes
        self._redirect_uri = redirect_uri
        self._http = http
        self._clock = clock
        self._discovered: _Discovered | None = None
        self._discovered_at = 0.0
        self._keys: tuple[str, KeySet] | None = None

    async def address(self, attempt: Attempt) -> str:
        """Where a browser is sent to sign in. Raises ``Unavailable`` where the provider cannot be reached."""
        known = await self._discover()
        return str(
            prepare_grant_uri(
                known.authorization_endpoint,
                client_id=self._client_id,
                response_type="code",
                redirect_uri=self._redirect_uri,
                scope=self._scopes,
                state=attempt.state,
                nonce=attempt.nonce,
                code_challenge=create_s256_code_challenge(attempt.verifier),
                code_challenge_method="S256",
            )
        )

    async def prove(self, attempt: Attempt, *, code: str, issuer: str | None) -> ProvenIdentity:
        """Exchange the code a browser came back with for the person's identity; ``issuer`` is the `iss` beside the code.

        Raises ``SignInRefused`` for an answer that does not hold, ``Unavailable`` where the provider cannot be reached.
        """
        known = await self._discover()
        if issuer is None and known.names_itself_in_answers:
            raise _refused("answer_without_issuer")
        if issuer is not None and issuer != self.issuer:
            raise _refused("answer_of_other_issuer")
        tokens = await self._exchange(known, attempt, code)
        claims = await self._verify(known, attempt, tokens)
        email = claims if "email" in claims else await self._user_info(known, tokens, claims["sub"])
        return ProvenIdentity(issuer=self.issuer, subject=claims["sub"], email=_verified_email(email))

    async def sign_out_address(self, back_to: str) -> str | None:
        """Where a browser is sent to sign out at the provider too; None where it offers no such page or is away."""
        try:
            endpoint = (await self._discover()).end_session_endpoint
        except Unavailable:
            return None
        if endpoint is None:
            return None
        query = urlencode({"client_id": self._client_id, "post_logout_redirect_uri": back_to})
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{query}"

    async def _discover(self) -> _Discovered:
        is_old = self._clock() - self._discovered_at >= KEPT_FOR
        if self._discovered is None or is_old:
            try:
                found = await self._ask("GET", self.issuer.rstrip("/") + _DISCOVERY)
                self._discovered = self._read_discovery(found)
                self._discovered_at = self._clock()
            except Unavailable:
                if self._discovered is None:
                    raise
                # What was found before serves on; the next sign-in asks again.
        return self._discovered

    def _read_discovery(self, found: Mapping[str, Any]) -> _Discovered:
        if found.get("issuer") != self.issuer:
            raise _away("The provider calls itself by another name than PEERPAUSE_OIDC_ISSUER.")
        return _Discovered(
            authorization_endpoint=self._endpoint(found, "authorization_endpoint"),
            token_endpoint=self._endpoint(found, "token_endpoint"),
            userinfo_endpoint=self._endpoint_or_none(found, "userinfo_endpoint"),
            end_session_endpoint=self._endpoint_or_none(found, "end_session_endpoint"),
            client_authentication=self._authentication(found),
            names_itself_in_answers=found.get("authorization_response_iss_parameter_supported") is True,
            keys=self._keys_at(self._endpoint(found, "jwks_uri")),
        )

    def _keys_at(self, address: str) -> KeySet:
        # Kept as long as the address stays, for it knows when it has asked last.
        if self._keys is None or self._keys[0] != address:
            self._keys = (address, KeySet(fetch=fetch_from(address, self._http), clock=self._clock))
        return self._keys[1]

    def _endpoint(self, found: Mapping[str, Any], name: str) -> str:
        endpoint = self._endpoint_or_none(found, name)
        if endpoint is None:
            raise _away("The provider's description of itself is not complete.")
        return endpoint

    def _endpoint_or_none(self, found: Mapping[str, Any], name: str) -> str | None:
        endpoint = found.get(name)
        # A provider that is reached by https names no address that is not.
        is_fitting = isinstance(endpoint, str) and urlsplit(endpoint).scheme in (
            "https",
            urlsplit(self.issuer).scheme,
        )
        return str(endpoint) if is_fitting else None

    def _authentication(self, found: Mapping[str, Any]) -> str:
        if self._client_secret is None:
            return "none"
        offered = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"

    async def _exchange(self, known: _Discovered, attempt: Attempt, code: str) -> Mapping[str, Any]:
        secret = self._client_secret or ""
        is_basic = known.client_authentication == "client_secret_basic"
        authentication = ClientAuth(
            # In the header both are encoded as in a form (RFC 6749, 2.3.1).
            quote(self._client_id, safe="") if is_basic else self._client_id,
            quote(secret, safe="") if is_basic else secret,
            known.client_authentication,
        )
        asked = prepare_token_request(
            "authorization_code", redirect_uri=self._redirect_uri, code=code, code_verifier=attempt.verifier
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        address, headers, body = authentication.prepare("POST", known.token_endpoint, headers, asked)
        answer = await self._ask("POST", address, headers=headers, body=body)
        if not isinstance(answer.get("id_token"), str) or len(answer["id_token"]) > _LONGEST_TOKEN:
            raise _refused("no_id_token")
        return answer

    async def _verify(
        self, known: _Discovered, attempt: Attempt, tokens: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        token = tokens["id_token"]
        try:
            header = jwt.get_unverified_header(token)
        except _UNREADABLE:
            raise _refused("id_token_unreadable") from None
        algorithm = header.get("alg")
        if algorithm not in _ALGORITHMS or "crit" in header:
            raise _refused("id_token_algorithm")
        key = await known.keys.find(header.get("kid"), algorithm)
        if key is None:
            raise _refused("id_token_key")
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._client_id,
                issuer=self.issuer,
                leeway=LEEWAY,
                options=_DECODING,
            )
            expected = {"client_id": self._client_id, "nonce": attempt.nonce, **_access_token(tokens)}
            CodeIDToken(claims, header, params=expected).validate(leeway=LEEWAY)
        except (*_UNREADABLE, AuthlibBaseError, JoseError):
            raise _refused("id_token_claims") from None
        if not 1 <= len(claims["sub"]) <= _LONGEST_SUBJECT or not claims["sub"].isprintable():
            raise _refused("id_token_subject")
        return claims

    async def _user_info(
        self, known: _Discovered, tokens: Mapping[str, Any], subject: str
    ) -> Mapping[str, Any]:
        """What the provider tells about the person besides the ID token; nothing where it does not."""
        token = tokens.get("access_token")
        if known.userinfo_endpoint is None or not isinstance(token, str):
            return {}
        told = await self._ask("GET", known.userinfo_endpoint, headers={"Authorization": f"Bearer {token}"})
        is_theirs = hmac.compare_digest(str(told.get("sub")).encode(), subject.encode())
        if not is_theirs:
            raise _refused("user_info_of_other_person")
        return told

    async def _ask(
        self, method: str, address: str, *, headers: Mapping[str, str] | None = None, body: str | None = None
    ) -> Mapping[str, Any]:
        try:
            async with self._http.request(
                method,
                address,
                headers={"Accept": "application/json", **(headers or {})},
                data=body,
                timeout=_TIMEOUT,
                allow_redirects=False,
            ) as answer:
                read = await answer.content.read(_LARGEST_ANSWER + 1)
                while not answer.content.at_eof() and len(read) <= _LARGEST_ANSWER:
                    read += await answer.content.read(_LARGEST_ANSWER + 1)
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise _away("The provider of sign-ins cannot be reached just now.") from None
        if status >= 500 or status == 429:  # HTTP's own numbers
            raise _away("The provider of sign-ins is out of order just now.")
        if status != 200 or len(read) > _LARGEST_ANSWER:
            raise _refused("provider_refused")
        try:
            told = json.loads(read)
        except (ValueError, RecursionError):
            raise _refused("provider_unreadable") from None
        if not isinstance(told, dict):
            raise _refused("provider_unreadable")
        return told


def _verified_email(claims: Mapping[str, Any]) -> str | None:
    email = claims.get("email")
    is_verified = claims.get("email_verified") is True
    return email.strip() if is_verified and isinstance(email, str) and email.strip() else None


def _access_token(tokens: Mapping[str, Any]) -> Mapping[str, str]:
    token = tokens.get("access_token")
    return {"access_token": token} if isinstance(token, str) else {}


def _refused(reason: str) -> SignInRefused:
    return SignInRefused(
        "The provider's answer does not prove who you are.", detail={"reason": reason}, hint="Begin again."
    )


def _away(sentence: str) -> Unavailable:
    return Unavailable(sentence, hint="Try again in a moment.")
