"""A status's `updated_at` as an entity tag, and the conditions of a request made of them (RFC 9110). Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from peerpause.errors import InvalidArgument

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_TAG: Final = re.compile(r'(W/)?"([^"]*)"')
_LIST: Final = re.compile(r'\s*(?:W/)?"[^"]*"\s*(?:,\s*(?:W/)?"[^"]*"\s*)*')
_OURS: Final = re.compile(r"[0-9a-f]{1,15}")
NEVER: Final = _EPOCH
"""A time at which no row of ours was changed: the condition that cannot be met."""


def etag(updated_at: datetime) -> str:
    """The strong tag of a status that was changed at this time."""
    return f'"{(updated_at - _EPOCH) // _MICROSECOND:x}"'


def expected_by(if_match: str | None) -> datetime | None:
    """The `updated_at` that an `If-Match` header asks for; None where it asks for nothing (absent, or `*`).

    A tag we never gave out, or a weak one, is a condition that cannot be met: ``NEVER``. Raises ``InvalidArgument`` for a header
    that is none, or that names several tags.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    if not _LIST.fullmatch(if_match):
        raise InvalidArgument(
            "If-Match is not a tag.",
            hint='Send the ETag you were given, quotes included: "…".',
            field="header.If-Match",
        )
    tags = _TAG.findall(if_match)
    if len(tags) > 1:
        raise InvalidArgument(
            "If-Match names several tags.", hint="Send the one ETag you saw last.", field="header.If-Match"
        )
    ((weak, value),) = tags
    if weak or not _OURS.fullmatch(value):
        return NEVER
    try:
        return _EPOCH + int(value, 16) * _MICROSECOND
    except OverflowError:
        return NEVER


def is_known(if_none_match: str | None, tag: str) -> bool:
    """Whether an `If-None-Match` header says that the caller has this very state already."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or tag in (f'"{value}"' for _, value in _TAG.findall(if_none_match))
