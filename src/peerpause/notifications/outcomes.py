"""How telling people went: one outcome for each recipient, and the counts over all of them. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID


class DispatchOutcome(StrEnum):
    """How telling one recipient ended."""

    SENT = "sent"
    NO_TOKEN = "no_token"  # noqa: S105  an outcome, not a password
    OPTED_OUT = "opted_out"
    FAILED_AFTER_RETRIES = "failed_after_retries"
    TOKEN_RETIRED = "token_retired"  # noqa: S105  an outcome, not a password
    NOT_CONFIGURED = "not_configured"


@dataclass(frozen=True, slots=True)
class RecipientOutcome:
    """How it went with one recipient: after how many attempts, and with which code of the other side, if any."""

    user_id: UUID
    outcome: DispatchOutcome
    attempts: int = 0
    code: str | None = None


@dataclass(frozen=True, slots=True)
class DispatchResult:
    """How it went with everybody, once each.

    ``successful`` and ``failed`` need not add up to ``total``: for those without a device, or who want no pushes,
    nothing was tried and nothing went wrong; they have the inbox entry.
    """

    recipients: tuple[RecipientOutcome, ...] = ()

    @property
    def total(self) -> int:
        """How many people were to be told."""
        return len(self.recipients)

    @property
    def successful(self) -> int:
        """How many have at least one device that took the push."""
        return sum(each.outcome is DispatchOutcome.SENT for each in self.recipients)

    @property
    def failed(self) -> int:
        """How many should have got a push and did not: retries used up, token retired, or push not set up."""
        return sum(each.outcome in _FAILURES for each in self.recipients)


_FAILURES: Final = frozenset(
    {
        DispatchOutcome.FAILED_AFTER_RETRIES,
        DispatchOutcome.TOKEN_RETIRED,
        DispatchOutcome.NOT_CONFIGURED,
    }
)
