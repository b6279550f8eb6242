"""The push channel over the real wire protocol, against a stand-in that answers as Google does and misbehaves on demand."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from peerpause.demo import fcm_answers as answers
from peerpause.demo.fcm_oauth import ServiceAccount, new_key
from peerpause.demo.fcm_standin import FcmStandin
from peerpause.errors import ConfigurationError
from peerpause.notifications.attempts import attempt
from peerpause.notifications.channels import ChannelReply, Delivered, Refused, TokenGone, TryAgain
from peerpause.notifications.channels.fcm import FcmChannel, PushMessage, load_credentials
from tests.notifications.fcm_discovery import faults
from tests.notifications.self_signed import write_certificate

BOS_PHONE = "bo:registration-token"
ChannelMaker = Callable[..., FcmChannel]


@pytest.fixture
async def standin() -> AsyncIterator[FcmStandin]:
    async with FcmStandin() as running:
        yield running


@pytest.fixture
async def make_channel(standin: FcmStandin) -> AsyncIterator[ChannelMaker]:
    """Builds channels to the stand-in, and closes them."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())

        def make(
            credentials: str = standin.credentials, endpoint: str = standin.endpoint, **more: Any
        ) -> FcmChannel:
            built = FcmChannel(
                session=session, credentials=load_credentials(credentials), endpoint=endpoint, **more
            )
            stack.push_async_callback(built.close)
            return built

        yield make


@pytest.fixture
def channel(make_channel: ChannelMaker) -> FcmChannel:
    return make_channel()


def a_push(token: str = BOS_PHONE, **changes: Any) -> PushMessage:
    return PushMessage(token=token, title="Ada", body="Ada is paused", **changes)


async def test_it_delivers_and_passes_on_googles_own_name(channel: FcmChannel, standin: FcmStandin) -> None:
    reply = await channel.send(a_push())
    assert reply == Delivered("projects/peerpause-demo/messages/1")
    (arrival,) = standin.arrivals
    assert arrival.message["token"] == BOS_PHONE
    assert arrival.message["notification"] == {"title": "Ada", "body": "Ada is paused"}


async def test_it_delivers_to_an_installation_id(channel: FcmChannel, standin: FcmStandin) -> None:
    assert isinstance(await channel.send(PushMessage(fid="cfid", title="Ada", body="")), Delivered)
    assert standin.arrivals[0].message["fid"] == "cfid"


async def test_what_arrives_is_what_google_describes(channel: FcmChannel, standin: FcmStandin) -> None:
    await channel.send(
        a_push(data={"chapter": "Sør"}, collapse_key="c", link="https://p.example/", thread_id="t")
    )
    message = dict(standin.arrivals[0].message)
    assert faults({"message": message}) == []
    assert message["data"] == {"chapter": "Sør"}
    assert "apns-expiration" in message["apns"]["headers"]


@pytest.mark.parametrize(
    "behaviour, reply",
    [
        (answers.UNREGISTERED, TokenGone("UNREGISTERED")),
        (answers.INVALID_TOKEN, TokenGone("INVALID_ARGUMENT")),
        (answers.SENDER_MISMATCH, TokenGone("SENDER_ID_MISMATCH")),
        (answers.THIRD_PARTY_AUTH, Refused("THIRD_PARTY_AUTH_ERROR", misconfigured=True)),
        (answers.WRONG_PROJECT, Refused("PERMISSION_DENIED", misconfigured=True)),
        (answers.NOT_FOUND, Refused("NOT_FOUND", misconfigured=True)),
        (answers.quota(), TryAgain("QUOTA_EXCEEDED", after=60.0)),
        (answers.quota(7), TryAgain("QUOTA_EXCEEDED", after=7.0)),
        (answers.unavailable(3), TryAgain("UNAVAILABLE", after=3.0)),
        (answers.UNAVAILABLE, TryAgain("UNAVAILABLE")),
        (answers.INTERNAL, TryAgain("INTERNAL")),
        (answers.GARBAGE, TryAgain("BAD_ANSWER")),
        (answers.DROP, TryAgain("CONNECTION")),
        (answers.Behaviour("HUGE", 200, b'{"name":"' + b"x" * 3_000_000 + b'"}'), TryAgain("BAD_ANSWER")),
        (
            answers.Behaviour("MOVED", 302, b"", {"Location": "https://elsewhere.example/"}),
            Refused("HTTP_302", True),
        ),
    ],
    ids=lambda value: getattr(value, "outcome", None),
)
async def test_each_answer_is_one_call_and_its_reply(
    channel: FcmChannel, standin: FcmStandin, behaviour: answers.Behaviour, reply: ChannelReply
) -> None:
    standin.script(BOS_PHONE, [behaviour])
    assert await channel.send(a_push()) == reply
    assert len(standin.calls) == 1


