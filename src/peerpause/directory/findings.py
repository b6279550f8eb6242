"""What is wrong with a file that somebody wants to import, told so that they can put it right.

A finding names the place and what to do. It never repeats what a person's cell holds: no name, no e-mail address, no member number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Problem(StrEnum):
    """The stable code of what is wrong."""

    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    EMPTY = "empty"
    UNKNOWN_KIND = "unknown_kind"
    MISSING_COLUMN = "missing_column"
    REPEATED_COLUMN = "repeated_column"
    UNKNOWN_COLUMN = "unknown_column"
    EXTRA_CELLS = "extra_cells"
    MISSING_VALUE = "missing_value"
    BAD_VALUE = "bad_value"
    BAD_DATE = "bad_date"
    BAD_TEXT = "bad_text"
    FORMULA = "formula"
    DUPLICATE = "duplicate"
    CONTRADICTION = "contradiction"
    NOT_FOR_ROLE = "not_for_role"
    UNKNOWN_ORGANISATION = "unknown_organisation"
    UNKNOWN_CHAPTER = "unknown_chapter"
    UNKNOWN_PERSON = "unknown_person"
    TOO_MANY_CHAPTERS = "too_many_chapters"
    ILLEGAL_MOVE = "illegal_move"
    STATUS_KEPT = "status_kept"
    RETURN_DATE_DROPPED = "return_date_dropped"
    REFUSED_BY_DATABASE = "refused_by_database"
    NOT_YOURS = "not_yours"


HARMLESS: Final[frozenset[Problem]] = frozenset(
    {Problem.UNKNOWN_COLUMN, Problem.STATUS_KEPT, Problem.RETURN_DATE_DROPPED}
)
"""Worth telling, but no reason to refuse the import."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, counted from 1 as an editor counts; line 0 means the file as a whole."""

    file: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or worth knowing: where, what, and what to do about it.

    ``column`` is the column's English name, or None where the whole line or file is meant.
    """

    at: Place
    column: str | None
    problem: Problem
    message: str
    hint: str

    @property
    def blocks(self) -> bool:
        """True when nothing can be imported before this is put right."""
        return self.problem not in HARMLESS

    @property
    def where(self) -> str:
        """The place in words: ``people.csv, line 7, column email``."""
        parts = [self.at.file]
        if self.at.line:
            parts.append(f"line {self.at.line}")
        if self.column is not None:
            parts.append(f"column {self.column}")
        return ", ".join(parts)

    def to_json(self) -> dict[str, str | int | bool | None]:
        """The finding as JSON values; ``line`` is null where the file as a whole is meant."""
        return {
            "file": self.at.file,
            "line": self.at.line or None,
            "column": self.column,
            "problem": self.problem.value,
            "blocks": self.blocks,
            "message": self.message,
            "hint": self.hint,
        }


def in_reading_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings file by file, line by line."""
    return tuple(sorted(findings, key=lambda finding: (finding.at.file, finding.at.line)))
