"""Where organisations want to hear of changes to their rosters: their admins' list of webhook addresses."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from peerpause.database.session import Caller, Sessions
from peerpause.errors import InvalidArgument


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """An endpoint just made, with its secret, which is never shown again."""

    endpoint_id: UUID
    url: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint and how deliveries to it go; ``waiting`` are those not yet settled. Times are aware."""

    endpoint_id: UUID
    url: str
    active: bool
    created_at: datetime
    disabled_at: datetime | None
    disabled_because: str | None
    last_sent_at: datetime | None
    last_failed_at: datetime | None
    last_error: str | None
    waiting: int


class AddressCheck(Protocol):
    """Who can say where a name leads."""

    async def leads_to_the_public(self, url: str) -> bool:
        """Whether an address leads to a public website, now."""
        ...


class WebhookEndpoints:
    """The endpoints of organisations, for their admins. Everybody else gets PermissionDenied."""

    def __init__(self, *, sessions: Sessions, addresses: AddressCheck) -> None:
        self._sessions = sessions
        self._addresses = addresses

    async def create(self, caller: Caller, organisation_id: UUID, *, url: str) -> NewEndpoint:
        """Add an endpoint and give its secret, once.

        Raises InvalidArgument for an address that leads into a private network, and for one too many.
        """
        # First whether the caller may: the answer about an address is not for everybody.
        await self.of_organisation(caller, organisation_id)
        if not await self._addresses.leads_to_the_public(url):
            raise InvalidArgument(
                "This is not the https address of a public website.",
                hint="Give an address like https://www.example.org/hooks/peerpause whose name leads to public addresses only.",
                field="url",
            )
        parameters = {"organisation_id": organisation_id, "url": url}
        (row,) = await self._sessions.call(caller, "create_webhook_endpoint", parameters)
        return NewEndpoint(**row)

    async def of_organisation(self, caller: Caller, organisation_id: UUID) -> tuple[Endpoint, ...]:
        """All endpoints, oldest first, without their secrets."""
        rows = await self._sessions.call(
            caller, "list_webhook_endpoints", {"organisation_id": organisation_id}
        )
        return tuple(Endpoint(**row) for row in rows)

    async def rotate_secret(self, caller: Caller, endpoint_id: UUID) -> str:
        """Give an endpoint a new secret; for a day messages are signed with the old one too."""
        (row,) = await self._sessions.call(caller, "rotate_webhook_secret", {"endpoint_id": endpoint_id})
        return str(row["secret"])

    async def disable(self, caller: Caller, endpoint_id: UUID) -> bool:
        """Stop sending to an endpoint and give up what was waiting. Tells whether it was active."""
        (row,) = await self._sessions.call(caller, "disable_webhook_endpoint", {"endpoint_id": endpoint_id})
        return bool(row["was_active"])

    async def rotate_inbound_secret(self, caller: Caller, organisation_id: UUID) -> str:
        """Give the organisation a new secret for signing its certificate updates; the old one is taken for another day."""
        parameters = {"organisation_id": organisation_id}
        (row,) = await self._sessions.call(caller, "rotate_inbound_secret", parameters)
        return str(row["secret"])

    async def revoke_inbound_secret(self, caller: Caller, organisation_id: UUID) -> bool:
        """Take no more certificate updates from the organisation. Tells whether any were taken before."""
        parameters = {"organisation_id": organisation_id}
        (row,) = await self._sessions.call(caller, "revoke_inbound_secret", parameters)
        return bool(row["was_open"])
