"""One push message and its exact form on the wire to Firebase Cloud Messaging (HTTP v1): pure, no network, no clock."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from peerpause.errors import InvalidArgument

LONGEST_TTL = 28 * 24 * 3600
"""Seconds FCM keeps a message for a phone that is switched off, at most."""

LARGEST_PAYLOAD = 4096
"""Bytes of title, body and data together that FCM accepts."""

_APNS_COLLAPSE_ID_BYTES = 64
_WEB_PUSH_TOPIC_CHARACTERS = 32
_RESERVED_DATA_KEYS = frozenset({"from", "message_type"})
_RESERVED_DATA_PREFIXES = ("google.", "gcm.notification.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PushMessage:
    """What one device is to show, named by its registration ``token`` or its Firebase installation id ``fid``, never both.

    ``ttl`` is in seconds. ``collapse_key`` makes a phone show a message that arrives twice, or is overtaken by a newer one,
    only once. ``link`` is where a click in a browser leads and must be https. ``android_channel``, ``apns_category`` and
    ``thread_id`` (how iOS groups messages) are names the app knows.

    Raises ``InvalidArgument`` for what FCM would refuse whoever the receiver is; no field that could hold a name or a token
    is in the ``repr``.
    """

    token: str | None = field(default=None, repr=False)
    fid: str | None = field(default=None, repr=False)
    title: str = field(repr=False)
    body: str = field(repr=False)
    data: Mapping[str, str] = field(default_factory=dict, repr=False)
    collapse_key: str | None = None
    high_priority: bool = False
    ttl: int = 3600
    android_channel: str | None = None
    apns_category: str | None = None
    thread_id: str | None = None
    link: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if bool(self.token) == bool(self.fid):
            raise InvalidArgument(
                "A push message goes to a registration token or to an installation id: name one of them."
            )
        if not 0 <= self.ttl <= LONGEST_TTL:
            raise InvalidArgument(
                f"A push message may wait between 0 and {LONGEST_TTL} seconds.", detail={"ttl": self.ttl}
            )
        if self.link is not None and not self.link.startswith("https://"):
            raise InvalidArgument("A push message's link must begin with https://, or be left out.")
        if bad_keys := sorted(key for key in self.data if _is_reserved(key)):
            raise InvalidArgument(
                "FCM keeps these data keys for itself: choose others.", detail={"keys": bad_keys}
            )
        if (size := self._payload_bytes()) > LARGEST_PAYLOAD:
            raise InvalidArgument(
                f"A push message holds at most {LARGEST_PAYLOAD} bytes of text and data.",
                detail={"bytes": size},
            )

    def to_json(self, *, now: datetime | None = None) -> dict[str, Any]:
        """The body of ``messages:send``.

        With ``now`` (aware) given, iOS is told as well when the message is stale: Apple wants a moment, not a duration.
        """
        target = {"token": self.token} if self.token else {"fid": self.fid}
        return {
            "message": {
                **target,
                "notification": {"title": self.title, "body": self.body},
                "data": dict(self.data),
                "android": self._android(),
                "apns": self._apns(now),
                "webpush": self._webpush(),
            }
        }

    def _android(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            "priority": "HIGH" if self.high_priority else "NORMAL",
            "ttl": f"{self.ttl}s",
        }
        shown = {}
        if self.android_channel:
            shown["channelId"] = self.android_channel
        if self.collapse_key:
            # The collapse key replaces what still waits at Google; the tag replaces what the phone already shows.
            config["collapseKey"] = shown["tag"] = self.collapse_key
        if shown:
            config["notification"] = shown
        return config

    def _apns(self, now: datetime | None) -> dict[str, Any]:
        headers = {"apns-priority": "10" if self.high_priority else "5"}
        if now:
            headers["apns-expiration"] = str(int(now.timestamp()) + self.ttl)
        if self.collapse_key:
            headers["apns-collapse-id"] = _shortened(self.collapse_key, _APNS_COLLAPSE_ID_BYTES)
        aps = {}
        if self.apns_category:
            aps["category"] = self.apns_category
        if self.thread_id:
            aps["thread-id"] = self.thread_id
        return {"headers": headers, "payload": {"aps": aps}} if aps else {"headers": headers}

    def _webpush(self) -> dict[str, Any]:
        headers = {"TTL": str(self.ttl), "Urgency": "high" if self.high_priority else "normal"}
        config: dict[str, Any] = {"headers": headers}
        if self.collapse_key:
            headers["Topic"] = _web_push_topic(self.collapse_key)
            config["notification"] = {"tag": self.collapse_key}
        if self.link:
            config["fcmOptions"] = {"link": self.link}
        return config

    def _payload_bytes(self) -> int:
        texts = (self.title, self.body, *self.data.keys(), *self.data.values())
        return sum(len(text.encode()) for text in texts)


def _is_reserved(key: str) -> bool:
    return key in _RESERVED_DATA_KEYS or key.startswith(_RESERVED_DATA_PREFIXES)


def _shortened(key: str, limit: int) -> str:
    """The key itself where it fits, otherwise a fingerprint of it: equal keys must stay equal, different ones different."""
    return key if len(key.encode()) <= limit else _fingerprint(key)[:limit]


def _web_push_topic(key: str) -> str:
    # RFC 8030 allows 32 characters of the URL-safe base64 alphabet; a uuid with its hyphens is already too long.
    return _fingerprint(key)[:_WEB_PUSH_TOPIC_CHARACTERS]


def _fingerprint(key: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()).rstrip(b"=").decode()
