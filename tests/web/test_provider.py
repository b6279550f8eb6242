"""Nobody is believed to be somebody unless the provider's answer proves it: whoever forges one part of it is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from peerpause.errors import Unavailable
from peerpause.web.attempts import Attempt
from peerpause.web.identities import ProvenIdentity
from peerpause.web.provider import KEPT_FOR, Provider, SignInRefused
from tests.api.serving import listening

CLIENT = "peer:pause"
SECRET = "a secret & more"
ATTEMPT = Attempt(state="state", nonce="the nonce of this sign-in", verifier="v" * 64)
_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_OTHER_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_EC = ec.generate_private_key(ec.SECP256R1())

Claims = dict[str, Any]


@dataclass(slots=True)
class Issuer:
    """A provider that says whatever a test wants. ``asked`` are the requests for tokens that came."""

    url: str = ""
    about: Claims = field(default_factory=dict)
    tokens: Claims = field(default_factory=dict)
    user_info: Claims = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=lambda: {"one": _RSA, "two": _EC})
    asked: list[tuple[Mapping[str, str], dict[str, list[str]]]] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    status: int = 200

    def claims(self) -> Claims:
        now = int(time.time())
        return {
            **{"iss": self.url, "aud": CLIENT, "sub": "ada-at-the-provider", "nonce": ATTEMPT.nonce},
            **{"iat": now, "exp": now + 60, "email": "ada@example.org", "email_verified": True},
        }

    def sign(self, claims: Claims, *, key: Any = _RSA, alg: str = "RS256", **header: Any) -> None:
        token = jwt.encode(claims, key, algorithm=alg, headers={"kid": "one", **header})
        self.tokens = {"access_token": "opaque", "token_type": "Bearer", "id_token": token}

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        async def discovery() -> JSONResponse:
            self.fetched.append("discovery")
            told = {
                **{"issuer": self.url, "authorization_endpoint": f"{self.url}/auth?tenant=1"},
                **{"token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/jwks"},
                **{"userinfo_endpoint": f"{self.url}/me", "end_session_endpoint": f"{self.url}/end"},
            }
            return JSONResponse({**told, **self.about}, status_code=self.status)

        @app.get("/jwks")
        async def jwks() -> JSONResponse:
            self.fetched.append("keys")
            return JSONResponse({"keys": [_public(kid, key) for kid, key in self.keys.items()]})

        @app.post("/token")
        async def token(request: Request) -> JSONResponse:
            self.asked.append((request.headers, parse_qs((await request.body()).decode())))
            return JSONResponse(self.tokens, status_code=self.status)

        @app.get("/me")
        async def me(request: Request) -> JSONResponse:
            assert request.headers["authorization"] == "Bearer opaque"
            return JSONResponse(self.user_info)

        return app


def _public(kid: str, key: Any) -> Claims:
    is_rsa = isinstance(key, rsa.RSAPrivateKey)
    of_algorithm: Any = jwt.algorithms.RSAAlgorithm if is_rsa else jwt.algorithms.ECAlgorithm
    return {**of_algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    issuer = Issuer()
    async with listening(issuer.app()) as url:
        issuer.url = url
        issuer.sign(issuer.claims())
        yield issuer


Make = Callable[..., Provider]


@pytest.fixture
async def make(issuer: Issuer) -> AsyncIterator[Make]:
    async with aiohttp.ClientSession() as http:

        def make(**changed: Any) -> Provider:
            usual: dict[str, Any] = {
                **{"issuer": issuer.url, "client_id": CLIENT, "client_secret": SECRET},
                **{"scopes": "openid email", "http": http, "clock": lambda: 1000.0},
                **{"redirect_uri": "https://pause.example.org/sign-in/callback"},
            }
            return Provider(**{**usual, **changed})

        yield make


async def prove(provider: Provider, issuer: str | None = None) -> ProvenIdentity:
    return await provider.prove(ATTEMPT, code="the code", issuer=issuer)


async def reason(provider: Provider, issuer: str | None = None) -> str:
    with pytest.raises(SignInRefused) as refusal:
        await prove(provider, issuer)
    return str(refusal.value.detail["reason"])


async def test_people_are_sent_to_the_provider_with_all_that_ties_the_answer_to_them(make: Make) -> None:
    address = urlsplit(await make().address(ATTEMPT))
    asked = {name: values[0] for name, values in parse_qs(address.query).items()}
    challenge = base64.urlsafe_b64encode(hashlib.sha256(ATTEMPT.verifier.encode()).digest()).decode()
    assert asked == {
        **{"tenant": "1", "response_type": "code", "client_id": CLIENT, "scope": "openid email"},
        **{"redirect_uri": "https://pause.example.org/sign-in/callback", "state": ATTEMPT.state},
        **{"nonce": ATTEMPT.nonce, "code_challenge": challenge.rstrip("="), "code_challenge_method": "S256"},
    }
    assert ATTEMPT.verifier not in address.query


async def test_an_answer_that_proves_it_is_believed(make: Make, issuer: Issuer) -> None:
    assert await prove(make()) == ProvenIdentity(issuer.url, "ada-at-the-provider", "ada@example.org")
    ((headers, form),) = issuer.asked
    assert form == {
        **{"grant_type": ["authorization_code"], "code": ["the code"]},
        **{"redirect_uri": ["https://pause.example.org/sign-in/callback"]},
        **{"code_verifier": [ATTEMPT.verifier]},
    }
    name, secret = base64.b64decode(headers["authorization"].removeprefix("Basic ")).decode().split(":")
    assert (unquote(name), unquote(secret)) == (CLIENT, SECRET)


async def test_a_secret_goes_into_the_form_where_the_provider_wants_it_there(
    make: Make, issuer: Issuer
) -> None:
    issuer.about = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    await prove(make())
    ((headers, form),) = issuer.asked
    assert "authorization" not in headers
    assert (form["client_id"], form["client_secret"]) == ([CLIENT], [SECRET])


async def test_a_public_client_sends_no_secret(make: Make, issuer: Issuer) -> None:
    await prove(make(client_secret=None))
    ((headers, form),) = issuer.asked
    assert "authorization" not in headers
    assert form["client_id"] == [CLIENT]
    assert "client_secret" not in form


async def test_elliptic_signatures_are_believed_too(make: Make, issuer: Issuer) -> None:
    issuer.sign(issuer.claims(), key=_EC, alg="ES256", kid="two")
    assert (await prove(make())).subject == "ada-at-the-provider"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "somebody-else"},
        {"aud": [CLIENT, "somebody-else"]},
        {"aud": [CLIENT, "somebody-else"], "azp": "somebody-else"},
        {"aud": CLIENT, "azp": "somebody-else"},
        {"aud": None},
        {"nonce": "another nonce"},
        {"nonce": None},
        {"nonce": [ATTEMPT.nonce]},
        {"exp": 1},
        {"exp": None},
        {"exp": "soon"},
        {"iat": None},
        {"iat": int(time.time()) + 3600},
        {"sub": None},
        {"sub": 5},
        {"at_hash": "of another token"},
    ],
    ids=lambda changed: "-".join(changed) + "-" + type(next(iter(changed.values()))).__name__,
)
async def test_a_token_with_one_claim_forged_is_refused(make: Make, issuer: Issuer, changed: Claims) -> None:
    claims = {name: value for name, value in {**issuer.claims(), **changed}.items() if value is not None}
    token = _sign_raw(claims)
    issuer.tokens = {**issuer.tokens, "id_token": token}
    assert await reason(make()) == "id_token_claims"


@pytest.mark.parametrize("subject", ["", "x" * 256, "a\nb", "\x00"])
async def test_a_subject_that_is_no_name_is_refused(make: Make, issuer: Issuer, subject: str) -> None:
    issuer.sign({**issuer.claims(), "sub": subject})
    assert await reason(make()) in ("id_token_subject", "id_token_claims")


async def test_a_token_for_several_that_names_us_as_the_party_is_believed(make: Make, issuer: Issuer) -> None:
    issuer.sign({**issuer.claims(), "aud": [CLIENT, "somebody-else"], "azp": CLIENT})
    assert (await prove(make())).subject == "ada-at-the-provider"


async def test_an_algorithm_that_is_not_ours_is_refused(make: Make, issuer: Issuer) -> None:
    claims = issuer.claims()
    public = _RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    forged = {
        "none": _sign_raw(claims, alg="none", sign=lambda _: b""),
        "the secret": jwt.encode(claims, SECRET * 3, algorithm="HS256", headers={"kid": "one"}),
        "the public key as a secret": _sign_raw(claims, alg="HS256", sign=partial(_hmac, public)),
        "a stronger one we did not ask for": jwt.encode(
            claims, _RSA, algorithm="RS512", headers={"kid": "one"}
        ),
    }
    for what, token in forged.items():
        issuer.tokens = {**issuer.tokens, "id_token": token}
        assert await reason(make()) == "id_token_algorithm", what


async def test_a_key_that_is_not_the_providers_is_refused(make: Make, issuer: Issuer) -> None:
    issuer.sign(issuer.claims(), key=_OTHER_RSA)
    assert await reason(make()) == "id_token_claims"
    issuer.sign(issuer.claims(), key=_OTHER_RSA, kid="unknown")
    assert await reason(make()) == "id_token_key"
    # A key that the token brings along is nobody's.
    brought: Claims = {"jwk": _public("one", _OTHER_RSA), "jku": "https://evil.example/jwks"}
    issuer.sign(issuer.claims(), key=_OTHER_RSA, **brought)
    assert await reason(make()) == "id_token_claims"


@pytest.mark.parametrize("token", [None, "", 5, "x", "a.b.c", "x" * 20_000])
async def test_what_is_no_token_is_refused(make: Make, issuer: Issuer, token: object) -> None:
    issuer.tokens = {"access_token": "opaque", "id_token": token}
    assert await reason(make()) in ("no_id_token", "id_token_unreadable")


async def test_an_answer_that_names_another_issuer_is_refused_before_the_code_is_shown_to_anybody(
    make: Make, issuer: Issuer
) -> None:
    assert await reason(make(), "https://evil.example") == "answer_of_other_issuer"
    issuer.about = {"authorization_response_iss_parameter_supported": True}
    assert await reason(make()) == "answer_without_issuer"
    assert issuer.asked == []
    assert (await prove(make(), issuer.url)).subject == "ada-at-the-provider"


async def test_a_new_key_is_fetched_when_a_token_is_signed_with_it(make: Make, issuer: Issuer) -> None:
    now = 1000.0
    provider = make(clock=lambda: now)
    await prove(provider)
    issuer.keys = {"next": _OTHER_RSA}
    issuer.sign(issuer.claims(), key=_OTHER_RSA, kid="next")
    now += 120
    assert (await prove(provider)).subject == "ada-at-the-provider"
    assert issuer.fetched == ["discovery", "keys", "keys"]


async def test_the_description_is_kept_for_an_hour_and_used_on_while_the_provider_is_away(
    make: Make, issuer: Issuer
) -> None:
    now = 1000.0
    provider = make(clock=lambda: now)
    for _ in range(3):
        await provider.address(ATTEMPT)
    assert issuer.fetched == ["discovery"]
    now += KEPT_FOR
    issuer.status = 503
    assert await provider.address(ATTEMPT)
    assert issuer.fetched == ["discovery"] * 2


@pytest.mark.parametrize(
    "about",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": ["https://evil.example"]},
    ],
    ids=str,
)
async def test_a_provider_that_does_not_describe_itself_is_not_asked(
    make: Make, issuer: Issuer, about: Claims
) -> None:
    issuer.about = about
    with pytest.raises(Unavailable):
        await make().address(ATTEMPT)


async def test_a_provider_that_is_away_is_said_to_be(make: Make, issuer: Issuer) -> None:
    with pytest.raises(Unavailable):
        await make(issuer="http://127.0.0.1:9").address(ATTEMPT)
    provider = make()
    await provider.address(ATTEMPT)
    issuer.status = 502
    with pytest.raises(Unavailable):
        await prove(provider)
    issuer.status = 400
    assert await reason(provider) == "provider_refused"


async def test_an_address_is_believed_only_if_the_provider_has_verified_it(
    make: Make, issuer: Issuer
) -> None:
    for verified in (False, None, "true", 1, "false"):
        issuer.sign({**issuer.claims(), "email_verified": verified})
        assert (await prove(make())).email is None, verified


async def test_the_address_may_stand_beside_the_token(make: Make, issuer: Issuer) -> None:
    claims = issuer.claims()
    del claims["email"], claims["email_verified"]
    issuer.sign(claims)
    issuer.user_info = {"sub": claims["sub"], "email": "ada@example.org", "email_verified": True}
    assert (await prove(make())).email == "ada@example.org"
    issuer.user_info = {**issuer.user_info, "sub": "somebody else"}
    assert await reason(make()) == "user_info_of_other_person"


async def test_the_way_out_leads_over_the_provider_and_back(make: Make, issuer: Issuer) -> None:
    address = urlsplit(str(await make().sign_out_address("https://pause.example.org/sign-in")))
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{issuer.url}/end"
    assert parse_qs(address.query) == {
        "client_id": [CLIENT],
        "post_logout_redirect_uri": ["https://pause.example.org/sign-in"],
    }
    issuer.about = {"end_session_endpoint": None}
    assert await make().sign_out_address("https://pause.example.org/sign-in") is None


def _rsa_signature(text: bytes) -> bytes:
    return jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256).sign(text, _RSA)


def _hmac(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")


def _sign_raw(claims: Claims, *, alg: str = "RS256", sign: Callable[[bytes], bytes] = _rsa_signature) -> str:
    """Sign whatever it is: PyJWT itself refuses to write some of what forgers do."""
    parts = [{"alg": alg, "kid": "one"}, claims]
    text = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    return f"{text.decode()}.{base64.urlsafe_b64encode(sign(text)).rstrip(b'=').decode()}"