async def test_a_message_fcm_does_not_understand_is_our_bug_and_keeps_the_token(
    channel: FcmChannel, standin: FcmStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        PushMessage, "to_json", lambda self, now: {"message": {"token": self.token, "colour": "red"}}
    )
    assert await channel.send(a_push()) == Refused("INVALID_ARGUMENT")
    assert standin.calls[0].outcome == "INVALID_ARGUMENT"


async def test_an_answer_that_takes_too_long_is_given_up(
    make_channel: ChannelMaker, standin: FcmStandin
) -> None:
    standin.script(BOS_PHONE, [answers.slow(3600)])
    assert await make_channel(timeout=0.2).send(a_push()) == TryAgain("TIMEOUT")


async def test_a_token_endpoint_that_takes_too_long_is_given_up(
    make_channel: ChannelMaker, standin: FcmStandin
) -> None:
    standin.script_token_endpoint([answers.slow(3600)])
    assert await make_channel(timeout=0.2).send(a_push()) == TryAgain("TIMEOUT")


async def test_an_endpoint_that_is_not_there_is_worth_another_try(make_channel: ChannelMaker) -> None:
    async with FcmStandin() as gone:
        endpoint = gone.endpoint
    assert await make_channel(endpoint=endpoint).send(a_push()) == TryAgain("CONNECTION")


async def test_an_endpoint_nobody_vouches_for_is_a_fault_of_set_up(
    make_channel: ChannelMaker, tmp_path: Path
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(write_certificate(tmp_path))
    async with await asyncio.start_server(
        lambda reader, writer: writer.close(), "127.0.0.1", 0, ssl=context
    ) as server:
        port = server.sockets[0].getsockname()[1]
        reply = await make_channel(endpoint=f"https://127.0.0.1:{port}").send(a_push())
    assert reply == Refused("TLS_CERTIFICATE", misconfigured=True)


async def test_a_token_endpoint_that_is_away_is_worth_another_try(
    channel: FcmChannel, standin: FcmStandin
) -> None:
    standin.script_token_endpoint([answers.UNAVAILABLE])
    assert await channel.send(a_push()) == TryAgain("TOKEN_ENDPOINT")
    assert isinstance(await channel.send(a_push()), Delivered)


async def test_a_refused_sign_in_is_a_fault_of_set_up(
    make_channel: ChannelMaker, standin: FcmStandin
) -> None:
    stranger = ServiceAccount(project_id="peerpause-demo", key=new_key()).to_json(
        token_uri=f"{standin.endpoint}/token"
    )
    reply = await make_channel(credentials=json.dumps(stranger)).send(a_push())
    assert reply == Refused("invalid_grant", misconfigured=True)
    assert standin.calls == []


async def test_another_project_than_the_credentials_is_a_fault_of_set_up(
    make_channel: ChannelMaker, standin: FcmStandin
) -> None:
    other = json.dumps({**json.loads(standin.credentials), "project_id": "another"})
    assert await make_channel(credentials=other).send(a_push()) == Refused(
        "PERMISSION_DENIED", misconfigured=True
    )


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "fcm.googleapis.com",
        "ftp://x",
        "http://",
        "http://x:port",
        "http://x:99999",
        "http://[",
        "http://x/?a=b",
    ],
)
def test_it_refuses_an_endpoint_that_is_no_address(endpoint: str) -> None:
    session: Any = None
    credentials = load_credentials(
        json.dumps(ServiceAccount(project_id="demo").to_json(token_uri="http://x/"))
    )
    with pytest.raises(ConfigurationError, match="PEERPAUSE_FCM_ENDPOINT"):
        FcmChannel(session=session, credentials=credentials, endpoint=endpoint)


# Access tokens


async def test_fifty_messages_at_once_need_one_sign_in(channel: FcmChannel, standin: FcmStandin) -> None:
    replies = await asyncio.gather(*(channel.send(a_push(f"phone-{number}")) for number in range(50)))
    assert all(isinstance(reply, Delivered) for reply in replies)
    assert len(standin.arrivals) == 50
    assert standin.tokens.issued == 1


