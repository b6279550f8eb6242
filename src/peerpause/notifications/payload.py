"""What a notice says, as values: the event, the payload, and what of it leaves for Google.

The words people read are made from these values in ``peerpause.notifications.texts``. Standard library only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

MAX_SHOWN_NAME: Final = 32
"""Characters of a first name or role word that go into a push; more would be cut off by the phone anyway."""

MAX_DEEP_LINK_BYTES: Final = 512
"""Keeps every push below the 4096 bytes that FCM takes, whatever the names."""


class NotificationEvent(StrEnum):
    """What people are told of. The summaries stand for several changes or notices at once, all others for one mentor."""

    MENTOR_PAUSED = "mentor_paused"
    MENTOR_PAUSED_CERTIFICATION = "mentor_paused_certification"
    MENTOR_REACTIVATED = "mentor_reactivated"
    MENTOR_DEACTIVATED = "mentor_deactivated"
    PAUSE_ABOUT_TO_START = "pause_about_to_start"
    PLANNED_PAUSE_SKIPPED = "planned_pause_skipped"
    CERTIFICATION_EXPIRING = "certification_expiring"
    CERTIFICATION_RENEWED = "certification_renewed"
    RETURN_NEAR = "return_near"
    RETURN_PASSED = "return_passed"
    SUMMARY = "summary"
    SUMMARY_CERTIFICATION = "summary_certification"
    SUMMARY_EXPIRING = "summary_expiring"
    SUMMARY_NEWS = "summary_news"

    @property
    def is_summary(self) -> bool:
        """True where the event stands for several mentors, so that no single payload can carry it."""
        return self.value.startswith(NotificationEvent.SUMMARY.value)


def event_for_change(previous: str | None, new: str, reason: str | None) -> NotificationEvent | None:
    """Name what a history row tells people, or ``None`` where there is nothing to tell.

    Nobody is told how a new mentor starts (no previous status), nor of the step by which a paused mentor passes
    through active on the way out. A renewal that ends a pause is told as the renewal.

    Raises ``ValueError`` for a move that does not exist.
    """
    if previous is None or reason == "resignation_step":
        return None
    if (previous, new) == ("paused", "active") and reason == "certification_renewed":
        return NotificationEvent.CERTIFICATION_RENEWED
    if (previous, new) == ("active", "paused") and reason == "certification_expired":
        return NotificationEvent.MENTOR_PAUSED_CERTIFICATION
    if (previous, new) not in _EVENT_FOR_MOVE:
        raise ValueError("new: no such move from previous")
    return _EVENT_FOR_MOVE[previous, new]


@dataclass(frozen=True, slots=True)
class NotificationPayload:
    """Everything one notice about one mentor may say; the inbox keeps it as JSON. Never holds a note.

    ``previous_status`` and ``new_status`` are the words of ``MentorStatus``; they are equal where the notice tells of
    something other than a change. ``actor_id`` is ``None`` for the system, ``history_id`` is ``None`` for a reminder
    that no history row caused. ``timestamp`` may be given in any zone and is kept in UTC. The dates are days in the
    organisation's time zone; ``certification_expires_on`` is the last valid day. ``first_name`` may be empty: then
    the push names nobody.

    Raises ``ValueError``, naming the field, for a summary event, an unknown status, a status that the event
    contradicts, an empty display name, a blank reason, a time without a zone and an unfit deep link.
    """

    event: NotificationEvent
    mentor_id: UUID
    organisation_id: UUID
    display_name: str
    first_name: str
    previous_status: str | None
    new_status: str
    reason_code: str | None
    actor_id: UUID | None
    timestamp: datetime
    deep_link: str
    history_id: UUID | None = None
    expected_return_on: date | None = None
    certification_expires_on: date | None = None
    pause_starts_on: date | None = None

    def __post_init__(self) -> None:
        if self.event.is_summary:
            raise ValueError("event: a summary is about several mentors")
        if self.previous_status is not None and self.previous_status not in _STATUSES:
            raise ValueError(f"previous_status: not one of {', '.join(_STATUSES)}")
        if self.new_status not in _STATUSES:
            raise ValueError(f"new_status: not one of {', '.join(_STATUSES)}")
        if _STATUS_AFTER.get(self.event, self.new_status) != self.new_status:
            raise ValueError("new_status: contradicts the event")
        if not self.display_name.strip():
            raise ValueError("display_name: blank")
        if self.reason_code is not None and not self.reason_code.strip():
            raise ValueError("reason_code: blank")
        _refuse_unfit_link(self.deep_link)
        object.__setattr__(self, "timestamp", _in_utc(self.timestamp))

    @property
    def shown_name(self) -> str:
        """The first name as a push may show it: one line, short, never the full name; may be empty."""
        shown, full = _one_line(self.first_name), _one_line(self.display_name)
        # Some registers keep the full name in the column for the first, some of them with the surname in front.
        if " " in full and full.casefold() in shown.casefold():
            shown = "" if "," in shown else shown.split(" ", 1)[0]
        return shortened(shown)

    def to_json(self) -> dict[str, str | None]:
        """Give the payload as JSON values; times are ISO 8601 in UTC with microseconds, dates ISO 8601."""
        return {field.name: _written(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> NotificationPayload:
        """Read what ``to_json`` wrote.

        Raises ``ValueError``, naming the field, for a missing or unknown key, a value of the wrong type and whatever
        the constructor refuses.
        """
        _refuse_wrong_keys(data)
        return cls(**{name: _read(name, data[name]) for name in _FIELD_FORMS})


def push_data(payload: NotificationPayload, *, minimal: bool = False) -> dict[str, str]:
    """Give what an app receives along with the push, and so what Google sees: ids, first name, status, link.

    ``minimal`` leaves ids and link only, for organisations that choose less.
    """
    data = {
        "mentor_id": str(payload.mentor_id),
        "organisation_id": str(payload.organisation_id),
        "deep_link": payload.deep_link,
    }
    if payload.history_id is not None:
        data["history_id"] = str(payload.history_id)
    if not minimal:
        data |= {
            "event": payload.event.value,
            "first_name": payload.shown_name,
            "new_status": str(payload.new_status),
        }
    return data


def summary_push_data(kind: NotificationEvent, *, count: int, link: str) -> dict[str, str]:
    """Give what an app receives along with a summary. ``link`` comes from ``inbox_link``."""
    _refuse_unfit_link(link)
    return {"event": kind.value, "count": str(count), "deep_link": link}


def collapse_key(payload: NotificationPayload) -> str:
    """Name the message so that a repeat replaces it on the phone: the same for a history row however often it is sent.

    Use it as FCM's collapse key, Android's notification tag and APNs' collapse id alike; at most 64 bytes of ASCII.
    Without a history row a newer reminder of the same kind replaces the older one.
    """
    if payload.history_id is not None:
        return f"change-{payload.history_id.hex}"
    return f"{payload.event.value}-{payload.mentor_id.hex}"


def summary_collapse_key(history_ids: Iterable[UUID]) -> str:
    """Name a summary of these history rows, in whatever order they come; at most 64 bytes of ASCII."""
    digest = sha256(b"".join(sorted(history_id.bytes for history_id in set(history_ids))))
    return f"summary-{digest.hexdigest()[:32]}"


def deep_link(base_url: str | None, mentor_id: UUID) -> str:
    """Point at a mentor's page: below ``base_url`` where there is one, else in the app."""
    return f"{_root(base_url)}mentors/{mentor_id}"


