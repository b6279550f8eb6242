"""The stand-in is as strict as Google where strictness finds our mistakes, and shows what reached it."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from google.auth import jwt as google_jwt
from google.auth.crypt import RSASigner

from peerpause.demo import fcm_answers as answers
from peerpause.demo import fcm_wire
from peerpause.demo.fcm_oauth import GOOGLE_AUDIENCE, GRANT_TYPE, ServiceAccount, new_key
from peerpause.demo.fcm_standin import Arrival, FcmStandin
from tests.notifications.fcm_discovery import schemas

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
NOW = 1_800_000_000.0
HELLO = {"message": {"token": "bo", "notification": {"title": "Ada"}}}


class Caller:
    """A bare client that says exactly what a test tells it to."""

    def __init__(self, standin: FcmStandin, session: aiohttp.ClientSession) -> None:
        self.standin = standin
        self._session = session

    async def sign_in(self, **claims: Any) -> tuple[int, dict[str, Any]]:
        form = {"grant_type": GRANT_TYPE, "assertion": self.assertion(**claims)}
        return await self.post("/token", data=form)

    def assertion(self, *, account: ServiceAccount | None = None, **claims: Any) -> str:
        info = (account or self.standin.account).to_json(token_uri=f"{self.standin.endpoint}/token")
        signer = RSASigner.from_service_account_info(info)  # type: ignore[no-untyped-call]  # google-auth has no types here
        usual = {
            "iss": info["client_email"],
            "aud": GOOGLE_AUDIENCE,
            "iat": NOW,
            "exp": NOW + 3600,
            "scope": SCOPE,
        }
        return str(google_jwt.encode(signer, {**usual, **claims}).decode())  # type: ignore[no-untyped-call]  # as above

    async def send(
        self, body: object, token: str | None = None, project: str = "peerpause-demo"
    ) -> tuple[int, Any]:
        if token is None:
            _, answer = await self.sign_in()
            token = answer["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        return await self.post(f"/v1/projects/{project}/messages:send", json=body, headers=headers)

    async def post(self, path: str, **request: Any) -> tuple[int, Any]:
        async with self._session.post(self.standin.endpoint + path, **request) as response:
            return response.status, await response.json(content_type=None)

    async def get(self, path: str) -> Any:
        async with self._session.get(self.standin.endpoint + path) as response:
            return await response.json()


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    async with FcmStandin(clock=lambda: NOW) as standin, aiohttp.ClientSession() as session:
        yield Caller(standin, session)


# Sign-in


async def test_it_signs_in_who_can_prove_it(caller: Caller) -> None:
    status, answer = await caller.sign_in()
    assert (status, answer["token_type"], answer["expires_in"]) == (200, "Bearer", 3600)
    assert (await caller.sign_in(aud=f"{caller.standin.endpoint}/token"))[0] == 200


@pytest.mark.parametrize(
    "claims, error",
    [
        ({"iss": "stranger@example.org"}, "invalid_grant"),
        ({"aud": "https://elsewhere.example/token"}, "invalid_grant"),
        ({"exp": NOW}, "invalid_grant"),
        ({"iat": NOW + 301}, "invalid_grant"),
        ({"exp": NOW + 3601}, "invalid_grant"),
        ({"iat": None}, "invalid_grant"),
        ({"aud": ["list"]}, "invalid_grant"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "https://www.googleapis.com/auth/drive"}, "invalid_scope"),
        ({"account": ServiceAccount(project_id="peerpause-demo", key=new_key())}, "invalid_grant"),
    ],
)
async def test_it_signs_in_nobody_else(caller: Caller, claims: dict[str, Any], error: str) -> None:
    status, answer = await caller.sign_in(**claims)
    assert (status, answer["error"]) == (400, error)
    assert caller.standin.tokens.issued == 0


@pytest.mark.parametrize("assertion", ["", "a.b", "a.b.c", "e30.e30.e30", "bnVsbA.e30.e30", "ø.ø.ø"])
async def test_it_signs_in_no_garbage(caller: Caller, assertion: str) -> None:
    status, _ = await caller.post("/token", data={"grant_type": GRANT_TYPE, "assertion": assertion})
    assert status == 400


async def test_it_knows_one_way_to_sign_in(caller: Caller) -> None:
    status, answer = await caller.post("/token", data={"grant_type": "password"})
    assert (status, answer["error"]) == (400, "unsupported_grant_type")


async def test_a_changed_claim_breaks_the_signature(caller: Caller) -> None:
    head, _, signature = caller.assertion().split(".")
    _, other_claims, _ = caller.assertion(exp=NOW + 3599).split(".")
    form = {"grant_type": GRANT_TYPE, "assertion": f"{head}.{other_claims}.{signature}"}
    assert (await caller.post("/token", data=form))[0] == 400


async def test_access_tokens_end_by_the_clock_and_on_demand() -> None:
    now = NOW
    async with (
        FcmStandin(clock=lambda: now, token_lifetime=60) as standin,
        aiohttp.ClientSession() as session,
    ):
        caller = Caller(standin, session)
        _, answer = await caller.sign_in()
        assert (await caller.send(HELLO, answer["access_token"]))[0] == 200
        now = NOW + 60
        assert (await caller.send(HELLO, answer["access_token"]))[0] == 401
        now = NOW
        standin.expire_access_tokens()
        assert (await caller.send(HELLO, answer["access_token"]))[0] == 401


# Messages


async def test_it_answers_with_a_name_and_remembers_without_the_access_token(caller: Caller) -> None:
    _, answer = await caller.sign_in()
    assert await caller.send(HELLO, answer["access_token"]) == (
        200,
        {"name": "projects/peerpause-demo/messages/1"},
    )
    (shown,) = await caller.get("/arrivals")
    assert (shown["outcome"], shown["message"]) == ("OK", HELLO["message"])
    assert answer["access_token"] not in json.dumps(shown)


async def test_a_caller_without_a_token_is_turned_away_unrecorded(caller: Caller) -> None:
    status, answer = await caller.send(HELLO, "made-up")
    assert (status, answer["error"]["status"]) == (401, "UNAUTHENTICATED")
    assert caller.standin.calls == []


async def test_another_project_is_refused(caller: Caller) -> None:
    assert (await caller.send(HELLO, project="another"))[0] == 403


@pytest.mark.parametrize(
    "message, field",
    [
        ({"token": "bo", "colour": "red"}, "message"),
        ({"token": 7}, "message.token"),
        ({"token": "bo", "data": {"n": 1}}, "message.data"),
        ({"token": "bo", "notification": "hello"}, "message.notification"),
        ({"token": "bo", "android": {"ttl": "1h"}}, "message.android.ttl"),
        ({"token": "bo", "android": {"priority": "urgent"}}, "message.android.priority"),
        ({"token": "bo", "android": {"notification": {"notificationCount": True}}}, "message.android.notification.notificationCount"),
        ({"token": "bo", "android": {"notification": {"titleLocArgs": "x"}}}, "message.android.notification.titleLocArgs"),
        ({"token": "bo", "apns": {"headers": {"apns-priority": 10}}}, "message.apns.headers"),
        ({"notification": {"title": "Ada"}}, "message"),
        ({"token": "bo", "fid": "bo"}, "message"),
        ({"token": "bo", "android": {}, "androidV2": {}}, "message.android_v2"),
        ({"token": "bo", "webpush": {"fcmOptions": {"link": "http://x"}}}, "message.webpush.fcm_options.link"),
        ({"token": "bo", "data": {"from": "x"}}, "message.data"),
        ({"token": "bo", "data": {"x": "ø" * 2048}}, "message"),
    ],
)  # fmt: skip
async def test_a_wrong_message_is_refused_by_field(caller: Caller, message: object, field: str) -> None:
    status, answer = await caller.send({"message": message})
    (detail,) = answer["error"]["details"]
    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert [violation["field"] for violation in detail["fieldViolations"]] == [field]


@pytest.mark.parametrize("body", [[], {}, "x", {"message": None}])
async def test_a_body_without_a_message_is_refused(caller: Caller, body: object) -> None:
    assert (await caller.send(body))[0] == 400


def test_it_knows_exactly_the_fields_google_documents() -> None:
    assert _fields_of("SendMessageRequest") == fcm_wire.FIELDS


def _fields_of(name: str) -> dict[str, Any]:
    return {field: _kind(schema) for field, schema in schemas()[name].get("properties", {}).items()}


def _kind(schema: dict[str, Any]) -> object:
    if "$ref" in schema:
        return _fields_of(schema["$ref"])
    if schema["type"] == "object":
        return fcm_wire.ANY_MAP if schema["additionalProperties"]["type"] == "any" else fcm_wire.STRING_MAP
    if "enum" in schema:
        return tuple(schema["enum"])
    if schema.get("format") == "google-duration":
        return fcm_wire.DURATION
    return fcm_wire.STRINGS if schema["type"] == "array" else schema["type"]


# Behaviour on demand


async def test_a_script_is_played_and_then_followed_by_its_last_word(caller: Caller) -> None:
    caller.standin.script("bo", [answers.UNAVAILABLE, answers.OK], then=answers.UNREGISTERED)
    assert [(await caller.send(HELLO))[0] for _ in range(4)] == [503, 200, 404, 404]
    assert [call.outcome for call in caller.standin.calls] == [
        "UNAVAILABLE",
        "OK",
        "UNREGISTERED",
        "UNREGISTERED",
    ]
    assert len(caller.standin.arrivals) == 1
    assert caller.standin.count == 4


async def test_chance_failures_come_at_the_rate_and_repeat_with_the_seed() -> None:
    async def outcomes(seed: int) -> list[str]:
        async with (
            FcmStandin(fail_rate=0.3, seed=seed, clock=lambda: NOW) as standin,
            aiohttp.ClientSession() as session,
        ):
            caller = Caller(standin, session)
            _, answer = await caller.sign_in()
            for _ in range(100):
                with suppress(aiohttp.ClientError):
                    await caller.send(HELLO, answer["access_token"])
            return [call.outcome for call in standin.calls]

    first = await outcomes(1)
    assert 15 < sum(outcome != "OK" for outcome in first) < 45
    assert first == await outcomes(1)
    assert first != await outcomes(2)


async def test_it_tells_listeners_of_each_arrival_until_it_stops() -> None:
    async def listen(arrivals: AsyncIterator[Arrival]) -> list[Arrival]:
        return [arrival async for arrival in arrivals]

    async with FcmStandin(clock=lambda: NOW) as standin, aiohttp.ClientSession() as session:
        listening = asyncio.create_task(listen(standin.on_arrival()))
        standin.script("bo", [answers.INTERNAL])
        caller = Caller(standin, session)
        await caller.send(HELLO)
        await caller.send(HELLO)
    assert [(arrival.target, arrival.accepted) for arrival in await listening] == [
        ("bo", False),
        ("bo", True),
    ]


async def test_it_remembers_no_more_than_it_is_told_to() -> None:
    async with FcmStandin(clock=lambda: NOW, keep=2) as standin, aiohttp.ClientSession() as session:
        caller = Caller(standin, session)
        for _ in range(3):
            await caller.send(HELLO)
        assert (len(standin.calls), standin.count) == (2, 3)


async def test_in_quick_mode_it_only_counts() -> None:
    async with FcmStandin(clock=lambda: NOW, validate=False) as standin, aiohttp.ClientSession() as session:
        caller = Caller(standin, session)
        assert (await caller.send({"nonsense": True}))[0] == 200
        assert (await caller.send(HELLO, "made-up"))[0] == 401
        assert (standin.count, standin.calls) == (1, [])


async def test_any_other_address_is_not_there(caller: Caller) -> None:
    assert (await caller.post("/v2/anything"))[0] == 404


def test_it_runs_by_itself_and_leaves_a_private_credentials_file(tmp_path: Path) -> None:
    file = tmp_path / "service-account.json"
    command = [sys.executable, "-m", "peerpause.demo.fcm_standin", "--port", "0", "--credentials", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        account = json.loads(file.read_text())
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=30)
    assert account["token_uri"] == f"{address}/token"
    assert file.stat().st_mode & 0o077 == 0
    assert (process.returncode, complaints) == (0, "")
