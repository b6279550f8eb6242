"""One attempt to send a webhook: signed so that the library agrees, to public addresses only, and patient with nobody."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult
from standardwebhooks import WebhookVerificationError

from peerpause.notifications.channels import Delivered, Refused, TokenGone, TryAgain, webhook
from peerpause.notifications.channels.webhook import WebhookChannel, WebhookMessage
from tests.roster.receiver import HERE, HOST, Names, Receiver, receiving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
PUBLIC = "93.184.216.34"


@pytest.fixture
async def website(tmp_path: Path) -> AsyncIterator[Receiver]:
    async with receiving(tmp_path) as running:
        yield running


@asynccontextmanager
async def channel_to(
    website: Receiver, *, names: Names | None = None, allowed: frozenset[str] = frozenset({HERE})
) -> AsyncIterator[WebhookChannel]:
    channel = WebhookChannel(allowed=allowed, resolver=names or Names(), ssl_context=website.trust)
    try:
        yield channel
    finally:
        await channel.close()


def message(url: str, *secrets: str) -> WebhookMessage:
    return WebhookMessage(
        url=url,
        message_id="evt_1",
        body='{"type":"roster.changed","word":"blåbær"}',
        secrets=secrets or (SECRET,),
    )


async def test_the_library_finds_it_signed(website: Receiver) -> None:
    async with channel_to(website) as channel:
        assert await channel.send(message(website.url)) == Delivered()
    (taken,) = website.taken
    assert taken.verified(SECRET) == {"type": "roster.changed", "word": "blåbær"}
    assert taken.message_id == "evt_1"
    assert taken.headers["content-type"] == "application/json"
    assert taken.headers["host"].startswith(HOST)
    with pytest.raises(WebhookVerificationError):
        taken.verified(OLD_SECRET)


async def test_while_a_secret_changes_both_are_good(website: Receiver) -> None:
    async with channel_to(website) as channel:
        await channel.send(message(website.url, SECRET, OLD_SECRET))
    (taken,) = website.taken
    assert taken.verified(SECRET) == taken.verified(OLD_SECRET)


@pytest.mark.parametrize(
    ("status", "reply"),
    [
        (200, Delivered()),
        (202, Delivered()),
        (301, Refused("http_301")),
        (307, Refused("http_307")),
        (304, Refused("http_304")),
        (410, TokenGone("http_410")),
        (400, TryAgain("http_400")),
        (401, TryAgain("http_401")),
        (404, TryAgain("http_404")),
        (429, TryAgain("http_429")),
        (500, TryAgain("http_500")),
        (503, TryAgain("http_503")),
    ],
)
async def test_the_status_decides(website: Receiver, status: int, reply: object) -> None:
    website.answers = [status]
    async with channel_to(website) as channel:
        assert await channel.send(message(website.url)) == reply


async def test_a_redirect_is_not_followed(website: Receiver) -> None:
    website.answers = [web.Response(status=302, headers={"Location": website.url}), 200]
    async with channel_to(website) as channel:
        assert await channel.send(message(website.url)) == Refused("http_302")
    assert len(website.taken) == 1


NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Wed, 01 Jul 2026 12:00:30 GMT", 30.0),
        ("Wed, 01 Jul 2026 11:00:00 GMT", 0.0),
        ("Wed, 01 Jul 2026 12:00:30 -0000", 30.0),
        ("99999999999", 86400.0),
        ("soon", None),
        ("-5", None),
        ("²", None),
    ],
)
async def test_a_website_that_asks_for_time_gets_it(
    website: Receiver, asked: str, seconds: float | None
) -> None:
    website.answers = [web.Response(status=503, headers={"Retry-After": asked})]
    channel = WebhookChannel(
        allowed=frozenset({HERE}), resolver=Names(), ssl_context=website.trust, now=lambda: NOW
    )
    assert await channel.send(message(website.url)) == TryAgain("http_503", after=seconds)
    await channel.close()


async def test_an_endless_answer_is_cut_short(website: Receiver) -> None:
    sent = 0
    gone = asyncio.Event()

    class Endless(web.StreamResponse):
        async def prepare(self, request: web.BaseRequest) -> web.StreamResponse | None:  # type: ignore[override]  # aiohttp's own writer type is private
            nonlocal sent
            await super().prepare(request)
            try:
                while True:
                    await self.write(b"x" * 65536)
                    sent += 65536
            except OSError:
                gone.set()
            return None

    website.answers = [Endless()]
    async with channel_to(website) as channel:
        assert await channel.send(message(website.url)) == Delivered()
        await asyncio.wait_for(gone.wait(), 10)
    assert sent < 64 * 1024 * 1024


async def test_a_silent_website_is_not_waited_for(website: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    silence = asyncio.Event()

    class Silent(web.Response):
        async def prepare(self, request: web.BaseRequest) -> web.StreamResponse | None:  # type: ignore[override]  # as above
            await silence.wait()
            return None

    website.answers = [Silent()]
    monkeypatch.setattr(webhook, "MOST_SECONDS", 0.05)
    async with channel_to(website) as channel:
        assert await channel.send(message(website.url)) == TryAgain("timeout")
    silence.set()


@pytest.mark.parametrize(
    "addresses",
    [
        *(["10.0.0.1"], ["169.254.169.254"], ["192.168.1.1"], ["0.0.0.0"], ["100.64.0.1"]),
        *(["::1"], ["fd00::1"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"]),
        # One public address does not make the other one so.
        *([PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC]),
    ],
    ids=",".join,
)
async def test_a_name_that_leads_inside_is_refused(website: Receiver, addresses: list[str]) -> None:
    async with channel_to(website, names=Names(addresses), allowed=frozenset()) as channel:
        assert await channel.send(message(website.url)) == Refused("address_not_public")
        assert not await channel.leads_to_the_public(website.url)
    assert website.taken == []


async def test_loopback_is_refused_unless_a_test_allows_it(website: Receiver) -> None:
    async with channel_to(website, allowed=frozenset()) as channel:
        assert await channel.send(message(website.url)) == Refused("address_not_public")
    assert website.taken == []


async def test_a_name_that_is_public_when_typed_in_and_leads_inside_later_is_refused(
    website: Receiver,
) -> None:
    names = Names([PUBLIC], [HERE])
    async with channel_to(website, names=names, allowed=frozenset()) as channel:
        assert await channel.leads_to_the_public(website.url)
        assert await channel.send(message(website.url)) == Refused("address_not_public")
    assert website.taken == []


async def test_it_connects_to_the_address_it_looked_at_and_asks_for_it_each_time(website: Receiver) -> None:
    website.answers = [web.Response(status=204, headers={"Connection": "close"}), 204]
    names = Names([HERE], ["10.0.0.1"])
    async with channel_to(website, names=names) as channel:
        assert await channel.send(message(website.url)) == Delivered()
        assert names.asked == [HOST]
        website.answers = [204]
        assert await channel.send(message(website.url)) == Refused("address_not_public")
    assert names.asked == [HOST, HOST]


async def test_the_last_door_holds_even_if_the_resolver_let_somebody_through(
    website: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a library connects without asking the resolver, which it does for addresses in numbers."""
    names = Names([HERE])
    async with channel_to(website, allowed=frozenset()) as channel:
        monkeypatch.setattr(channel._resolver, "resolve", names.resolve)
        assert await channel.send(message(website.url)) == Refused("address_not_public")
    assert names.asked == [HOST]
    assert website.taken == []


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://2130706433/", "https://[::1]/", "http://hooks.example.org/"]
)
async def test_an_address_of_the_wrong_form_is_not_even_looked_up(website: Receiver, url: str) -> None:
    names = Names()
    async with channel_to(website, names=names) as channel:
        assert await channel.send(message(url)) == Refused("address_not_public")
    assert names.asked == []


