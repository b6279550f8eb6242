"""A chapter's roster as bytes: JSON for programs, and a page of HTML to be shown by itself or within a website.

The page needs no script and asks nobody for anything else. Whatever a person wrote is shown as text.
"""

from __future__ import annotations

import base64
import hashlib
import json
from importlib import resources
from typing import Final

from babel import Locale, UnknownLocaleError
from jinja2 import Environment, PackageLoader, StrictUndefined

from peerpause.roster.roster import ChapterRoster, ListedMentor
from peerpause.roster.texts import PAGE_WORDS, PageWords

_STYLE: Final = (
    resources.files(__name__.rpartition(".")[0]).joinpath("templates/roster.css").read_text("utf-8")
)
_PAGES: Final = Environment(
    loader=PackageLoader("peerpause.roster"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)

PAGE_POLICY: Final = (
    "default-src 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors *"
)
"""The page's Content-Security-Policy: its own style and nothing else; any website may embed it."""


def to_json(roster: ChapterRoster) -> bytes:
    """The roster as JSON. The same roster is always the same bytes."""
    content = {
        "chapter": {"id": str(roster.chapter_id), "name": roster.chapter_name},
        "role_word": roster.role_word,
        "mentors": [
            {
                "id": str(mentor.mentor_id),
                "display_name": mentor.display_name,
                "languages": list(mentor.languages),
                "presentation": mentor.presentation,
                "contact": mentor.contact,
            }
            for mentor in roster.mentors
        ],
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def to_html(roster: ChapterRoster, *, language: str) -> bytes:
    """The roster as a page in ``language`` (nb, nn or en; bokmål for any other). The same roster is always the same bytes."""
    words = PAGE_WORDS.get(language, PAGE_WORDS["nb"])
    page = _PAGES.get_template("roster.html").render(
        words=words,
        heading=words.heading.format(role=roster.role_word or words.role, chapter=roster.chapter_name),
        style=_Trusted(_STYLE),
        mentors=[_shown(mentor, words) for mentor in roster.mentors],
    )
    return page.encode()


class _Trusted(str):
    """Our own style sheet, which goes into the page as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


def _shown(mentor: ListedMentor, words: PageWords) -> dict[str, str | None]:
    return {
        "display_name": mentor.display_name,
        "languages": ", ".join(_language_name(tag, words) for tag in mentor.languages),
        "contact": mentor.contact,
        "presentation": mentor.presentation,
    }


def _language_name(tag: str, words: PageWords) -> str:
    """What a language is called in the page's, or its tag where nobody has a name for it."""
    if tag in words.language_names:
        return words.language_names[tag]
    try:
        name = Locale.parse(tag, sep="-").get_display_name(words.language)
    except (UnknownLocaleError, ValueError):
        return tag
    return name or tag
