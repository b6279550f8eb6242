"""One notice as it leaves: the exact push or e-mail for a recipient. Pure; the words come from ``texts``."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from peerpause.notifications.channels.fcm_message import PushMessage
from peerpause.notifications.payload import (
    NotificationEvent,
    NotificationPayload,
    collapse_key,
    inbox_link,
    push_data,
    summary_push_data,
)
from peerpause.notifications.recipients import Device
from peerpause.notifications.texts import PushText, push_text, summary_push_text

ANDROID_CHANNEL: Final = "mentor_status"
"""The Android notification channel an app must create for our pushes."""

APNS_CATEGORY: Final = "MENTOR_STATUS"
"""The iOS notification category an app may attach actions to."""

TIME_TO_LIVE: Final = 3600
"""Seconds a push waits for a phone that is off: later the inbox tells it better."""

_URGENT: Final = frozenset(
    {
        NotificationEvent.MENTOR_PAUSED,
        NotificationEvent.MENTOR_PAUSED_CERTIFICATION,
        NotificationEvent.MENTOR_DEACTIVATED,
        NotificationEvent.SUMMARY,
        NotificationEvent.SUMMARY_CERTIFICATION,
    }
)

_CHANGES: Final = frozenset(
    {
        NotificationEvent.MENTOR_PAUSED,
        NotificationEvent.MENTOR_PAUSED_CERTIFICATION,
        NotificationEvent.MENTOR_REACTIVATED,
        NotificationEvent.MENTOR_DEACTIVATED,
        NotificationEvent.CERTIFICATION_RENEWED,
    }
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a recipient is spoken to: ``language`` nb, nn or en; ``about_self`` where the notice is about the recipient."""

    language: str
    about_self: bool = False
    minimal: bool = False
    role_word: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What a phone is to show, before it is addressed to one device."""

    text: PushText
    data: dict[str, str]
    collapse_key: str
    urgent: bool
    thread_id: str
    link: str

    def to(self, device: Device) -> PushMessage:
        """Address the notice to one device."""
        return PushMessage(
            token=device.token if device.kind == "token" else None,
            fid=device.token if device.kind == "fid" else None,
            title=self.text.title,
            body=self.text.body,
            data=self.data,
            collapse_key=self.collapse_key,
            high_priority=self.urgent,
            ttl=TIME_TO_LIVE,
            android_channel=ANDROID_CHANNEL,
            apns_category=APNS_CATEGORY,
            thread_id=self.thread_id,
            link=self.link if self.link.startswith("https://") else None,
        )


def notice(payload: NotificationPayload, manner: Manner) -> Notice:
    """Word the notice of one change: first name, status and ids, or less where the organisation wants that."""
    return Notice(
        text=push_text(
            payload,
            manner.language,
            about_self=manner.about_self,
            minimal=manner.minimal,
            role_word=manner.role_word,
        ),
        data=push_data(payload, minimal=manner.minimal),
        collapse_key=collapse_key(payload),
        urgent=payload.event in _URGENT,
        thread_id=str(payload.organisation_id),
        link=payload.deep_link,
    )


def summary_notice(
    payloads: Sequence[NotificationPayload], manner: Manner, *, summary_id: UUID, public_url: str | None
) -> Notice:
    """Word one notice for several changes: how many, and no names. ``summary_id`` makes a repeat replace the first."""
    kind = _kind_of_summary({each.event for each in payloads})
    link = inbox_link(public_url)
    return Notice(
        text=summary_push_text(len(payloads), manner.language, kind),
        data=summary_push_data(kind, count=len(payloads), link=link),
        collapse_key=f"summary-{summary_id.hex}",
        urgent=kind in _URGENT,
        thread_id=str(payloads[0].organisation_id),
        link=link,
    )


def _kind_of_summary(events: Set[NotificationEvent]) -> NotificationEvent:
    if events == {NotificationEvent.MENTOR_PAUSED_CERTIFICATION}:
        return NotificationEvent.SUMMARY_CERTIFICATION
    if events == {NotificationEvent.CERTIFICATION_EXPIRING}:
        return NotificationEvent.SUMMARY_EXPIRING
    return NotificationEvent.SUMMARY if events <= _CHANGES else NotificationEvent.SUMMARY_NEWS
