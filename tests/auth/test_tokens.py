"""Whom a token names, and which tokens are refused."""

from __future__ import annotations

import base64
import json
import time
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from peerpause.auth.keys import KeySet
from peerpause.auth.tokens import LEEWAY, REMEMBERED_FOR, TokenExpired, TokenVerifier, issue_token
from peerpause.database.session import Claims, Service
from peerpause.errors import NotSignedIn

SECRET = "a secret of more than thirty-two bytes, for tests"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ADA = UUID("0b7a4a5e-9a50-4f0e-8a3e-5f2f7d1c2b11")


def jwk(key: Any, kid: str, **more: str) -> dict[str, Any]:
    algorithm = (
        jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    )
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, **more}


def issuer_of(*keys: dict[str, Any]) -> KeySet:
    async def fetch() -> bytes:
        return json.dumps({"keys": list(keys)}).encode()

    return KeySet(fetch=fetch)


def claims(**changed: Any) -> dict[str, Any]:
    good = {"sub": str(ADA), "role": "authenticated", "aud": "authenticated", "exp": int(time.time()) + 600}
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def signed(payload: dict[str, Any], key: Any = SECRET, algorithm: str = "HS256", **header: Any) -> str:
    return jwt.encode(payload, key, algorithm=algorithm, headers=header)


async def named(verifier: TokenVerifier, token: str) -> UUID | None:
    caller = await verifier.verify(token)
    assert isinstance(caller, Claims)
    return caller.user_id


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.fixture
def verifier() -> TokenVerifier:
    return TokenVerifier(
        secret=SECRET, keys=issuer_of(jwk(RSA_KEY, "r"), jwk(EC_KEY, "e")), issuer="https://auth.example"
    )


def ours(**changed: Any) -> dict[str, Any]:
    return claims(iss="https://auth.example", **changed)


async def test_a_person_is_named_with_the_claims_of_the_token(verifier: TokenVerifier) -> None:
    caller = await verifier.verify(signed(ours(app_metadata={"lang": "nb"})))
    assert isinstance(caller, Claims)
    assert (caller.user_id, caller.others["app_metadata"]) == (ADA, {"lang": "nb"})


@pytest.mark.parametrize(("key", "algorithm", "kid"), [(RSA_KEY, "RS256", "r"), (EC_KEY, "ES256", "e")])
async def test_the_issuers_keys_are_good(verifier: TokenVerifier, key: Any, algorithm: str, kid: str) -> None:
    assert await named(verifier, signed(ours(), key, algorithm, kid=kid)) == ADA
    # With one key of the kind, the token need not say which.
    assert await named(verifier, signed(ours(), key, algorithm)) == ADA


async def test_the_keys_of_roles_name_the_service_and_nobody(verifier: TokenVerifier) -> None:
    assert await verifier.verify(issue_token(secret=SECRET, sub=None, role="service_role")) == Service()
    assert await named(verifier, issue_token(secret=SECRET, sub=None, role="anon")) is None


async def test_a_token_made_for_development_is_good(verifier: TokenVerifier) -> None:
    made = issue_token(secret=SECRET, sub=ADA, issuer="https://auth.example")
    assert await named(verifier, made) == ADA


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": None},
        {"exp": "soon"},
        {"exp": float("inf")},
        {"nbf": 4102444800},  # the year 2100
        {"aud": None},
        {"aud": "anon"},
        {"aud": ["others", "anon"]},
        {"iss": None},
        {"iss": "https://evil.example"},
        {"role": None},
        {"role": "postgres"},
        {"role": ["authenticated"]},
        {"sub": None},
        {"sub": "ada"},
        {"sub": 7},
    ],
    ids=str,
)
async def test_a_token_with_wrong_claims_is_refused(verifier: TokenVerifier, changed: dict[str, Any]) -> None:
    body = (
        f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims(**{'iss': 'https://auth.example', **changed}))}"
    )
    mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        body.encode(), SECRET.encode()
    )
    with pytest.raises(NotSignedIn):
        await verifier.verify(f"{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}")


async def test_an_expired_token_is_told_from_a_forged_one(verifier: TokenVerifier) -> None:
    with pytest.raises(TokenExpired):
        await verifier.verify(signed(ours(exp=int(time.time()) - 60)))
    made = issue_token(
        secret=SECRET, sub=ADA, expires_in=timedelta(seconds=-1), issuer="https://auth.example"
    )
    # Clocks may differ by half a minute.
    assert await named(verifier, made) == ADA


async def test_a_signature_of_another_key_is_refused(verifier: TokenVerifier) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for forged in (
        signed(ours(), "another secret of more than thirty-two bytes"),
        signed(ours(), other, "RS256", kid="r"),
        signed(ours(), RSA_KEY, "RS256", kid="e"),
        signed(ours(), RSA_KEY, "RS256", kid="unknown"),
        signed(ours(), EC_KEY, "ES256", kid="r"),
        signed(ours(), SECRET * 2, "HS512"),
        signed(ours(), RSA_KEY, "PS256", kid="r"),
    ):
        with pytest.raises(NotSignedIn):
            await verifier.verify(forged)


