"""How a bundle of deliveries is carried to its recipient: as one push, or as one e-mail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from html import escape
from typing import Final, Protocol, assert_never

from peerpause.errors import InvalidArgument
from peerpause.notifications.attempts import AttemptPolicy, attempt
from peerpause.notifications.breaker import Breaker, GuardedChannel
from peerpause.notifications.bundles import Bundle
from peerpause.notifications.channels import Channel, Delivered, Refused, TokenGone, TryAgain
from peerpause.notifications.channels.email import EmailMessageOut
from peerpause.notifications.dispatch import Delivery, Parcel, PushDispatcher, unset
from peerpause.notifications.due import DueDelivery
from peerpause.notifications.messages import Notice, notice, summary_notice
from peerpause.notifications.outcomes import DispatchOutcome, RecipientOutcome

# The channel speaks over one connection, one mail after the other; more than a few would only wait there.
_MAILS_AT_ONCE: Final = 4


class Carrier(Protocol):
    """One way of bringing a bundle out. It never raises for what the other side does."""

    async def carry(self, bundle: Bundle[DueDelivery]) -> Delivery:
        """Bring it out and say how it went."""
        ...


class PushCarrier:
    """Carries bundles as pushes to all devices of the recipient."""

    def __init__(self, *, dispatcher: PushDispatcher, public_url: str | None = None) -> None:
        self._dispatcher = dispatcher
        self._public_url = public_url

    async def carry(self, bundle: Bundle[DueDelivery]) -> Delivery:
        """Bring the bundle to all devices at once."""
        first = bundle.deliveries[0]
        parcel = Parcel(first.recipient_id, first.devices, worded(bundle, public_url=self._public_url))
        return await self._dispatcher.deliver(parcel)


class EmailCarrier:
    """Carries bundles as e-mails. The mail says what a push would say; the rest is in the inbox, after sign-in."""

    def __init__(
        self,
        *,
        channel: Channel[EmailMessageOut] | None,
        message_host: str,
        public_url: str | None = None,
        policy: AttemptPolicy | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``message_host`` is the right-hand side of our message ids; without a channel nothing is sent."""
        self._breaker = Breaker("email")
        self._channel = channel and GuardedChannel[EmailMessageOut](
            channel, breaker=self._breaker, at_once=_MAILS_AT_ONCE
        )
        self._message_host = message_host
        self._public_url = public_url
        self._policy = policy
        self._sleep = sleep

    async def carry(self, bundle: Bundle[DueDelivery]) -> Delivery:
        """Send one mail to the recipient's address."""
        first = bundle.deliveries[0]

        def told(outcome: DispatchOutcome, attempts: int = 0, code: str | None = None) -> RecipientOutcome:
            return RecipientOutcome(first.recipient_id, outcome, attempts=attempts, code=code)

        if self._channel is None:
            return Delivery(told(DispatchOutcome.NOT_CONFIGURED))
        if first.email is None:
            return Delivery(told(DispatchOutcome.NO_TOKEN))
        if (code := self._breaker.open_because) is not None:
            return unset(first.recipient_id, code)
        try:
            message = self._message(bundle, first.email)
        except InvalidArgument:
            return Delivery(told(DispatchOutcome.FAILED_AFTER_RETRIES, code="INVALID_ADDRESS"))
        result = await attempt(self._channel, message, policy=self._policy, sleep=self._sleep)
        elapsed = result.elapsed_ms
        match result.reply:
            case Delivered(reference):
                return Delivery(told(DispatchOutcome.SENT, result.attempts), reference, elapsed_ms=elapsed)
            case TryAgain(code) as again:
                failed = told(DispatchOutcome.FAILED_AFTER_RETRIES, result.attempts, code)
                return Delivery(failed, try_again=again, elapsed_ms=elapsed)
            case Refused(code, misconfigured=True):
                return unset(first.recipient_id, code, attempts=result.attempts, elapsed_ms=elapsed)
            case Refused(code) | TokenGone(code):
                failed = told(DispatchOutcome.FAILED_AFTER_RETRIES, result.attempts, code)
                return Delivery(failed, elapsed_ms=elapsed)
            case _:
                assert_never(result.reply)

    def _message(self, bundle: Bundle[DueDelivery], address: str) -> EmailMessageOut:
        words = worded(bundle, public_url=self._public_url)
        link = words.link if words.link.startswith(("https://", "http://")) else None
        return EmailMessageOut(
            to=address,
            subject=words.text.title,
            text="\n\n".join(filter(None, [words.text.body, link])) + "\n",
            html=_html(words, bundle.deliveries[0].manner.language, link),
            message_id=f"<{words.collapse_key}.{bundle.deliveries[0].recipient_id.hex}@{self._message_host}>",
        )


def worded(bundle: Bundle[DueDelivery], *, public_url: str | None) -> Notice:
    """Word a bundle: its one change, or how many there are."""
    first = bundle.deliveries[0]
    if bundle.summary_id is None:
        return notice(first.payload, first.manner)
    payloads = [each.payload for each in bundle.deliveries]
    return summary_notice(payloads, first.manner, summary_id=bundle.summary_id, public_url=public_url)


def _html(words: Notice, language: str, link: str | None) -> str:
    body = f"<h1>{escape(words.text.title)}</h1><p>{escape(words.text.body)}</p>"
    if link is not None:
        body += f'<p><a href="{escape(link)}">{escape(link)}</a></p>'
    return (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        f"<title>{escape(words.text.title)}</title></head><body>{body}</body></html>"
    )