async def test_access_tokens_ended_in_mid_run_cost_one_sign_in_and_no_message(
    channel: FcmChannel, standin: FcmStandin
) -> None:
    async def run() -> list[ChannelReply]:
        return await asyncio.gather(*(channel.send(a_push(f"phone-{number}")) for number in range(50)))

    replies = await run()
    standin.expire_access_tokens()
    replies += await run()
    assert all(isinstance(reply, Delivered) for reply in replies)
    assert len(standin.arrivals) == 100
    assert standin.tokens.issued == 2


async def test_a_token_that_ends_by_the_clock_is_renewed_before_it_is_refused(
    channel: FcmChannel, standin: FcmStandin
) -> None:
    # Shorter than the three and three quarter minutes by which google-auth is early: always about to end.
    standin.tokens.lifetime = 200
    for _ in range(3):
        assert isinstance(await channel.send(a_push()), Delivered)
    assert standin.tokens.issued == 3


async def test_an_access_token_refused_twice_is_a_fault_of_set_up(
    channel: FcmChannel, standin: FcmStandin
) -> None:
    standin.script(BOS_PHONE, [answers.UNAUTHENTICATED, answers.UNAUTHENTICATED])
    assert await channel.send(a_push()) == Refused("UNAUTHENTICATED", misconfigured=True)
    assert len(standin.calls) == 2
    assert standin.tokens.issued == 2


async def test_a_missing_apple_key_asks_for_no_other_access_token(
    channel: FcmChannel, standin: FcmStandin
) -> None:
    standin.script(BOS_PHONE, [], then=answers.THIRD_PARTY_AUTH)
    await channel.send(a_push())
    assert standin.tokens.issued == 1


# With the retry policy


async def no_sleep(seconds: float) -> None: ...


async def test_two_failures_and_a_success_are_exactly_three_calls(
    channel: FcmChannel, standin: FcmStandin
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    standin.script(BOS_PHONE, [answers.UNAVAILABLE, answers.DROP])
    result = await attempt(channel, a_push(), sleep=sleep)
    assert isinstance(result.reply, Delivered)
    assert len(standin.calls) == 3
    assert waits == [2, 4]


@pytest.mark.parametrize("behaviour", [answers.WRONG_PROJECT, answers.THIRD_PARTY_AUTH, answers.UNREGISTERED])
async def test_a_refusal_is_not_repeated(
    channel: FcmChannel, standin: FcmStandin, behaviour: answers.Behaviour
) -> None:
    standin.script(BOS_PHONE, [], then=behaviour)
    await attempt(channel, a_push(), sleep=no_sleep)
    assert len(standin.calls) == 1


async def test_one_phones_trouble_is_not_anothers(channel: FcmChannel, standin: FcmStandin) -> None:
    standin.script("phone-1", [], then=answers.DROP)
    standin.script("phone-2", [answers.UNREGISTERED])
    sends = (attempt(channel, a_push(f"phone-{number}"), sleep=no_sleep) for number in range(4))
    replies = [result.reply for result in await asyncio.gather(*sends)]
    assert isinstance(replies[0], Delivered)
    assert replies[1:3] == [TryAgain("CONNECTION"), TokenGone("UNREGISTERED")]
    assert isinstance(replies[3], Delivered)


# Discretion


async def test_no_token_no_name_and_no_access_token_reaches_a_log(
    make_channel: ChannelMaker, standin: FcmStandin, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    every = [
        answers.UNREGISTERED,
        answers.INVALID_TOKEN,
        answers.WRONG_PROJECT,
        answers.UNAUTHENTICATED,
        answers.quota(1),
        answers.INTERNAL,
        answers.GARBAGE,
        answers.DROP,
        answers.slow(3600),
    ]
    standin.script(BOS_PHONE, every)
    channel = make_channel(timeout=0.2)
    replies = [await channel.send(a_push()) for _ in range(len(every))]
    standin.script_token_endpoint([answers.DROP, answers.GARBAGE])
    standin.expire_access_tokens()
    replies += [await channel.send(a_push()), await channel.send(a_push())]
    access_token = next(iter(standin.tokens._ends), "") or "ya29"
    told = caplog.text + repr(replies) + repr(channel)
    assert caplog.records, "google-auth and its transport do log, so that this test can fail"
    for secret in (BOS_PHONE, "Ada", "ya29", access_token, "eyJ", "BEGIN PRIVATE KEY"):
        assert secret not in told