async def test_an_unsigned_token_is_refused(verifier: TokenVerifier) -> None:
    for algorithm in ("none", "None", "NONE", ""):
        with pytest.raises(NotSignedIn):
            await verifier.verify(f"{part({'alg': algorithm})}.{part(ours())}.")


async def test_a_public_key_is_no_secret() -> None:
    """The classic confusion: sign with HS256, and the issuer's public key as the secret."""
    pem = RSA_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    body = f"{part({'alg': 'HS256', 'kid': 'r'})}.{part(claims())}"
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    forged = f"{body}.{base64.urlsafe_b64encode(signature.sign(body.encode(), pem)).rstrip(b'=').decode()}"
    for verifier in (
        TokenVerifier(keys=issuer_of(jwk(RSA_KEY, "r"))),
        TokenVerifier(secret=SECRET, keys=issuer_of(jwk(RSA_KEY, "r"))),
    ):
        with pytest.raises(NotSignedIn):
            await verifier.verify(forged)


async def test_a_symmetric_key_in_the_public_document_is_not_used() -> None:
    published = {
        "kty": "oct",
        "k": base64.urlsafe_b64encode(SECRET.encode()).decode(),
        "kid": "o",
        "alg": "HS256",
    }
    with pytest.raises(NotSignedIn):
        await TokenVerifier(keys=issuer_of(published)).verify(signed(claims(), kid="o"))


async def test_whoever_issues_peoples_tokens_is_not_thereby_the_service(verifier: TokenVerifier) -> None:
    for role in ("service_role", "anon"):
        with pytest.raises(NotSignedIn):
            await verifier.verify(signed(ours(role=role), RSA_KEY, "RS256", kid="r"))


async def test_without_a_secret_nothing_is_signed_with_one() -> None:
    with pytest.raises(NotSignedIn):
        await TokenVerifier(keys=issuer_of(jwk(RSA_KEY, "r"))).verify(signed(claims()))
    with pytest.raises(NotSignedIn):
        await TokenVerifier(secret=SECRET).verify(signed(claims(), RSA_KEY, "RS256", kid="r"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a.b",
        "a.b.c",
        "....",
        f"{part({'alg': 'HS256', 'kid': 5})}.{part(claims())}.x",
        f"{part(['HS256'])}.{part(claims())}.x",
        f"{base64.urlsafe_b64encode(b'[' * 5000).decode()}.x.x",
        "x" * 100_000,
        "æøå.æøå.æøå",
    ],
    ids=lambda text: text[:12] or "empty",
)
async def test_what_is_no_token_is_refused(verifier: TokenVerifier, text: str) -> None:
    with pytest.raises(NotSignedIn):
        await verifier.verify(text)


async def test_a_token_with_demands_of_its_own_is_refused(verifier: TokenVerifier) -> None:
    with pytest.raises(NotSignedIn):
        await verifier.verify(signed(ours(), crit=["exp"], b64=True))


async def test_a_refusal_repeats_nothing_of_the_token(verifier: TokenVerifier) -> None:
    with pytest.raises(NotSignedIn) as caught:
        await verifier.verify(signed(ours(sub=str(uuid4()), aud="a special word")))
    assert "special" not in f"{caught.value!r} {caught.value.detail} {caught.value.hint}"
    assert caught.value.__cause__ is None


class Counted:
    """The issuer's keys, and how often they were asked for: so often was a token looked into."""

    def __init__(self) -> None:
        self.asked = 0
        self._keys = issuer_of(jwk(RSA_KEY, "r"))

    async def find(self, kid: str | None, algorithm: str) -> Any:
        self.asked += 1
        return await self._keys.find(kid, algorithm)


@pytest.mark.parametrize(
    ("lives_for", "known_for"),
    [(3600, REMEMBERED_FOR), (5, 5 + LEEWAY)],
    ids=["for a minute", "or until it ends"],
)
async def test_a_good_token_is_remembered(lives_for: int, known_for: float) -> None:
    now = float(int(time.time()))
    keys: Any = Counted()
    verifier = TokenVerifier(keys=keys, clock=lambda: now)
    token = signed(claims(exp=int(now) + lives_for), RSA_KEY, "RS256", kid="r")
    first = await verifier.verify(token)
    now += known_for - 0.1
    assert await verifier.verify(token) is first
    assert keys.asked == 1
    now += 0.1
    assert await verifier.verify(token) == first
    assert keys.asked == 2


async def test_nothing_is_remembered_of_a_token_that_was_refused(verifier: TokenVerifier) -> None:
    forged = signed(ours(), "another secret of more than thirty-two bytes")
    for _ in range(2):
        with pytest.raises(NotSignedIn):
            await verifier.verify(forged)