def inbox_link(base_url: str | None) -> str:
    """Point at the recipient's inbox: below ``base_url`` where there is one, else in the app."""
    return f"{_root(base_url)}notifications"


def shortened(text: str, *, limit: int = MAX_SHOWN_NAME) -> str:
    """Put text on one line of at most ``limit`` characters, with an ellipsis where it was cut, accents kept whole."""
    line = _one_line(text)
    if len(line) <= limit:
        return line
    cut = limit - 1
    while cut and (unicodedata.category(line[cut]).startswith("M") or "\u200d" in line[cut - 1 : cut + 1]):
        cut -= 1
    return line[: cut or limit - 1].rstrip() + "…"


_STATUSES: Final = ("active", "paused", "inactive")
_EVENT_FOR_MOVE: Final[Mapping[tuple[str, str], NotificationEvent]] = {
    ("active", "paused"): NotificationEvent.MENTOR_PAUSED,
    ("paused", "active"): NotificationEvent.MENTOR_REACTIVATED,
    ("active", "inactive"): NotificationEvent.MENTOR_DEACTIVATED,
}
_STATUS_AFTER: Final[Mapping[NotificationEvent, str]] = {
    NotificationEvent.MENTOR_PAUSED: "paused",
    NotificationEvent.MENTOR_PAUSED_CERTIFICATION: "paused",
    NotificationEvent.MENTOR_REACTIVATED: "active",
    NotificationEvent.MENTOR_DEACTIVATED: "inactive",
}
_APP_SCHEME: Final = "peerpause"


