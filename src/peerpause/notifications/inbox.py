"""A person's inbox as they read it: their entries in words, what is unread, and how they say that they have seen to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol, TypeAlias
from uuid import UUID

import structlog

from peerpause.database.session import Claims, Sessions, Step
from peerpause.errors import NotFound
from peerpause.notifications.alerts import ALERT_EVENTS, AlertPayload, alert_text
from peerpause.notifications.payload import NotificationPayload
from peerpause.notifications.texts import InboxText, inbox_text
from peerpause.telemetry import Event

_log = structlog.get_logger(__name__)

_EVERYTHING: Final = {"event": None, "mentor_id": None, "since": None, "until": None, "oldest_first": False}

PAGE: Final = 25
"""Entries on one page."""


@dataclass(frozen=True, slots=True)
class InboxPlace:
    """The entry a page ended with; the next page begins behind it, whatever came meanwhile."""

    created_at: datetime
    notification_id: UUID


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """One entry in words. ``about_self`` is True where the reader is the mentor; ``mentor_id`` is None for what is about nobody."""

    notification_id: UUID
    event: str
    about_self: bool
    mentor_id: UUID | None
    organisation_id: UUID | None
    text: InboxText = field(repr=False)
    created_at: datetime
    read_at: datetime | None
    acknowledged_at: datetime | None


@dataclass(frozen=True, slots=True)
class InboxPage:
    """Some entries, newest first, and how many of the whole inbox are unread. ``next`` leads on; None on the last page."""

    entries: tuple[InboxEntry, ...]
    unread: int
    next: InboxPlace | None


class Spoken(Protocol):
    """How an organisation speaks: its own word for a mentor (None: the usual one), and its labels for the reasons."""

    @property
    def role_word(self) -> str | None:
        """Its own word for a mentor."""

    @property
    def reasons(self) -> Mapping[str, str]:
        """Its labels, by the codes of the reasons."""


Voice: TypeAlias = Callable[[UUID], Awaitable[Spoken]]


class Inbox:
    """The inbox of one person, in one language. ``voice`` tells how each organisation speaks in it."""

    def __init__(self, *, sessions: Sessions, caller: Claims, language: str, voice: Voice) -> None:
        self._sessions = sessions
        self._caller = caller
        self._language = language
        self._voice = voice

    async def read(self, *, only_unread: bool, after: InboxPlace | None = None) -> InboxPage:
        """A page of it, from behind a place. Raises Unavailable."""
        rows, (unread,) = await self._sessions.call_all(
            self._caller,
            Step(
                "read_inbox",
                {
                    "limit": PAGE + 1,
                    "before": None if after is None else after.created_at,
                    "before_id": None if after is None else after.notification_id,
                    "only_unread": only_unread,
                    **_EVERYTHING,
                },
            ),
            Step("count_unread"),
        )
        shown = rows[:PAGE]
        last = shown[-1] if len(rows) > PAGE else None
        return InboxPage(
            entries=tuple([await self._entry(row) for row in shown]),
            unread=unread["unread"],
            next=None if last is None else InboxPlace(last["created_at"], last["id"]),
        )

    async def mark(self, notification_id: UUID, *, acknowledge: bool = False) -> InboxEntry:
        """It is read, or has also been seen to; the first time counts. Raises NotFound for an entry that is not theirs."""
        rows = await self._sessions.call(
            self._caller, "mark_notification", {"id": notification_id, "acknowledge": acknowledge}
        )
        if not rows:
            raise NotFound("There is no such entry in your inbox.", hint="Load the inbox again.")
        return await self._entry(rows[0])

    async def mark_all(self, *, until: datetime, acknowledge: bool = False) -> int:
        """All that came up to a moment is read, or has also been seen to; tells how many that changed."""
        (row,) = await self._sessions.call(
            self._caller, "mark_all_notifications", {"until": until, "acknowledge": acknowledge}
        )
        return int(row["marked"])

    async def _entry(self, row: Mapping[str, Any]) -> InboxEntry:
        return InboxEntry(
            notification_id=row["id"],
            event=row["event"],
            about_self=row["about_self"],
            mentor_id=_id(row["payload"], "mentor_id"),
            organisation_id=_id(row["payload"], "organisation_id"),
            text=await self._text(row),
            created_at=row["created_at"],
            read_at=row["read_at"],
            acknowledged_at=row["acknowledged_at"],
        )

    async def _text(self, row: Mapping[str, Any]) -> InboxText:
        try:
            if row["event"] in ALERT_EVENTS:
                return alert_text(AlertPayload.from_json(row["payload"]), self._language)
            payload = NotificationPayload.from_json(row["payload"])
        except (KeyError, TypeError, ValueError) as error:
            # One entry of another version's must not take the whole inbox away.
            _log.warning(Event.INBOX_UNREADABLE, notification_id=str(row["id"]), error=type(error).__name__)
            return InboxText("", "")
        spoken = await self._voice(payload.organisation_id)
        return inbox_text(
            payload,
            self._language,
            about_self=row["about_self"],
            role_word=spoken.role_word,
            reason_label=spoken.reasons.get(payload.reason_code or ""),
        )


def _id(payload: Mapping[str, Any], name: str) -> UUID | None:
    try:
        return UUID(payload[name])
    except (KeyError, TypeError, ValueError):
        return None
