"""Credentials are read strictly and told of discreetly; access tokens are fetched once, early, and off the event loop."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.auth import exceptions
from google.auth.credentials import TokenState

from peerpause.demo import fcm_answers as answers
from peerpause.demo.fcm_oauth import ServiceAccount, new_key
from peerpause.demo.fcm_standin import FcmStandin
from peerpause.errors import ConfigurationError
from peerpause.notifications.channels import Refused, TryAgain
from peerpause.notifications.channels.fcm_auth import AccessTokens, load_credentials

# Annotated, because google-auth leaves them untyped.
REFUSAL: Callable[..., Exception] = exceptions.RefreshError
AWAY: Callable[..., Exception] = exceptions.TransportError

ACCOUNT = ServiceAccount(project_id="peerpause-demo").to_json(token_uri="http://127.0.0.1:9/token")
WORKLOAD = {
    "type": "external_account",
    "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/provider",
    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    "token_url": "https://sts.googleapis.com/v1/token",
    "credential_source": {"file": "/var/run/token"},
}


class FakeGoogle:
    """Credentials whose refreshes the test decides."""

    def __init__(self, *outcomes: str | Exception, state: TokenState = TokenState.INVALID) -> None:
        self.token: str | None = None
        self.token_state = state
        self.refreshes = 0
        self.gate = threading.Event()
        self.gate.set()
        self._outcomes: Iterator[str | Exception] = iter(outcomes)

    def refresh(self, request: Callable[..., Any]) -> None:
        self.refreshes += 1
        assert self.gate.wait(30)
        outcome = next(self._outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        self.token = outcome
        self.token_state = TokenState.FRESH


# Reading the setting


def test_it_reads_json_text_and_a_file_alike(tmp_path: Path) -> None:
    file = tmp_path / "service-account.json"
    file.write_text(json.dumps(ACCOUNT))
    assert load_credentials(f"  {json.dumps(ACCOUNT)}\n").project_id == "peerpause-demo"
    assert load_credentials(str(file)).project_id == "peerpause-demo"


def test_it_honours_the_token_uri() -> None:
    assert load_credentials(json.dumps(ACCOUNT)).google._token_uri == ACCOUNT["token_uri"]  # type: ignore[attr-defined]  # google-auth's own field


def test_it_takes_workload_identity_and_asks_nobody_about_the_project() -> None:
    impersonation = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/push@my-project.iam.gserviceaccount.com:generateAccessToken"
    assert load_credentials(json.dumps({**WORKLOAD, "project_id": "named"})).project_id == "named"
    assert load_credentials(
        json.dumps({**WORKLOAD, "service_account_impersonation_url": impersonation})
    ).project_id == ("my-project")
    assert load_credentials(json.dumps(WORKLOAD), project_id="given").project_id == "given"


@pytest.mark.parametrize("name", ["type", "project_id", "client_email", "private_key", "token_uri"])
@pytest.mark.parametrize("value", [None, "", 7])
def test_it_names_a_missing_field(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=name):
        load_credentials(json.dumps({**ACCOUNT, name: value}))


@pytest.mark.parametrize(
    "setting",
    [
        "",
        "/nowhere/service-account.json",
        ".",
        "{",
        "[1]",
        "nul\0byte",
        json.dumps({**ACCOUNT, "type": "api_key"}),
        json.dumps({**ACCOUNT, "project_id": "../other"}),
        json.dumps(WORKLOAD),
        json.dumps({**WORKLOAD, "project_id": "named", "credential_source": None}),
    ],
    # By number, because the texts hold a key that is another in each run.
    ids=itertools.count(),
)
def test_it_refuses_what_it_cannot_use(setting: str) -> None:
    with pytest.raises(ConfigurationError, match="PEERPAUSE_FCM_CREDENTIALS"):
        load_credentials(setting)


@pytest.mark.parametrize(
    "setting",
    [
        json.dumps({**ACCOUNT, "private_key": "-----BEGIN SECRET----- hush"}),
        json.dumps({**ACCOUNT, "client_email": ""}),
        ACCOUNT["private_key"],
        json.dumps(ACCOUNT)[1:],
        json.dumps(ACCOUNT)[:-1],
    ],
    ids=["damaged key", "missing field", "bare key", "first brace lost", "last brace lost"],
)
def test_a_refusal_quotes_no_key(setting: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_credentials(setting)
    told = [
        caught.value,
        caught.value.__cause__,
        caught.value.__context__,
        caught.value.hint,
        caught.value.detail,
    ]
    for secret in ("hush", "BEGIN", ACCOUNT["private_key"][40:80]):
        assert secret not in repr(told)
        assert secret not in str(caught.value)


def test_credentials_do_not_show_themselves() -> None:
    assert repr(load_credentials(json.dumps(ACCOUNT))) == "FcmCredentials(project_id='peerpause-demo')"


# Keeping a token


async def test_fifty_who_need_a_token_at_once_cause_one_refresh() -> None:
    google = FakeGoogle("first")
    tokens = AccessTokens(google)
    assert await asyncio.gather(*(tokens.current() for _ in range(50))) == ["first"] * 50
    assert google.refreshes == 1


async def test_fifty_whose_token_was_refused_cause_one_refresh() -> None:
    google = FakeGoogle("first", "second")
    tokens = AccessTokens(google)
    assert await tokens.current() == "first"
    assert await asyncio.gather(*(tokens.replace("first") for _ in range(50))) == ["second"] * 50
    assert await tokens.replace("first") == "second"
    assert google.refreshes == 2


async def test_fifty_share_a_failure_too_and_the_next_one_tries_again() -> None:
    google = FakeGoogle(AWAY("down"), "first")
    tokens = AccessTokens(google)
    assert await asyncio.gather(*(tokens.current() for _ in range(50))) == [TryAgain("TOKEN_ENDPOINT")] * 50
    assert google.refreshes == 1
    assert await tokens.current() == "first"


async def test_a_fresh_token_is_not_renewed() -> None:
    google = FakeGoogle("first")
    tokens = AccessTokens(google)
    await tokens.current()
    assert await tokens.current() == "first"
    assert google.refreshes == 1


async def test_a_token_about_to_end_is_renewed_while_others_go_on_with_it() -> None:
    google = FakeGoogle("second", state=TokenState.STALE)
    google.token = "first"
    google.gate.clear()
    tokens = AccessTokens(google)
    renewing = asyncio.create_task(tokens.current())
    await asyncio.sleep(0)
    assert await tokens.current() == "first"
    google.gate.set()
    assert await renewing == "second"
    assert google.refreshes == 1


async def test_while_google_is_away_a_token_about_to_end_is_used_and_google_not_pestered() -> None:
    now = 0.0
    google = FakeGoogle(AWAY("down"), "second", state=TokenState.STALE)
    google.token = "first"
    tokens = AccessTokens(google, clock=lambda: now)
    assert [await tokens.current(), await tokens.current()] == ["first", "first"]
    assert google.refreshes == 1
    now = 10.0
    assert await tokens.current() == "second"


async def test_the_event_loop_runs_on_during_a_refresh() -> None:
    google = FakeGoogle("first")
    google.gate.clear()
    tokens = AccessTokens(google)
    waiting = asyncio.create_task(tokens.current())
    # Only the loop itself can open the gate the refresh is blocked on.
    asyncio.get_running_loop().call_later(0, google.gate.set)
    assert await waiting == "first"


async def test_one_who_gives_up_waiting_does_not_take_the_refresh_from_the_others() -> None:
    google = FakeGoogle("first")
    google.gate.clear()
    tokens = AccessTokens(google)
    impatient, patient = asyncio.create_task(tokens.current()), asyncio.create_task(tokens.current())
    await asyncio.sleep(0)
    impatient.cancel()
    google.gate.set()
    assert await patient == "first"


async def test_closing_does_not_wait_for_a_refresh() -> None:
    google = FakeGoogle("first")
    google.gate.clear()
    tokens = AccessTokens(google)
    waiting = asyncio.create_task(tokens.current())
    await asyncio.sleep(0)
    await tokens.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    google.gate.set()


@pytest.mark.parametrize(
    "outcome, reply",
    [
        (
            REFUSAL("invalid_grant: gone", {"error": "invalid_grant"}),
            Refused("invalid_grant", misconfigured=True),
        ),
        (
            REFUSAL("Ada's secret", {"error": "Ada's secret"}),
            Refused("REFRESH_REFUSED", misconfigured=True),
        ),
        (REFUSAL("<html>"), Refused("REFRESH_REFUSED", misconfigured=True)),
        (REFUSAL("busy", {}, retryable=True), TryAgain("TOKEN_ENDPOINT")),
        (AWAY("down"), TryAgain("TOKEN_ENDPOINT")),
        (OSError("no certificate bundle"), Refused("TOKEN_REQUEST_IMPOSSIBLE", misconfigured=True)),
        (TypeError("not a dict"), TryAgain("TOKEN_ENDPOINT_ANSWER")),
    ],
)
async def test_each_failure_to_get_a_token_has_its_reply(
    outcome: Exception, reply: TryAgain | Refused
) -> None:
    assert await AccessTokens(FakeGoogle(outcome)).current() == reply


# Over the wire


async def fetched(standin: FcmStandin, account: ServiceAccount | None = None) -> str | TryAgain | Refused:
    info = (account or standin.account).to_json(token_uri=f"{standin.endpoint}/token")
    return await AccessTokens(load_credentials(json.dumps(info)).google).current()


async def test_a_signed_assertion_buys_a_token() -> None:
    async with FcmStandin() as standin:
        token = await fetched(standin)
        assert isinstance(token, str)
        assert standin.tokens.accepts(f"Bearer {token}")


async def test_a_key_google_does_not_know_is_a_fault_of_set_up() -> None:
    async with FcmStandin() as standin:
        stranger = ServiceAccount(project_id=standin.account.project_id, key=new_key())
        assert await fetched(standin, stranger) == Refused("invalid_grant", misconfigured=True)


@pytest.mark.parametrize(
    "behaviour, reply",
    [
        (answers.UNAVAILABLE, TryAgain("TOKEN_ENDPOINT")),
        (answers.quota(), TryAgain("TOKEN_ENDPOINT")),
        (answers.DROP, TryAgain("TOKEN_ENDPOINT")),
        (answers.GARBAGE, TryAgain("TOKEN_ENDPOINT_ANSWER")),
        (answers.NOT_FOUND, Refused("REFRESH_REFUSED", misconfigured=True)),
    ],
)
async def test_a_token_endpoint_in_trouble_is_asked_once(
    behaviour: answers.Behaviour, reply: TryAgain | Refused
) -> None:
    async with FcmStandin() as standin:
        standin.script_token_endpoint([behaviour])
        assert await fetched(standin) == reply
        # Had the failed request been repeated behind our back, a token would have been issued.
        assert standin.tokens.issued == 0


async def test_a_token_endpoint_that_is_not_there_is_worth_another_try() -> None:
    async with FcmStandin() as standin:
        info = standin.account.to_json(token_uri=f"{standin.endpoint}/token")
    assert await AccessTokens(load_credentials(json.dumps(info)).google).current() == TryAgain(
        "TOKEN_ENDPOINT"
    )