def _root(base_url: str | None) -> str:
    return f"{_APP_SCHEME}://" if base_url is None else f"{base_url.rstrip('/')}/"


def _refuse_unfit_link(link: str) -> None:
    if len(link.encode()) > MAX_DEEP_LINK_BYTES:
        raise ValueError(f"deep_link: longer than {MAX_DEEP_LINK_BYTES} bytes")
    try:
        parts = urlsplit(link)
    except ValueError:
        raise ValueError("deep_link: not a link") from None
    # Plain http is for a demonstration on one's own machine.
    if parts.scheme not in {_APP_SCHEME, "https", "http"} or not parts.netloc or not link.isprintable():
        raise ValueError(f"deep_link: not a link of {_APP_SCHEME}:// or https://")


def _one_line(text: str) -> str:
    """Drop control and direction marks, which could disguise a line; joiners stay, some scripts need them."""
    kept = (
        char if char in "\u200c\u200d" or unicodedata.category(char) not in {"Cf", "Cs"} else ""
        for char in text
    )
    spaced = (" " if unicodedata.category(char or " ") in {"Cc", "Zl", "Zp"} else char for char in kept)
    return " ".join("".join(spaced).split())


def _in_utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError("timestamp: has no time zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("timestamp: outside the years 1 to 9999 in UTC") from None


def _written(value: UUID | datetime | date | str | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else str(value)


def _uuid_from(text: str) -> UUID:
    # UUID() by itself also takes braces, "urn:uuid:" and hyphens in odd places.
    if re.fullmatch(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text) is None:
        raise ValueError
    return UUID(text)


@dataclass(frozen=True, slots=True)
class _Form:
    """How a field is read from JSON text, how a refusal calls the form, and whether null is an answer."""

    read: Callable[[str], object]
    called: str
    nullable: bool = False


_EVENT = _Form(NotificationEvent, "a known event")
_TEXT = _Form(str, "text")
_UUID = _Form(_uuid_from, "a UUID")
_TIME = _Form(datetime.fromisoformat, "a time in ISO 8601")
_TEXT_OR_NULL = replace(_TEXT, nullable=True)
_UUID_OR_NULL = replace(_UUID, nullable=True)
_DAY_OR_NULL = _Form(date.fromisoformat, "a date in ISO 8601", nullable=True)
_FIELD_FORMS: Final[Mapping[str, _Form]] = {
    "event": _EVENT,
    "mentor_id": _UUID,
    "organisation_id": _UUID,
    "display_name": _TEXT,
    "first_name": _TEXT,
    "previous_status": _TEXT_OR_NULL,
    "new_status": _TEXT,
    "reason_code": _TEXT_OR_NULL,
    "actor_id": _UUID_OR_NULL,
    "timestamp": _TIME,
    "deep_link": _TEXT,
    "history_id": _UUID_OR_NULL,
    "expected_return_on": _DAY_OR_NULL,
    "certification_expires_on": _DAY_OR_NULL,
    "pause_starts_on": _DAY_OR_NULL,
}


def _refuse_wrong_keys(data: object) -> None:
    if not isinstance(data, Mapping):
        raise ValueError("not an object")  # noqa: TRY004  all nonsense is one kind of error
    for name in _FIELD_FORMS:
        if name not in data:
            raise ValueError(f"{name}: missing")
    if len(data) > len(_FIELD_FORMS):
        # The unknown key is not repeated: it came from outside and may hold anything.
        raise ValueError(f"unknown key; known are {', '.join(_FIELD_FORMS)}")


def _read(name: str, value: object) -> Any:
    form = _FIELD_FORMS[name]
    if value is None and form.nullable:
        return None
    if not isinstance(value, str):
        raise ValueError(f"{name}: not text")  # noqa: TRY004  all nonsense is one kind of error
    try:
        return form.read(value)
    except ValueError:
        raise ValueError(f"{name}: not {form.called}") from None
