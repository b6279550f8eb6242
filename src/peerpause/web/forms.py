"""What people send with a form: read field by field, with a sentence for each that is wrong, and kept so that nobody types twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Request
from starlette.datastructures import FormData

from peerpause.web.languages import Words

_LONGEST = 5000


@dataclass(slots=True)
class Form:
    """A form that was sent, or with nothing in it, one that is about to be filled in.

    Reading a field returns its value, or None and a sentence in ``problems`` under the field's name. ``values`` is what was
    typed, to be shown again as it was.
    """

    words: Words
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    lists: Mapping[str, list[str]] = field(default_factory=dict, repr=False)
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Whether nothing that was read was wrong."""
        return not self.problems

    def value(self, name: str, otherwise: str = "") -> str:
        """What was typed into a field."""
        return self.values.get(name, otherwise)

    def refuse(self, name: str, sentence: str) -> None:
        """Say what is wrong with a field; the first sentence stays."""
        self.problems.setdefault(name, sentence)

    def text(self, name: str, *, longest: int = _LONGEST) -> str | None:
        """Some text; None where there is none."""
        typed = self.values.get(name, "").replace("\r\n", "\n").strip()
        if "\0" in typed:
            self.refuse(name, self.words.gettext("This holds a character that cannot be stored."))
            return None
        if len(typed) > longest:
            self.refuse(
                name, self.words.gettext("Shorten this to %(count)s characters.") % {"count": longest}
            )
            return None
        return typed or None

    def required_text(self, name: str, sentence: str, *, longest: int = _LONGEST) -> str | None:
        """Some text that must be there; ``sentence`` says what is missing."""
        typed = self.text(name, longest=longest)
        if typed is None:
            self.refuse(name, sentence)
        return typed

    def choice(self, name: str, choices: Iterable[str], sentence: str) -> str | None:
        """One of the choices; ``sentence`` says that one must be made."""
        chosen = self.values.get(name, "")
        if chosen in set(choices):
            return chosen
        self.refuse(name, sentence)
        return None

    def day(self, name: str) -> date | None:
        """A day, as date fields send it (2026-12-31) or as people write it (31.12.2026); None where there is none."""
        typed = self.values.get(name, "").strip()
        if not typed:
            return None
        for form in ("%Y-%m-%d", "%d.%m.%Y"):
            try:
                return datetime.strptime(typed, form).date()
            except ValueError:
                continue
        self.refuse(name, self.words.gettext("Write the date as day.month.year, for example 31.12.2026."))
        return None

    def clock(self, name: str) -> time | None:
        """A time of day (14:05, 8.30); None where there is none."""
        typed = self.values.get(name, "").strip().replace(".", ":")
        if not typed:
            return None
        try:
            return time.fromisoformat(typed.zfill(5))
        except ValueError:
            self.refuse(name, self.words.gettext("Write the time as hours and minutes, for example 14:05."))
            return None

    def number(self, name: str, *, least: int, most: int) -> int | None:
        """A whole number within bounds; None where there is none."""
        typed = self.values.get(name, "").strip()
        if not typed:
            return None
        if typed.isascii() and typed.isdigit() and len(typed) < 10 and least <= int(typed) <= most:
            return int(typed)
        self.refuse(
            name,
            self.words.gettext("Write a whole number from %(least)s to %(most)s.")
            % {"least": least, "most": most},
        )
        return None

    def ids(self, name: str) -> list[UUID]:
        """The ids that were ticked, each once; what is no id is left out."""
        found: dict[UUID, None] = {}
        for each in self.lists.get(name, []):
            try:
                found[UUID(each)] = None
            except ValueError:
                continue
        return list(found)

    def is_ticked(self, name: str) -> bool:
        """Whether a box was ticked."""
        return name in self.values


def day_begins(day: date, zone: str) -> datetime:
    """The first moment of a day on an organisation's clock."""
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone))


async def read_form(request: Request, words: Words) -> Form:
    """The form that came with a request."""
    sent: FormData = await request.form(max_files=0, max_fields=2000)
    lists: dict[str, list[str]] = {}
    for name, value in sent.multi_items():
        if isinstance(value, str):
            lists.setdefault(name, []).append(value)
    return Form(words=words, values={name: values[-1] for name, values in lists.items()}, lists=lists)
