"""The languages of the pages: bokmål, nynorsk and English. English stands in the templates; the others in `locale/<language>/*.po`.

A message that has no translation is shown in English; a test keeps that from happening.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from babel.messages.pofile import read_po

LANGUAGES: Final[Mapping[str, str]] = {"nb": "Bokmål", "nn": "Nynorsk", "en": "English"}
"""What each language calls itself, by its code, in the order in which they are offered."""

FALLBACK: Final = "nb"
"""For readers who have said nothing and whose browser asks for none of ours."""

# Browsers say Norwegian, or only one of its forms; Danes and Swedes read bokmål more easily than English.
_ASKED_FOR: Final = {"nb": "nb", "no": "nb", "nn": "nn", "en": "en", "da": "nb", "sv": "nb"}


@dataclass(frozen=True, slots=True)
class Words:
    """The messages of one language."""

    language: str
    _single: Mapping[str, str]
    _plural: Mapping[str, tuple[str, str]]

    def gettext(self, message: str) -> str:
        """The message in this language."""
        return self._single.get(message, message)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """The message for this count: all three languages know one and many."""
        forms = self._plural.get(one, (one, many))
        return forms[0] if count == 1 else forms[1]


@cache
def words(language: str) -> Words:
    """The messages of a language; of English for one we do not have."""
    single: dict[str, str] = {}
    plural: dict[str, tuple[str, str]] = {}
    folder = resources.files(__package__).joinpath("locale", language)
    files = [file for file in folder.iterdir() if file.name.endswith(".po")] if folder.is_dir() else []
    for file in sorted(files, key=lambda file: file.name):
        with file.open("rb") as content:
            for message in read_po(content):
                match message.id, message.string:
                    case (str(one), _), (str(translated), str(translated_many)):
                        plural[one] = (translated, translated_many)
                    case str(one), str(translated) if one and translated:
                        single[one] = translated
                    case _:
                        continue
    return Words(language, single, plural)


def chosen_language(
    *, saved: str | None, cookie: str | None, accepted: str | None, usual: str | None = None
) -> str:
    """The language for a reader: the one they saved, the one they chose in this browser, their browser's, their organisation's."""
    for choice in (saved, cookie, _of_browser(accepted or ""), usual):
        if choice is not None and choice in LANGUAGES:
            return choice
    return FALLBACK


def _of_browser(accepted: str) -> str | None:
    """The best of ours by `Accept-Language`; None where it names none of them."""
    best: tuple[float, str] | None = None
    for part in accepted.split(",")[:20]:
        tag, _, rest = part.partition(";")
        language = _ASKED_FOR.get(tag.strip().lower().partition("-")[0])
        weight = _weight(rest)
        if language is not None and weight > 0 and (best is None or weight > best[0]):
            best = (weight, language)
    return None if best is None else best[1]


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
