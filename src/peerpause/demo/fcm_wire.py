"""Which messages FCM would take, as the stand-in judges them: the fields they may have, and what must make sense. Pure.

The fields are those of Google's discovery document ``fcm.v1``; a test holds the two against each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LARGEST_PAYLOAD = 4096

STRING, BOOLEAN, INTEGER, NUMBER, DURATION, STRINGS, STRING_MAP, ANY_MAP = (
    "string",
    "boolean",
    "integer",
    "number",
    "duration",
    "strings",
    "string map",
    "any map",
)

_PRIORITY = ("NORMAL", "HIGH")
_DURATION = re.compile(r"\d+(\.\d{1,9})?s")
_TARGETS = ("token", "fid", "topic", "condition")
_COLOR = {"red": NUMBER, "green": NUMBER, "blue": NUMBER, "alpha": NUMBER}
_LIGHTS = {"color": _COLOR, "lightOnDuration": DURATION, "lightOffDuration": DURATION}
_LABEL = {"analyticsLabel": STRING}

_ANDROID_NOTIFICATION_V2: dict[str, Any] = {
    **dict.fromkeys(
        ("title", "body", "icon", "color", "sound", "tag", "clickAction", "ticker", "eventTime"), STRING
    ),
    **dict.fromkeys(("bodyLocKey", "titleLocKey", "channelId", "image"), STRING),
    **dict.fromkeys(("bodyLocArgs", "titleLocArgs", "vibrateTimings"), STRINGS),
    **dict.fromkeys(("sticky", "localOnly"), BOOLEAN),
    **dict.fromkeys(("defaultSound", "defaultVibrateTimings", "defaultLightSettings"), BOOLEAN),
    "visibility": ("VISIBILITY_UNSPECIFIED", "PRIVATE", "PUBLIC", "SECRET"),
    "notificationPriority": (
        "PRIORITY_UNSPECIFIED",
        "PRIORITY_MIN",
        "PRIORITY_LOW",
        "PRIORITY_DEFAULT",
        "PRIORITY_HIGH",
        "PRIORITY_MAX",
    ),
    "lightSettings": _LIGHTS,
    "notificationCount": INTEGER,
    "id": INTEGER,
}

_ANDROID_NOTIFICATION: dict[str, Any] = {
    **{name: kind for name, kind in _ANDROID_NOTIFICATION_V2.items() if name != "id"},
    "bypassProxyNotification": BOOLEAN,
    "proxy": ("PROXY_UNSPECIFIED", "ALLOW", "DENY", "IF_PRIORITY_LOWERED"),
}

_ANDROID_V2: dict[str, Any] = {
    **dict.fromkeys(("collapseKey", "restrictedPackageName"), STRING),
    **dict.fromkeys(("directBootOk", "bandwidthConstrainedOk", "restrictedSatelliteOk"), BOOLEAN),
    "ttl": DURATION,
    "data": STRING_MAP,
    "fcmOptions": _LABEL,
    "remoteNotification": {
        "notification": _ANDROID_NOTIFICATION_V2,
        "mutableContent": BOOLEAN,
        "useAsV1DataMessage": BOOLEAN,
    },
    "backgroundSync": {},
}

_ANDROID: dict[str, Any] = {
    **{
        name: kind
        for name, kind in _ANDROID_V2.items()
        if name not in {"remoteNotification", "backgroundSync"}
    },
    "priority": _PRIORITY,
    "notification": _ANDROID_NOTIFICATION,
}

FIELDS: dict[str, Any] = {
    "validateOnly": BOOLEAN,
    "message": {
        **dict.fromkeys(("name", *_TARGETS), STRING),
        "data": STRING_MAP,
        "notification": {"title": STRING, "body": STRING, "image": STRING},
        "android": _ANDROID,
        "androidV2": _ANDROID_V2,
        "webpush": {
            "headers": STRING_MAP,
            "data": STRING_MAP,
            "notification": ANY_MAP,
            "fcmOptions": {"link": STRING, **_LABEL},
        },
        "apns": {
            "headers": STRING_MAP,
            "payload": ANY_MAP,
            "fcmOptions": {"image": STRING, **_LABEL},
            "liveActivityToken": STRING,
        },
        "fcmOptions": _LABEL,
    },
}
"""Every field of ``SendMessageRequest``: a kind, a tuple of allowed values, or a nested object."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with a message: where, and what."""

    path: str
    description: str


def violations(request: object) -> Iterator[Violation]:
    """Everything Google would refuse about the body of ``messages:send``, whoever the receiver is."""
    if not isinstance(request, dict):
        yield Violation("", "Invalid JSON payload received. Root element must be a message.")
        return
    wrong = list(_shape_violations(request, FIELDS, path=""))
    yield from wrong
    if not wrong:
        yield from _sense_violations(request.get("message") or {})


def _shape_violations(
    value: Mapping[str, Any], known: Mapping[str, Any], *, path: str
) -> Iterator[Violation]:
    for name, item in value.items():
        here = f"{path}.{name}" if path else name
        if name not in known:
            yield Violation(
                path,
                f"Invalid JSON payload received. Unknown name \"{name}\" at '{path}': Cannot find field.",
            )
        elif isinstance(known[name], dict):
            if isinstance(item, dict):
                yield from _shape_violations(item, known[name], path=here)
            else:
                yield Violation(here, f"Invalid value at '{here}' (a message is expected)")
        elif not _fits(item, known[name]):
            yield Violation(here, f"Invalid value at '{here}' ({_type_name(known[name])})")


def _fits(item: object, kind: str | tuple[str, ...]) -> bool:
    if isinstance(kind, tuple):
        return item in kind
    if kind == STRINGS:
        return isinstance(item, list) and all(isinstance(part, str) for part in item)
    if kind == STRING_MAP:
        return isinstance(item, dict) and all(isinstance(part, str) for part in item.values())
    if kind == DURATION:
        return isinstance(item, str) and _DURATION.fullmatch(item) is not None
    if kind in {INTEGER, NUMBER}:
        return isinstance(item, int if kind == INTEGER else (int, float)) and not isinstance(item, bool)
    return isinstance(item, {STRING: str, BOOLEAN: bool, ANY_MAP: dict}[kind])


def _type_name(kind: str | tuple[str, ...]) -> str:
    return "TYPE_ENUM" if isinstance(kind, tuple) else f"TYPE_{kind.upper().replace(' ', '_')}"


def _sense_violations(message: Mapping[str, Any]) -> Iterator[Violation]:
    targets = [name for name in _TARGETS if message.get(name)]
    if len(targets) != 1:
        yield Violation("message", "Recipient of the message is not set, or more than one is.")
    if "android" in message and "androidV2" in message:
        yield Violation("message.android_v2", "android and android_v2 exclude each other.")
    link = message.get("webpush", {}).get("fcmOptions", {}).get("link", "https://")
    if not link.startswith("https://"):
        yield Violation("message.webpush.fcm_options.link", "WebpushConfig link must be an https address.")
    if _payload_bytes(message) > LARGEST_PAYLOAD:
        yield Violation("message", "Android message is too big")
    for key in message.get("data", {}):
        if key in {"from", "message_type"} or key.startswith(("google.", "gcm.notification.")):
            yield Violation("message.data", f"Invalid data payload key: {key}")


def _payload_bytes(message: Mapping[str, Any]) -> int:
    texts = [*message.get("notification", {}).values()]
    for key, value in message.get("data", {}).items():
        texts += key, value
    return sum(len(text.encode()) for text in texts)
