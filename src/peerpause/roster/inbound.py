"""Renewed certificates as an organisation's own system reports them: signed after the Standard Webhooks convention.

1. Check the signature and the time of sending; 2. read the message strictly; 3. record all of it or none, once for each `webhook-id`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from peerpause.database.session import Service, Sessions
from peerpause.errors import InvalidArgument, NotSignedIn

MOST_BYTES: Final = 256 * 1024
"""How large a message may be."""

MOST_UPDATES: Final = 500
"""How many certificates one message may report."""

_LONGEST_ID: Final = 255


class CertificateUpdate(BaseModel):
    """One renewed certificate. ``mentor`` is the organisation's own id for the mentor; days are inclusive.

    Without ``kind`` it is the one kind that the organisation requires.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    mentor: Annotated[str, Field(min_length=1, max_length=200)]
    issued_on: date
    expires_on: date | None = None
    kind: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    note: Annotated[str, Field(max_length=2000)] | None = None


class CertificateUpdates(BaseModel):
    """The renewed certificates of a message."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    updates: Annotated[list[CertificateUpdate], Field(min_length=1, max_length=MOST_UPDATES)]


class CertificateMessage(BaseModel):
    """The whole message, in the form that Standard Webhooks recommends."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    type: Literal["certification.renewed"]
    timestamp: datetime | None = None
    data: CertificateUpdates


@dataclass(frozen=True, slots=True)
class Receipt:
    """How many certificates a message reported, and whether it had been taken before: then nothing was done again."""

    recorded: int
    repeated: bool


class InboundUpdates:
    """Takes organisations' messages."""

    def __init__(self, *, sessions: Sessions) -> None:
        self._sessions = sessions

    async def receive(self, organisation_id: UUID, *, headers: Mapping[str, str], body: bytes) -> Receipt:
        """Take one message; ``headers`` are in lower case.

        Raises NotSignedIn where it is not signed with the organisation's secret, or was sent more than five minutes ago;
        InvalidArgument where it cannot be read, names unknown mentors, or repeats an id with other contents.
        """
        await self._check_signature(organisation_id, headers=headers, body=body)
        message_id = headers["webhook-id"]
        if len(message_id) > _LONGEST_ID:
            raise InvalidArgument(
                "The webhook-id is longer than 255 characters.", hint="A random uuid is a good id."
            )
        message = _read(body)
        updates = [update.model_dump(mode="json") for update in message.data.updates]
        parameters = {
            "organisation_id": organisation_id,
            "message_id": message_id,
            "updates": Jsonb(updates),
        }
        (row,) = await self._sessions.call(Service(), "receive_certificate_updates", parameters)
        return Receipt(**row)

    async def _check_signature(
        self, organisation_id: UUID, *, headers: Mapping[str, str], body: bytes
    ) -> None:
        rows = await self._sessions.call(Service(), "inbound_secrets", {"organisation_id": organisation_id})
        known = [secret for row in rows for secret in (row["secret"], row["previous_secret"]) if secret]
        # Where there is no secret the work is the same, so that nobody can tell which organisations take updates.
        if not [secret for secret in known or [secrets.token_bytes(32)] if _is_signed(secret, headers, body)]:
            raise NotSignedIn(
                "The message is not signed with this organisation's secret, or it was sent too long ago.",
                hint="Sign it as Standard Webhooks says, with the secret an admin of the organisation was shown, and send it at once.",
            )


def _is_signed(secret: str | bytes, headers: Mapping[str, str], body: bytes) -> bool:
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError):
        # The library stumbles with a ValueError over signatures and bodies that are garbage.
        return False
    return True


def _read(body: bytes) -> CertificateMessage:
    try:
        return CertificateMessage.model_validate(json.loads(body))
    except ValidationError as error:
        wrong = [
            ".".join(str(part)[:60] for part in each["loc"]) for each in error.errors(include_input=False)
        ]
        raise InvalidArgument(
            "The message does not have the form it should.",
            detail={"fields": wrong[:20]},
            hint="See the documentation of certificate updates for the form; these fields are wrong or unknown.",
        ) from None
    except (ValueError, RecursionError):
        raise InvalidArgument("The message is not JSON.", hint="Send one JSON object, in UTF-8.") from None
