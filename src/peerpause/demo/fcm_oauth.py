"""The stand-in's half of Google's sign-in: a made-up service account, and a token endpoint that truly checks its signature."""

from __future__ import annotations

import base64
import functools
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

SCOPES = frozenset(
    {
        "https://www.googleapis.com/auth/firebase.messaging",
        "https://www.googleapis.com/auth/cloud-platform",
    }
)
GOOGLE_AUDIENCE = "https://oauth2.googleapis.com/token"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"

_LONGEST_ASSERTION = 3600
_CLOCK_SKEW = 300
_KEY_BITS = 2048


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What the token endpoint says: an HTTP status and a JSON object."""

    status: int
    body: Mapping[str, Any]


class ServiceAccount:
    """A synthetic identity whose key was made in this process and opens nothing but the stand-in."""

    def __init__(self, *, project_id: str, key: rsa.RSAPrivateKey | None = None) -> None:
        self._key = key or _key_of_this_process()
        self.project_id = project_id
        self.email = f"push@{project_id}.iam.gserviceaccount.com"
        self.key_id = "standin"

    def to_json(self, *, token_uri: str) -> dict[str, str]:
        """The service-account file, in the form the Firebase console hands out."""
        pem = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "project_id": self.project_id,
            "private_key_id": self.key_id,
            "private_key": pem.decode(),
            "client_email": self.email,
            "client_id": "100000000000000000000",
            "token_uri": token_uri,
        }

    def signed(self, signature: bytes, content: bytes) -> bool:
        """Whether this account's key made the signature (RS256)."""
        try:
            self._key.public_key().verify(signature, content, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


class TokenOffice:
    """Issues access tokens against signed assertions, and knows which of them still hold.

    ``lifetime`` is in seconds and may be changed at any time; ``clock`` gives seconds since 1970.
    """

    def __init__(self, account: ServiceAccount, *, lifetime: float, clock: Callable[[], float]) -> None:
        self.lifetime = lifetime
        self.issued = 0
        self._account = account
        self._clock = clock
        self._ends: dict[str, float] = {}

    def answer(self, form: Mapping[str, Any], *, audience: str) -> TokenAnswer:
        """Judge a token request; ``audience`` is this endpoint's own address, accepted beside Google's."""
        if form.get("grant_type") != GRANT_TYPE:
            return _refusal("unsupported_grant_type", "Invalid grant_type")
        fault = self._fault_of(str(form.get("assertion", "")), audiences={audience, GOOGLE_AUDIENCE})
        if fault:
            return fault
        token = f"ya29.standin-{secrets.token_urlsafe(24)}"
        self._ends[token] = self._clock() + self.lifetime
        self.issued += 1
        return TokenAnswer(
            200, {"access_token": token, "expires_in": int(self.lifetime), "token_type": "Bearer"}
        )

    def accepts(self, authorization: str) -> bool:
        """Whether an ``Authorization`` header carries a token that still holds."""
        return self._ends.get(authorization.removeprefix("Bearer "), 0.0) > self._clock()

    def revoke_all(self) -> None:
        """End every token now, as Google may at any time."""
        self._ends.clear()

    def _fault_of(self, assertion: str, *, audiences: set[str]) -> TokenAnswer | None:
        try:
            head, payload, signature = assertion.encode("ascii").split(b".")
            header, claims = json.loads(_decoded(head)), json.loads(_decoded(payload))
            signed = header["alg"] == "RS256" and self._account.signed(
                _decoded(signature), head + b"." + payload
            )
            issued_at, expires_at = float(claims["iat"]), float(claims["exp"])
            scopes = set(str(claims["scope"]).split())
            issuer, audience = claims["iss"], str(claims["aud"])
        except (ValueError, KeyError, TypeError):
            return _refusal("invalid_grant", "Invalid JWT")
        now = self._clock()
        if not signed or header.get("kid") != self._account.key_id:
            return _refusal("invalid_grant", "Invalid JWT Signature.")
        if issuer != self._account.email:
            return _refusal("invalid_grant", "Invalid grant: account not found")
        if audience not in audiences:
            return _refusal("invalid_grant", "Invalid JWT: audience is wrong")
        if not issued_at - _CLOCK_SKEW <= now < expires_at or expires_at - issued_at > _LONGEST_ASSERTION:
            return _refusal("invalid_grant", "Invalid JWT: Token must be a short-lived token")
        if not scopes or not scopes <= SCOPES:
            return _refusal("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        return None


def new_key() -> rsa.RSAPrivateKey:
    """A fresh RSA key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)


@functools.cache
def _key_of_this_process() -> rsa.RSAPrivateKey:
    # Making one takes a tenth of a second and more: once is enough for all stand-ins of a process.
    return new_key()


def _decoded(part: bytes) -> bytes:
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def _refusal(error: str, description: str) -> TokenAnswer:
    return TokenAnswer(400, {"error": error, "error_description": description})
