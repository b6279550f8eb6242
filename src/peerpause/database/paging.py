"""Cursors: a place in a list as text for a URL, that nobody needs to understand. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from peerpause.errors import InvalidArgument


def write_cursor(*place: str | datetime | UUID) -> str:
    """The values that a list goes on behind, as text."""
    words = [value.isoformat() if isinstance(value, datetime) else str(value) for value in place]
    return base64.urlsafe_b64encode(json.dumps(words, ensure_ascii=False).encode()).decode().rstrip("=")


def read_cursor(text: str, *, length: int) -> Sequence[str]:
    """The values that ``write_cursor`` wrote. Raises ``InvalidArgument`` for text that is none of ours."""
    try:
        words = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode())
    except (ValueError, RecursionError):
        raise not_a_cursor() from None
    if (
        not isinstance(words, list)
        or len(words) != length
        or not all(isinstance(word, str) for word in words)
    ):
        raise not_a_cursor()
    return words


def read_moment(word: str) -> datetime:
    """A time of a cursor. Raises ``InvalidArgument`` where it is none, or has no zone."""
    try:
        moment = datetime.fromisoformat(word)
    except ValueError:
        raise not_a_cursor() from None
    if moment.utcoffset() is None:
        raise not_a_cursor()
    return moment


def read_id(word: str) -> UUID:
    """An id of a cursor. Raises ``InvalidArgument`` where it is none."""
    try:
        return UUID(word)
    except ValueError:
        raise not_a_cursor() from None


def not_a_cursor() -> InvalidArgument:
    """The refusal of a cursor that is none of ours."""
    return InvalidArgument(
        "The cursor is not one of ours.",
        hint="Pass what `next` of the last page said, or leave it out.",
        field="query.cursor",
    )
