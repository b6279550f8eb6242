"""The HTTP routes behind the roster: what a mentor shows of themselves, and an organisation's webhooks, for those who may."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from peerpause.auth.callers import SignedIn
from peerpause.auth.limits import Changing
from peerpause.auth.lists import SORT
from peerpause.database.session import Sessions
from peerpause.roster.endpoints import WebhookEndpoints
from peerpause.roster.roster import PublicProfile, PublicRoster

router = APIRouter(prefix="/v1")


class _Parts(Protocol):
    """What these routes need of the process they run in."""

    @property
    def sessions(self) -> Sessions: ...
    @property
    def webhook_endpoints(self) -> WebhookEndpoints: ...


async def _parts(request: Request) -> _Parts:
    parts: _Parts = request.app.state.services
    return parts


HasParts = Annotated[_Parts, Depends(_parts)]


class ProfileRequest(BaseModel):
    """What the public roster may show of a mentor. All of it is replaced."""

    model_config = ConfigDict(extra="forbid")

    listed: bool
    languages: Annotated[
        list[str], Field(max_length=10, description="BCP 47 tags.", examples=[["nb", "en"]])
    ] = []
    presentation: Annotated[str | None, Field(description="600 characters at most.")] = None
    public_contact: Annotated[
        str | None, Field(description="One e-mail address, phone number or https address.")
    ] = None


class ProfileAnswer(ProfileRequest):
    """The profile as it is kept."""

    mentor_id: UUID


class EndpointRequest(BaseModel):
    """Where changes of the organisation's rosters are to be told."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(max_length=2000, examples=["https://www.example.org/hooks/peerpause"])]


class NewEndpointAnswer(BaseModel):
    """The endpoint with its secret, which is never shown again."""

    endpoint_id: UUID
    url: str
    secret: str


class EndpointAnswer(BaseModel):
    """An endpoint and how deliveries to it go; `waiting` are those not yet settled."""

    model_config = ConfigDict(from_attributes=True)

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


class SecretAnswer(BaseModel):
    """A secret, which is never shown again. The one before it is good for another day."""

    secret: str


@router.put("/mentors/{mentor_id}/public-profile", tags=["public roster"])
async def replace_public_profile(
    mentor_id: UUID, body: ProfileRequest, caller: Changing, parts: HasParts
) -> ProfileAnswer:
    """Replace what the public roster shows of a mentor: for the mentor, their coordinators and admins."""
    wanted = PublicProfile(
        mentor_id=mentor_id,
        listed=body.listed,
        languages=tuple(body.languages),
        presentation=body.presentation,
        public_contact=body.public_contact,
    )
    kept = await PublicRoster(sessions=parts.sessions).update_profile(caller, wanted)
    return ProfileAnswer(
        mentor_id=kept.mentor_id,
        listed=kept.listed,
        languages=list(kept.languages),
        presentation=kept.presentation,
        public_contact=kept.public_contact,
    )


@router.get("/organisations/{organisation_id}/webhook-endpoints", tags=["webhooks"])
async def list_webhook_endpoints(
    organisation_id: UUID,
    caller: SignedIn,
    parts: HasParts,
    active: Annotated[
        bool | None, Query(description="Only those in use, or only those switched off.")
    ] = None,
    sort: Annotated[Literal["created_at", "-created_at"], Query(description=SORT)] = "created_at",
) -> list[EndpointAnswer]:
    """The organisation's webhook endpoints, ten in use at most, the oldest first unless asked otherwise: for its admins.

    Without their secrets.
    """
    found = await parts.webhook_endpoints.of_organisation(caller, organisation_id)
    chosen = [each for each in found if active is None or each.active is active]
    if sort == "-created_at":
        chosen.reverse()
    return [EndpointAnswer.model_validate(each) for each in chosen]


@router.post("/organisations/{organisation_id}/webhook-endpoints", status_code=201, tags=["webhooks"])
async def create_webhook_endpoint(
    organisation_id: UUID, body: EndpointRequest, caller: Changing, parts: HasParts
) -> NewEndpointAnswer:
    """Add an endpoint, and see its secret, once: for admins. The address must lead to a public website."""
    made = await parts.webhook_endpoints.create(caller, organisation_id, url=body.url)
    return NewEndpointAnswer(endpoint_id=made.endpoint_id, url=made.url, secret=made.secret)


@router.post("/webhook-endpoints/{endpoint_id}/secret", tags=["webhooks"])
async def rotate_webhook_secret(endpoint_id: UUID, caller: Changing, parts: HasParts) -> SecretAnswer:
    """Give an endpoint a new secret, and see it, once: for admins. For a day messages are signed with the old one too."""
    return SecretAnswer(secret=await parts.webhook_endpoints.rotate_secret(caller, endpoint_id))


@router.delete("/webhook-endpoints/{endpoint_id}", status_code=204, tags=["webhooks"])
async def disable_webhook_endpoint(endpoint_id: UUID, caller: Changing, parts: HasParts) -> None:
    """Send nothing more to an endpoint: for admins. What was waiting for it is given up."""
    await parts.webhook_endpoints.disable(caller, endpoint_id)


@router.post("/organisations/{organisation_id}/inbound-secret", tags=["webhooks"])
async def rotate_inbound_secret(organisation_id: UUID, caller: Changing, parts: HasParts) -> SecretAnswer:
    """Give the organisation's own system a new secret for its certificate updates, and see it, once: for admins."""
    secret = await parts.webhook_endpoints.rotate_inbound_secret(caller, organisation_id)
    return SecretAnswer(secret=secret)


@router.delete("/organisations/{organisation_id}/inbound-secret", status_code=204, tags=["webhooks"])
async def revoke_inbound_secret(organisation_id: UUID, caller: Changing, parts: HasParts) -> None:
    """Take no more certificate updates from the organisation's own system: for admins."""
    await parts.webhook_endpoints.revoke_inbound_secret(caller, organisation_id)
