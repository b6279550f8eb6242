"""Question 6: how quickly pushes leave, beside Google's own SDK and beside a loop that does nothing but send."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final
from uuid import UUID

import aiohttp
import uvloop

from benchmarks.load import wrk
from benchmarks.question import Question, Report, Run, Table, ask, verify
from benchmarks.quick_fcm import GONE, QuickFcm, quick_fcm
from benchmarks.spread import Spread, alternating
from peerpause.notifications.channels import ChannelReply, Delivered, TokenGone
from peerpause.notifications.channels.fcm import FcmChannel, load_credentials
from peerpause.notifications.dispatch import Parcel, PushDispatcher
from peerpause.notifications.messages import Notice
from peerpause.notifications.outcomes import DispatchOutcome
from peerpause.notifications.recipients import Device
from peerpause.notifications.texts import PushText

QUESTION: Final = Question(
    number=6,
    module="bench_06_push",
    title="Pushes",
    method=(
        "Messages to as many devices, 100 connections, from one process, against a local stand-in in a process of its own that only counts and answers; "
        "once all are taken, once every tenth device is gone (404 UNREGISTERED). **Ours** is `FcmChannel.send`, 100 at a time. **Bare loop** is the "
        "same number of aiohttp calls that post the same message as JSON and read the answer. **SDK** is `firebase_admin.messaging`, in the batches of 500 it allows, "
        "its connection pool of 100 mounted for the stand-in as it is for Google. **Dispatcher** is what the worker uses: ours with three attempts, "
        "breaker and outcomes around it. Verified: the stand-in counted each message once, and each contender reports as many delivered and gone."
    ),
    budgets=("push-against-sdk", "push-against-loop"),
    tried={
        "push-against-sdk": (
            "kept: the quick event loop for the worker, JSON written by pydantic-core, one timer for each attempt instead of two, "
            "three attempts without a library for it. Ours now costs what a bare aiohttp loop costs, so what is left to win is in "
            "aiohttp itself."
        )
    },
)

_AT_ONCE: Final = 100
_BATCH: Final = 500
_DATA: Final = {
    "event": "mentor_paused",
    "mentor_id": str(UUID(int=1)),
    "status": "paused",
    "link": "https://app.example.org/mentors/1",
}
_TITLE, _BODY = "Ada has paused", "Status is now: paused."

# How many it has delivered, and how many devices it found gone.
Sent = tuple[int, int]
Send = Callable[[Sequence[str]], Sent]


def measure(run: Run) -> Report:
    """Alternate the contenders, with none and with a tenth of the devices gone."""
    number = 10_000 if run.full else 500
    report = Report()
    rows = []
    with quick_fcm() as fcm, _contenders(fcm) as contenders:
        for share in (0, 10):
            run.say(f"{number:,} messages, {share} % of the devices gone …")
            tokens = [f"{GONE if share and at % share == 0 else ''}device-{at:06d}" for at in range(number)]
            rounds = alternating(
                {
                    # The SDK's ways are slow; in the short run they get fewer, which is no disadvantage to them.
                    name: partial(
                        _per_second, fcm, send, tokens if run.full or "SDK" not in name else tokens[:100]
                    )
                    for name, send in contenders.items()
                },
                rounds=3,
            )
            better = [
                max(pair) for pair in zip(rounds.readings["SDK"], rounds.readings["SDK async"], strict=True)
            ]
            against_sdk = Spread.of(
                ours / theirs for ours, theirs in zip(rounds.readings["ours"], better, strict=True)
            )
            if share == 0:
                report.measured = {
                    "push-against-sdk": against_sdk,
                    "push-against-loop": rounds.ratio("ours", to="bare loop"),
                }
            rows.append(
                [
                    f"{share} %",
                    *(rounds.of(name) for name in contenders),
                    against_sdk,
                    rounds.ratio("ours", to="bare loop"),
                    rounds.ratio("dispatcher", to="bare loop"),
                ]
            )
        report.tables.append(
            Table(
                [
                    "gone",
                    *(f"{name}, messages/s" for name in contenders),
                    "ours : better of the SDK's",
                    "ours : bare loop",
                    "dispatcher : bare loop",
                ],
                rows,
            )
        )
        run.say("the stand-in itself …")
        load = wrk(fcm.url, connections=_AT_ONCE, seconds=2, script=_WRK)
        report.remarks.append(
            f"The stand-in is not what limits them: loaded by wrk it answers {load.per_second:,.0f} messages a second."
        )
    return report


_WRK: Final = f"""
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{json.dumps({"message": {"token": "device", "notification": {"title": _TITLE, "body": _BODY}, "data": _DATA}})}'
"""


def _per_second(fcm: QuickFcm, send: Send, tokens: Sequence[str]) -> float:
    taken_before, refused_before = fcm.counts()
    gc.collect()
    began = time.perf_counter()
    delivered, gone = send(tokens)
    seconds = time.perf_counter() - began
    taken, refused = fcm.counts()
    expected_gone = sum(token.startswith(GONE) for token in tokens)
    verify("reported as delivered and gone", (delivered, gone), (len(tokens) - expected_gone, expected_gone))
    verify(
        "counted by the stand-in",
        (taken - taken_before, refused - refused_before),
        (len(tokens) - expected_gone, expected_gone),
    )
    return len(tokens) / seconds


@contextmanager
def _contenders(fcm: QuickFcm) -> Iterator[Mapping[str, Send]]:
    """All of them, signed in and with their connections kept from run to run, as in a process that lives long."""
    account = fcm.account
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        session, channel = runner.run(_opened(fcm, account))
        dispatcher = PushDispatcher(channel=channel)
        send_each, send_each_async = _sdk(fcm, account)
        try:
            yield {
                "ours": lambda tokens: runner.run(_ours(channel, tokens)),
                "bare loop": lambda tokens: runner.run(_bare_loop(fcm, session, tokens)),
                "SDK": send_each,
                "SDK async": lambda tokens: runner.run(send_each_async(tokens)),
                "dispatcher": lambda tokens: runner.run(_dispatcher(dispatcher, tokens)),
            }
        finally:
            runner.run(channel.close())
            runner.run(session.close())


async def _opened(fcm: QuickFcm, account: str) -> tuple[aiohttp.ClientSession, FcmChannel]:
    session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout())
    channel = FcmChannel(session=session, credentials=load_credentials(account), endpoint=fcm.endpoint)
    verify("our sign-in", await channel.sign_in(), None)
    return session, channel


async def _ours(channel: FcmChannel, tokens: Sequence[str]) -> Sent:
    replies: list[ChannelReply] = []

    async def send(token: str) -> None:
        replies.append(await channel.send(_NOTICE.to(Device(token, "token"))))

    await _at_once(send, tokens)
    return sum(isinstance(reply, Delivered) for reply in replies), sum(
        isinstance(reply, TokenGone) for reply in replies
    )


async def _bare_loop(fcm: QuickFcm, session: aiohttp.ClientSession, tokens: Sequence[str]) -> Sent:
    statuses: list[int] = []
    headers = {"Authorization": "Bearer a-token-for-benchmarks", "Content-Type": "application/json"}

    async def send(token: str) -> None:
        message = _NOTICE.to(Device(token, "token")).to_json()
        async with session.post(fcm.url, data=json.dumps(message), headers=headers) as answer:
            json.loads(await answer.read())
            statuses.append(answer.status)

    await _at_once(send, tokens)
    return statuses.count(200), statuses.count(404)


async def _dispatcher(dispatcher: PushDispatcher, tokens: Sequence[str]) -> Sent:
    parcels = [Parcel(UUID(int=at), (Device(token, "token"),), _NOTICE) for at, token in enumerate(tokens)]
    outcomes = [delivery.outcome.outcome for delivery in await dispatcher.deliver_all(parcels)]
    return outcomes.count(DispatchOutcome.SENT), outcomes.count(DispatchOutcome.TOKEN_RETIRED)


def _sdk(fcm: QuickFcm, account: str) -> tuple[Send, Callable[[Sequence[str]], Coroutine[Any, Any, Sent]]]:
    import firebase_admin
    import requests
    from firebase_admin import _http_client, credentials, messaging

    app = firebase_admin.initialize_app(credentials.Certificate(json.loads(account)))
    # The one thing that is not as documented: the SDK knows no address but Google's.
    messaging._MessagingService.FCM_URL = f"{fcm.endpoint}/v1/projects/{{0}}/messages:send"
    service = messaging._get_messaging_service(app)
    pool = requests.adapters.HTTPAdapter(
        pool_connections=_AT_ONCE, pool_maxsize=_AT_ONCE, max_retries=_http_client.DEFAULT_RETRY_CONFIG
    )
    service._client.session.mount(fcm.endpoint, pool)

    def message(token: str) -> Any:
        return messaging.Message(
            token=token,
            notification=messaging.Notification(title=_TITLE, body=_BODY),
            data=_DATA,
            android=messaging.AndroidConfig(priority="high", ttl=3600, collapse_key="a-key"),
        )

    def send_each(tokens: Sequence[str]) -> Sent:
        answers = [
            messaging.send_each([message(token) for token in batch], app=app) for batch in _batches(tokens)
        ]
        return _counted(answers)

    async def each_async(tokens: Sequence[str]) -> Sent:
        return _counted(
            [
                await messaging.send_each_async([message(token) for token in batch], app=app)
                for batch in _batches(tokens)
            ]
        )

    def _counted(answers: Sequence[Any]) -> Sent:
        responses = [response for answer in answers for response in answer.responses]
        gone = sum(isinstance(response.exception, messaging.UnregisteredError) for response in responses)
        return sum(response.success for response in responses), gone

    return send_each, each_async


_NOTICE: Final = Notice(
    text=PushText(title=_TITLE, body=_BODY),
    data=_DATA,
    collapse_key="a-key",
    urgent=True,
    thread_id="organisation",
    link=_DATA["link"],
)


def _batches(tokens: Sequence[str]) -> Sequence[Sequence[str]]:
    return [tokens[at : at + _BATCH] for at in range(0, len(tokens), _BATCH)]


async def _at_once(send: Callable[[str], Awaitable[None]], tokens: Sequence[str]) -> None:
    """So many workers that share the tokens."""
    remaining = iter(tokens)

    async def work() -> None:
        for token in remaining:
            await send(token)

    await asyncio.gather(*(work() for _ in range(_AT_ONCE)))


if __name__ == "__main__":
    ask(QUESTION, measure)
