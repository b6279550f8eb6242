"""What FCM's answer means for a delivery: pure, by Google's own error codes, never by guessing from the HTTP status alone.

Google describes a fault in two shapes, ``google.firebase.fcm.v1.FcmError`` (an ``errorCode``) and
``google.rpc.BadRequest`` (``fieldViolations``); the difference decides whether a device is thrown out or our message is wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from peerpause.notifications.channels import ChannelReply, Delivered, Refused, TokenGone, TryAgain

ACCESS_TOKEN_REFUSED = Refused("UNAUTHENTICATED", misconfigured=True)
"""Our access token was not accepted: worth one fresh token, and after that a fault of set-up."""

QUOTA_WAIT = 60.0
"""Seconds to wait after a 429 that does not say how long, as Google asks."""

_FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
_TARGET_FIELDS = frozenset({"message.token", "message.fid"})
_BLAMES_TARGET = re.compile(r"registration[ -](token|id)|installation id|\bfid\b", re.IGNORECASE)
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,63}")


def verdict(status: int, body: bytes | None, *, retry_after: str | None, now: datetime) -> ChannelReply:
    """What to do after FCM answered ``status`` with ``body``; ``None`` stands for a body too long to be Google's.

    ``retry_after`` is the header as it came (seconds or an HTTP date); ``now`` (aware) turns a date into seconds.
    """
    answer = _json_object(body)
    if status == HTTPStatus.OK:
        name = answer.get("name") if answer else None
        return Delivered(name) if isinstance(name, str) else TryAgain("BAD_ANSWER")
    fault = _fault(answer)
    code = fault.code or f"HTTP_{status}"
    after = _seconds(retry_after, now=now)
    if fault.fcm_code == "UNREGISTERED" or fault.fcm_code == "SENDER_ID_MISMATCH":
        return TokenGone(fault.fcm_code)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return TryAgain(fault.fcm_code or "QUOTA_EXCEEDED", after=QUOTA_WAIT if after is None else after)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return TryAgain(code, after=after)
    if status == HTTPStatus.UNAUTHORIZED:
        return Refused(fault.fcm_code, misconfigured=True) if fault.fcm_code else ACCESS_TOKEN_REFUSED
    if status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND} or status < HTTPStatus.BAD_REQUEST:
        # A 404 that does not blame the device, or a redirect: the project or the endpoint is not what we think.
        return Refused(code, misconfigured=True)
    if fault.is_empty:
        # Not Google speaking but something in between, and that may pass.
        return TryAgain("BAD_ANSWER")
    return TokenGone(code) if fault.blames_target else Refused(code)


@dataclass(frozen=True, slots=True)
class _Fault:
    """Google's error object with everything unexpected left out."""

    status: str | None = None
    fcm_code: str | None = None
    message: str = ""
    fields: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.status or self.fcm_code or self.fields)

    @property
    def code(self) -> str | None:
        return self.fcm_code or self.status

    @property
    def blames_target(self) -> bool:
        """Whether the error names the device's token itself, and nothing else in the message."""
        if self.code != "INVALID_ARGUMENT":
            return False
        if self.fields:
            return _TARGET_FIELDS.issuperset(self.fields)
        return (
            self.fcm_code is not None
            and _BLAMES_TARGET.search(self.message) is not None
            and "valid" in self.message
        )


def _fault(answer: dict[str, Any] | None) -> _Fault:
    error = answer.get("error") if answer else None
    if not isinstance(error, dict):
        return _Fault()
    details = error.get("details")
    details = [item for item in details if isinstance(item, dict)] if isinstance(details, list) else []
    codes = (_code(item.get("errorCode")) for item in details if item.get("@type") == _FCM_ERROR)
    message = error.get("message")
    return _Fault(
        status=_code(error.get("status")),
        fcm_code=next(filter(None, codes), None),
        message=message if isinstance(message, str) else "",
        fields=tuple(_violated_fields(details)),
    )


def _violated_fields(details: list[dict[str, Any]]) -> Iterator[str]:
    for item in details:
        violations = item.get("fieldViolations")
        if item.get("@type") != _BAD_REQUEST or not isinstance(violations, list):
            continue
        for violation in violations:
            if isinstance(violation, dict) and isinstance(violation.get("field"), str):
                yield violation["field"]


def _code(value: object) -> str | None:
    # A code ends up in logs and in the delivery's row, so only what looks like one gets through.
    return value if isinstance(value, str) and _CODE.fullmatch(value) else None


def _json_object(body: bytes | None) -> dict[str, Any] | None:
    try:
        answer = json.loads(body or b"")
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _seconds(retry_after: str | None, *, now: datetime) -> float | None:
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())
