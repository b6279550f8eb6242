"""An export as a document: JSON for programs, and a page of HTML that people can read, print and keep. It asks nobody for anything."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib import resources
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from jinja2 import Environment, PackageLoader, StrictUndefined

from peerpause.notifications.texts import reason_labels
from peerpause.privacy.personal_data import PersonExport
from peerpause.privacy.texts import DOCUMENT_WORDS, DocumentWords

_STYLE: Final = (
    resources.files(__name__.rpartition(".")[0]).joinpath("templates/export.css").read_text("utf-8")
)
_PAGES: Final = Environment(
    loader=PackageLoader("peerpause.privacy"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_SHOWN_IN: Final = ZoneInfo("Europe/Oslo")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_REASONS: Final = frozenset({"reason", "pause_reason", "reason_code"})


def to_json(export: PersonExport) -> str:
    """The whole export as JSON text."""
    return json.dumps(export.content, ensure_ascii=False, indent=2) + "\n"


def to_html(export: PersonExport, *, language: str | None = None) -> str:
    """The export as a page in ``language`` (nb, nn or en), by default the person's own.

    Ids, which tell a reader nothing, are left to the JSON; so are tables that hold nothing about the person.
    """
    words = DOCUMENT_WORDS.get(language or export.language, DOCUMENT_WORDS["nb"])
    return _PAGES.get_template("export.html").render(
        words=words,
        style=_Trusted(_STYLE),
        made_at=_shown(export.content["exported_at"], words),
        organisations=", ".join(each["name"] for each in export.content["organisations"]),
        sections=[
            (words.sections.get(name, name), [list(_facts(row, words)) for row in export.sections[name]])
            for name in (*words.sections, *(export.sections.keys() - words.sections.keys()))
            if export.sections.get(name)
        ],
    )


class _Trusted(str):
    """Our own style sheet, which goes into the page as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


def _facts(row: Mapping[str, Any], words: DocumentWords) -> Iterator[tuple[str, str]]:
    """Label and value of everything in a row that tells a reader anything, in the order of the words."""
    order = {name: place for place, name in enumerate(words.fields)}
    for name, value in sorted(row.items(), key=lambda each: (order.get(each[0], len(order)), each[0])):
        if value in (None, [], {}) or _is_id(name):
            continue
        if isinstance(value, Mapping):
            yield from _facts({key: inner for key, inner in value.items() if key not in row}, words)
        else:
            yield words.fields.get(name, name), _value(name, value, words)


def _is_id(name: str) -> bool:
    return name in {"id", "deep_link"} or (name.endswith("_id") and name != "external_id")


def _value(name: str, value: object, words: DocumentWords) -> str:
    if name in _REASONS:
        return reason_labels(words.language).get(str(value), str(value))
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    if isinstance(value, bool):
        return words.yes if value else words.no
    return words.values.get(str(value)) or _shown(str(value), words)


def _shown(value: str, words: DocumentWords) -> str:
    """Moments and days as people write them; everything else as it is."""
    if _MOMENT.fullmatch(value):
        moment = datetime.fromisoformat(value).astimezone(_SHOWN_IN)
        return str(format_datetime(moment, "d. MMMM y HH:mm", locale=words.language))
    if _DAY.fullmatch(value):
        return str(format_date(datetime.fromisoformat(value), "d. MMMM y", locale=words.language))
    return value
