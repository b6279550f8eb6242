"""Pushes to device tokens that another server names, with words of its own: what the Edge Function `send-push-notifications` did."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, assert_never

from peerpause.notifications.attempts import AttemptPolicy, attempt
from peerpause.notifications.channels import Channel, Delivered, Refused, TokenGone, TryAgain
from peerpause.notifications.channels.fcm_message import PushMessage
from peerpause.notifications.due import DeliveryBook
from peerpause.notifications.recipients import Device

MOST_TOKENS: Final = 500
"""Tokens one call may name: as many as Google's own libraries take."""

_AT_ONCE: Final = 50
_NOT_CONFIGURED: Final = "not_configured"


@dataclass(frozen=True, slots=True)
class TokenOutcome:
    """How it went with one token: the other side's id for the message, or its code; ``retired`` tokens will never work again."""

    token: str = field(repr=False)
    reference: str | None = None
    error: str | None = None
    retired: bool = False

    @property
    def success(self) -> bool:
        """Whether the push was taken."""
        return self.error is None


class TokenPusher:
    """Sends one message to many tokens, each independent of the others, and retires those that are gone.

    Without a channel every token fails as ``not_configured``. Nothing is written to the inbox or the delivery log.
    """

    def __init__(
        self, *, channel: Channel[PushMessage] | None, book: DeliveryBook, policy: AttemptPolicy | None = None
    ) -> None:
        self._channel = channel
        self._book = book
        self._policy = policy
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def send(
        self, tokens: Sequence[str], *, title: str, body: str, data: Mapping[str, str]
    ) -> tuple[TokenOutcome, ...]:
        """Send to each token once, in the order given. Raises ``InvalidArgument`` for what FCM would refuse whoever the receiver is."""
        began = datetime.now(UTC)
        messages = [
            PushMessage(token=token, title=title, body=body, data=data) for token in dict.fromkeys(tokens)
        ]
        outcomes = tuple(await asyncio.gather(*(self._send(message) for message in messages)))
        gone = [(Device(each.token, "token"), each.error or "") for each in outcomes if each.retired]
        if gone:
            await self._book.settle([], gone=gone, since=began)
        return outcomes

    async def _send(self, message: PushMessage) -> TokenOutcome:
        token = message.token or ""
        if self._channel is None:
            return TokenOutcome(token, error=_NOT_CONFIGURED)
        async with self._slots:
            reply = (await attempt(self._channel, message, policy=self._policy)).reply
        match reply:
            case Delivered(reference):
                return TokenOutcome(token, reference=reference)
            case TokenGone(code):
                return TokenOutcome(token, error=code, retired=True)
            case TryAgain(code) | Refused(code):
                return TokenOutcome(token, error=code)
            case _:
                assert_never(reply)
