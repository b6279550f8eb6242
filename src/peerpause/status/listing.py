"""A chapter's mentors and a mentor's history as lists: which order, which filters, and where a page goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from peerpause.database.paging import not_a_cursor, read_cursor, read_id, read_moment, write_cursor
from peerpause.database.session import Step
from peerpause.status.records import ListedMentor
from peerpause.status.rules import MentorStatus

MentorOrder: TypeAlias = Literal[
    "name", "-name", "status", "-status", "paused_at", "-paused_at",
    "expected_return_on", "-expected_return_on", "updated_at", "-updated_at",
]  # fmt: skip

_WORDS: Final = ("name", "status")
_NONE: Final = ""  # of a date a mentor does not have


@dataclass(frozen=True, slots=True)
class MentorList:
    """Which of a chapter's mentors, in which order. A cursor of one order is none of another."""

    chapter_id: UUID
    status: MentorStatus | None = None
    search: str | None = None
    sort: MentorOrder = "name"

    def page(self, *, limit: int, cursor: str | None) -> Step:
        """The question for one page. Raises ``InvalidArgument`` for a cursor that is none of this list."""
        asked = {
            "chapter_id": self.chapter_id,
            "status": None if self.status is None else self.status.value,
            "search": self.search or None,
            "limit": limit,
        }
        word, moment, mentor_id = self._place(cursor)
        if self.sort == "name":
            # The usual order has an index of its own to read from.
            return Step("list_chapter_mentors", {**asked, "after_name": word, "after_id": mentor_id})
        place = {"after_word": word, "after_moment": moment, "after_id": mentor_id}
        return Step(
            "sort_chapter_mentors",
            {**asked, "sort": self._column, "descending": self.sort.startswith("-"), **place},
        )

    def cursor_behind(self, mentor: ListedMentor) -> str:
        """Where the page behind this mentor begins."""
        return write_cursor(self.sort, self._key(mentor), mentor.mentor_id)

    @property
    def _column(self) -> str:
        return self.sort.removeprefix("-")

    def _key(self, mentor: ListedMentor) -> str | datetime:
        match self._column:
            case "name":
                return mentor.display_name
            case "status":
                return mentor.status.value
            case "expected_return_on":
                day = mentor.expected_return_on
                return _NONE if day is None else datetime.combine(day, time(), UTC)
            case "paused_at":
                return mentor.paused_at or _NONE
            case _:
                return mentor.updated_at

    def _place(self, cursor: str | None) -> tuple[str | None, datetime | None, UUID | None]:
        if cursor is None:
            return None, None, None
        sort, key, mentor_id = read_cursor(cursor, length=3)
        if sort != self.sort:
            raise not_a_cursor()
        if self._column in _WORDS:
            return key, None, read_id(mentor_id)
        return None, None if key == _NONE else read_moment(key), read_id(mentor_id)


@dataclass(frozen=True, slots=True)
class HistoryList:
    """Which of a mentor's changes, in which order: of a period from ``since`` until before ``until``, of a kind, by whom."""

    mentor_id: UUID
    new_status: MentorStatus | None = None
    reason: str | None = None
    by: Literal["system", "people"] | None = None
    since: datetime | None = None
    until: datetime | None = None
    oldest_first: bool = False

    def page(self, *, limit: int, cursor: str | None) -> Sequence[Step]:
        """The questions for one page: whether there is such a mentor, who is refused if not, and the changes."""
        after, after_id = read_cursor(cursor, length=2) if cursor is not None else (None, None)
        parameters: Mapping[str, Any] = {
            "mentor_id": self.mentor_id,
            "new_status": None if self.new_status is None else self.new_status.value,
            "reason": self.reason,
            "by": self.by,
            "since": self.since,
            "until": self.until,
            "oldest_first": self.oldest_first,
            "after": None if after is None else read_moment(after),
            "after_id": None if after_id is None else read_id(after_id),
            "limit": limit,
        }
        return (
            Step("read_mentor_status", {"mentor_id": self.mentor_id}),
            Step("list_mentor_history", parameters),
        )