async def test_a_website_nobody_vouches_for_is_not_told(website: Receiver) -> None:
    channel = WebhookChannel(
        allowed=frozenset({HERE}), resolver=Names(), ssl_context=ssl.create_default_context()
    )
    assert await channel.send(message(website.url)) == TryAgain("tls_failed")
    await channel.close()
    assert website.taken == []


async def test_a_closed_door_is_a_passing_fault(website: Receiver) -> None:
    class Nowhere(Names):
        async def resolve(self, *_: object, **__: object) -> list[ResolveResult]:
            raise OSError("no such name")

    async with channel_to(website, names=Nowhere()) as channel:
        assert await channel.send(message(website.url)) == TryAgain("unreachable")
        assert not await channel.leads_to_the_public(website.url)
    async with channel_to(website) as channel:
        # Port 1 of this machine: nobody listens there.
        assert await channel.send(message(f"https://{HOST}:1/")) == TryAgain("unreachable")


def test_a_message_prints_neither_secret_nor_address() -> None:
    printed = repr(message("https://hooks.example.org/key-in-path", SECRET))
    assert SECRET not in printed
    assert "key-in-path" not in printed


async def test_the_time_of_sending_is_signed_anew_each_time(website: Receiver) -> None:
    moments = iter([datetime.now(UTC) - timedelta(minutes=10), datetime.now(UTC)])
    channel = WebhookChannel(
        allowed=frozenset({HERE}), resolver=Names(), ssl_context=website.trust, now=lambda: moment
    )
    for moment in moments:  # noqa: B007  the channel's clock reads it
        await channel.send(message(website.url))
    await channel.close()
    old, new = website.taken
    with pytest.raises(WebhookVerificationError, match="too old"):
        old.verified(SECRET)
    assert new.verified(SECRET)
    assert old.message_id == new.message_id
