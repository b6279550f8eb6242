"""The ways out of the house, one module each, behind one Protocol.

A channel makes one attempt and answers the caller's next question in its type: delivered, gone for good, worth another try,
or refused. It never retries and never raises for what the other side says; retrying is the dispatcher's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar


@dataclass(frozen=True, slots=True)
class Delivered:
    """The other side took it. ``reference`` is its own id for the message (FCM's message name), if it gave one."""

    reference: str | None = None


@dataclass(frozen=True, slots=True)
class TokenGone:
    """This address will never work again and must be retired. ``code`` is the other side's word, e.g. ``UNREGISTERED``."""

    code: str


@dataclass(frozen=True, slots=True)
class TryAgain:
    """A passing fault. ``after`` is how many seconds the other side asked us to wait, or ``None`` where it did not say."""

    code: str
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """It will not work however often we try.

    ``misconfigured`` is true where our own credentials or set-up are at fault, so that the whole batch must stop.
    """

    code: str
    misconfigured: bool = False


ChannelReply = Delivered | TokenGone | TryAgain | Refused

MessageT = TypeVar("MessageT", contravariant=True)


class Channel(Protocol[MessageT]):
    """One way out. Closed once, by whoever built it."""

    async def send(self, message: MessageT) -> ChannelReply:
        """Make one attempt. Never raises for what the network or the other side does."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...
