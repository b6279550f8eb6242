"""What the FCM stand-in can be told to answer, in the words and shapes of Google's own answers. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from peerpause.demo.fcm_wire import Violation


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the stand-in treats one message.

    ``outcome`` is the word it is recorded under; without a ``body`` a 200 carries a fresh message name. ``delay`` is in
    seconds; ``drop`` hangs up instead of answering.
    """

    outcome: str
    status: int = 200
    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drop: bool = False

    @property
    def accepts(self) -> bool:
        """Whether the sender is told, sooner or later, that its message was taken."""
        return self.status == 200 and self.body is None and not self.drop


def google_error(status: int, code: str, message: str, *details: Mapping[str, Any]) -> bytes:
    """An error body as Google's front door writes it."""
    error = {"code": status, "message": message, "status": code, **({"details": details} if details else {})}
    return json.dumps({"error": error}).encode()


def invalid_request(found: Sequence[Violation]) -> Behaviour:
    """The refusal of a message that is wrong by itself, field by field."""
    detail = {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{"field": item.path, "description": item.description} for item in found],
    }
    body = google_error(400, "INVALID_ARGUMENT", found[0].description, detail)
    return Behaviour("INVALID_ARGUMENT", 400, body)


def quota(retry_after: float | str | None = None) -> Behaviour:
    """Too many messages: 429, with ``retry_after`` as seconds or as the text of an HTTP date where given."""
    body = google_error(
        429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric.", _fcm_error("QUOTA_EXCEEDED")
    )
    return Behaviour("QUOTA_EXCEEDED", 429, body, _retry_after(retry_after))


def unavailable(retry_after: float | str | None = None) -> Behaviour:
    """FCM is overloaded: 503."""
    body = google_error(
        503, "UNAVAILABLE", "The service is currently unavailable.", _fcm_error("UNAVAILABLE")
    )
    return Behaviour("UNAVAILABLE", 503, body, _retry_after(retry_after))


def slow(seconds: float) -> Behaviour:
    """Takes the message, but answers only after ``seconds``."""
    return Behaviour("SLOW", delay=seconds)


def _fcm_error(code: str) -> dict[str, str]:
    return {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}


def _fault(status: int, code: str, message: str, fcm_code: str) -> Behaviour:
    return Behaviour(fcm_code, status, google_error(status, code, message, _fcm_error(fcm_code)))


def _retry_after(value: float | str | None) -> dict[str, str]:
    if value is None:
        return {}
    return {"Retry-After": value if isinstance(value, str) else str(int(value))}


OK = Behaviour("OK")
UNREGISTERED = _fault(404, "NOT_FOUND", "Requested entity was not found.", "UNREGISTERED")
INVALID_TOKEN = Behaviour(
    "INVALID_TOKEN",
    400,
    google_error(
        400,
        "INVALID_ARGUMENT",
        "The registration token is not a valid FCM registration token",
        _fcm_error("INVALID_ARGUMENT"),
    ),
)
SENDER_MISMATCH = _fault(403, "PERMISSION_DENIED", "SenderId mismatch", "SENDER_ID_MISMATCH")
THIRD_PARTY_AUTH = _fault(
    401, "UNAUTHENTICATED", "Auth error from APNS or Web Push Service", "THIRD_PARTY_AUTH_ERROR"
)
INTERNAL = _fault(500, "INTERNAL", "Internal error encountered.", "INTERNAL")
UNAVAILABLE = unavailable()
GARBAGE = Behaviour("GARBAGE", 200, b"<html><body>It works!</body></html>")
DROP = Behaviour("DROP", drop=True)
UNAUTHENTICATED = Behaviour(
    "UNAUTHENTICATED",
    401,
    google_error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
)
WRONG_PROJECT = Behaviour(
    "PERMISSION_DENIED", 403, google_error(403, "PERMISSION_DENIED", "Permission denied on the project.")
)
NOT_FOUND = Behaviour("NOT_FOUND", 404, google_error(404, "NOT_FOUND", "Requested entity was not found."))
