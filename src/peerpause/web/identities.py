"""Which person a provider means: by its subject once linked, before that by an address it has verified, or by an operator's hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from peerpause.database.session import Service, Sessions
from peerpause.errors import NotFound, PermissionDenied


@dataclass(frozen=True, slots=True)
class ProvenIdentity:
    """Who a provider says that somebody is. ``email`` is None unless the provider has verified it."""

    issuer: str
    subject: str
    email: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Link:
    """A provider's subject that stands for a person; ``linked_by`` is `email` or `hand`."""

    issuer: str
    subject: str
    linked_by: str
    linked_at: datetime


class NobodyKnown(PermissionDenied):
    """The provider knows them, and we cannot tell who they are here; ``detail["outcome"]`` says why."""

    code = "nobody_known"


_WHY: Final = {
    "no_email": "Your provider did not pass on an e-mail address that it has verified.",
    "unknown": "Nobody in the directory has your e-mail address.",
    "several": "Several people in the directory have your e-mail address.",
    "taken": "The person with your e-mail address signs in by another account of this provider.",
    "not_a_user_id": "Your provider's name for you is not one of our user ids.",
}


class Identities:
    """Who is who at the providers. ``subject_is_user_id``: the provider's subjects are our user ids, as with Supabase Auth."""

    def __init__(self, *, sessions: Sessions, subject_is_user_id: bool = False) -> None:
        self._sessions = sessions
        self._subject_is_user_id = subject_is_user_id

    async def person(self, proven: ProvenIdentity) -> UUID:
        """The person; the first time, the one with the verified address. Raises ``NobodyKnown``: no account is ever made up."""
        if self._subject_is_user_id:
            return _user_id(proven.subject)
        who = {"issuer": proven.issuer, "subject": proven.subject}
        rows = await self._sessions.call(Service(), "find_identity", who)
        if rows:
            return UUID(str(rows[0]["user_id"]))
        if proven.email is None:
            raise _nobody("no_email")
        (row,) = await self._sessions.call(
            Service(), "link_identity_by_email", {**who, "email": proven.email}
        )
        if row["user_id"] is None:
            raise _nobody(row["outcome"])
        return UUID(str(row["user_id"]))

    async def link(self, user_id: UUID, *, issuer: str, subject: str) -> UUID | None:
        """Let a provider's subject stand for a person; whom it stood for before. Raises ``NotFound``."""
        who = {"issuer": issuer, "subject": subject, "user_id": user_id}
        before = await self._sessions.call(Service(), "find_identity", who)
        if not await self._sessions.call(Service(), "link_identity", who):
            raise NotFound(
                "Nobody in the directory has this user id.",
                hint="Import the person first, or look the id up in the table people.",
            )
        return UUID(str(before[0]["user_id"])) if before else None

    async def unlink(self, *, issuer: str, subject: str) -> UUID | None:
        """Forget whom a subject stands for; whom it stood for. Sessions that have begun go on: end them too."""
        rows = await self._sessions.call(Service(), "unlink_identity", {"issuer": issuer, "subject": subject})
        return UUID(str(rows[0]["user_id"])) if rows else None

    async def of_person(self, user_id: UUID) -> Sequence[Link]:
        """All subjects that stand for a person."""
        rows = await self._sessions.call(Service(), "list_identities", {"user_id": user_id})
        return [Link(**row) for row in rows]


def _user_id(subject: str) -> UUID:
    try:
        return UUID(subject)
    except ValueError:
        raise _nobody("not_a_user_id") from None


def _nobody(outcome: str) -> NobodyKnown:
    return NobodyKnown(
        _WHY[outcome],
        detail={"outcome": outcome},
        hint="Ask your coordinator or an admin of your organisation; nothing was changed.",
    )
