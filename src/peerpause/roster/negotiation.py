"""Pure: which form and language of the roster a request asks for, and whether it holds the same one already."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from typing import Final, Literal

Form = Literal["json", "html"]

_TYPES: Final[dict[str, Form]] = {"application/json": "json", "text/html": "html"}
_LANGUAGES: Final = {"nb": "nb", "nn": "nn", "en": "en", "no": "nb"}


def preferred_form(accept: str | None) -> Form:
    """The form an ``Accept`` header likes best: HTML only where it is liked better than JSON, as browsers do."""
    liking = {form: _liking(media, accept or "*/*") for media, form in _TYPES.items()}
    return "html" if liking["html"] > liking["json"] else "json"


def preferred_language(asked: str | None, accept_language: str | None, *, otherwise: str) -> str:
    """The page's language: what the address asks for, else what the browser likes best, else the organisation's own."""
    if asked is not None and (known := _known_language(asked)) is not None:
        return known
    ranked = sorted(_weighted(accept_language or ""), key=lambda entry: -entry[1])
    for tag, weight in ranked:
        if weight > 0 and (known := _known_language(tag)) is not None:
            return known
    return otherwise


def etag(body: bytes) -> str:
    """A strong validator of exactly these bytes."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def is_held_already(if_none_match: str | None, tag: str) -> bool:
    """Whether an ``If-None-Match`` header names this validator; weak and strong are the same here, as the standard says."""
    if if_none_match is None:
        return False
    held = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return "*" in held or tag in held


def _known_language(tag: str) -> str | None:
    return _LANGUAGES.get(tag.strip().replace("_", "-").split("-", 1)[0].lower())


def _liking(media: str, accept: str) -> float:
    """The weight of the most specific range that covers the type."""
    ranges = (media, f"{media.split('/', maxsplit=1)[0]}/*", "*/*")
    weights = dict(_weighted(accept))
    return next((weights[each] for each in ranges if each in weights), 0.0)


def _weighted(header: str) -> Iterator[tuple[str, float]]:
    for part in header.split(","):
        value, *parameters = (piece.strip() for piece in part.split(";"))
        if value:
            yield value.lower(), _weight(parameters)


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, number = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                weight = float(number)
            except ValueError:
                return 0.0
            return weight if math.isfinite(weight) else 0.0
    return 1.0
