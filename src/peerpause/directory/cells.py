"""Turns the cells of one row into values, and notes what is wrong with each instead of stopping at the first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Final, TypeVar
from uuid import UUID
from zoneinfo import available_timezones

from peerpause.directory.columns import Header
from peerpause.directory.csv_files import Row
from peerpause.directory.findings import Finding, Place, Problem

LIST_SEPARATOR: Final = "|"

_T = TypeVar("_T")

_MAX_CODE: Final = 100
_MAX_TEXT: Final = 200
# What a spreadsheet runs instead of showing it, once somebody exports our data and opens the file there.
_FORMULA_STARTS: Final = ("=", "+", "-", "@")
_ISO_DATE: Final = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})")
_NORWEGIAN_DATE: Final = re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})")
_EMAIL: Final = re.compile(r"[^@\s,;<>|]+@[^@\s,;<>|.]+(\.[^@\s,;<>|.]+)+")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# The two check digits of Norway's eleven.
_IDENTITY_WEIGHTS: Final = ((3, 7, 6, 1, 8, 9, 4, 5, 2, 1), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1))
_TIME_ZONES: Final = frozenset(available_timezones())


class Cells:
    """One row's cells, asked for by column. What is wrong is added to ``findings`` and a harmless value handed out.

    A column that the file does not have reads as an empty cell.
    """

    __slots__ = ("_cells", "_positions", "at", "findings")

    def __init__(self, file: str, header: Header, row: Row) -> None:
        self.at = Place(file, row.line)
        self.findings: list[Finding] = []
        self._positions: Mapping[str, int] = header.positions
        self._cells = row.cells

    def refuse_strays(self, header: Row) -> None:
        """Note it when the row holds something beyond the header's last name, or under an empty one."""
        named = [bool(cell) for cell in header.cells]
        for position, cell in enumerate(self._cells):
            if cell and not (position < len(named) and named[position]):
                self.refuse(
                    None,
                    Problem.EXTRA_CELLS,
                    "The line has cells that no column of the header names.",
                    "Put cells that contain the separator in quotation marks, or name the column.",
                )
                return

    def refuse(self, column: str | None, problem: Problem, message: str, hint: str) -> None:
        """Note a finding at this row."""
        self.findings.append(Finding(self.at, column, problem, message, hint))

    def text(self, column: str) -> str:
        """A text that must be there."""
        return self._required(column, self.optional_text(column))

    def optional_text(self, column: str) -> str | None:
        """A text of one line, or None where the cell is empty."""
        return self._sound_text(column, self._cell(column), longest=_MAX_TEXT)

    def code(self, column: str) -> str:
        """The organisation's own code for something, which must be there."""
        return self._required(column, self.optional_code(column))

    def person(self, column: str) -> str:
        """The code of a person, which must be there and must not be one that the state gave them."""
        if _is_national_identity_number(self._cell(column)):
            self.refuse(
                column,
                Problem.BAD_VALUE,
                "This looks like a national identity number.",
                "Use a code of your own, such as a member number.",
            )
        return self.code(column)

    def optional_code(self, column: str) -> str | None:
        """A code, or None where the cell is empty."""
        return self._sound_text(column, self._code_cell(column), longest=_MAX_CODE)

    def codes(self, column: str) -> tuple[str, ...]:
        """The codes of a list, each once, in the order in which they stand."""
        parts = (part.strip() for part in self._cell(column).split(LIST_SEPARATOR))
        sound = (self._sound_text(column, part, longest=_MAX_CODE) for part in parts)
        return tuple(dict.fromkeys(code for code in sound if code is not None))

    def choice(self, column: str, words: Mapping[str, _T]) -> _T | None:
        """One of a few words, in any case, or None where the cell is empty."""
        cell = self._cell(column)
        if not cell:
            return None
        found = words.get(cell.casefold())
        if found is None:
            self.refuse(
                column,
                Problem.BAD_VALUE,
                "The word is not one of those known here.",
                f"Write one of: {', '.join(words)}.",
            )
        return found

    def day(self, column: str) -> date:
        """A day that must be there."""
        if not self._cell(column):
            self._required(column, None)
        return self.optional_day(column) or date.min

    def optional_day(self, column: str) -> date | None:
        """A day, or None where the cell is empty."""
        cell = self._cell(column)
        if not cell:
            return None
        parts = _ISO_DATE.fullmatch(cell) or _NORWEGIAN_DATE.fullmatch(cell)
        try:
            found = date(int(parts["year"]), int(parts["month"]), int(parts["day"])) if parts else None
        except ValueError:
            found = None
        if found is None or not 1900 <= found.year <= 2200:
            self.refuse(
                column,
                Problem.BAD_DATE,
                "This is no day of the years 1900 to 2200.",
                "Write 2026-11-20 or 20.11.2026.",
            )
            return None
        return found

    def optional_email(self, column: str) -> str | None:
        """An e-mail address, or None where the cell is empty."""
        return self._matching(
            column, _EMAIL, "This is no e-mail address.", "Write one address like name@host.example."
        )

    def optional_uuid(self, column: str) -> UUID | None:
        """The id of an account, or None where the cell is empty."""
        found = self._matching(
            column,
            _UUID,
            "This is no account id.",
            "Copy the id of the person's account (a UUID), or leave the cell empty.",
        )
        return UUID(found) if found else None

    def optional_time_zone(self, column: str) -> str | None:
        """A time zone's name, or None where the cell is empty."""
        cell = self._cell(column)
        if cell and cell not in _TIME_ZONES:
            self.refuse(
                column, Problem.BAD_VALUE, "There is no such time zone.", "Write a name like Europe/Oslo."
            )
            return None
        return cell or None

    def _cell(self, column: str) -> str:
        position = self._positions.get(column, -1)
        # Spreadsheets leave out empty cells at the end of a line.
        return self._cells[position] if 0 <= position < len(self._cells) else ""

    def _code_cell(self, column: str) -> str:
        cell = self._cell(column)
        if LIST_SEPARATOR in cell:
            self.refuse(
                column,
                Problem.BAD_VALUE,
                f"The code holds “{LIST_SEPARATOR}”, which separates the entries of lists.",
                "Write one code without it.",
            )
            return ""
        return cell

    def _required(self, column: str, value: str | None) -> str:
        if value is None and not self._refused(column):
            self.refuse(column, Problem.MISSING_VALUE, "The cell is empty.", "Fill it in.")
        return value or ""

    def _refused(self, column: str) -> bool:
        return any(finding.column == column for finding in self.findings)

    def _sound_text(self, column: str, cell: str, *, longest: int) -> str | None:
        if not cell:
            return None
        if cell.startswith(_FORMULA_STARTS):
            self.refuse(
                column,
                Problem.FORMULA,
                "The cell starts like a formula (=, +, - or @).",
                "Take that sign away; a spreadsheet would run it as soon as somebody opens an export.",
            )
        elif not cell.isprintable():
            self.refuse(
                column,
                Problem.BAD_TEXT,
                "The cell holds a line break or an invisible character.",
                "Type it anew in one line.",
            )
        elif len(cell) > longest:
            self.refuse(
                column,
                Problem.BAD_TEXT,
                f"The cell is longer than {longest} characters.",
                "Shorten it, or look whether a quotation mark is missing.",
            )
        else:
            return cell
        return None

    def _matching(self, column: str, form: re.Pattern[str], message: str, hint: str) -> str | None:
        cell = self._cell(column)
        if not cell:
            return None
        if len(cell) > _MAX_TEXT or form.fullmatch(cell) is None or cell.startswith(_FORMULA_STARTS):
            self.refuse(column, Problem.BAD_VALUE, message, hint)
            return None
        return cell


def _is_national_identity_number(cell: str) -> bool:
    if not (len(cell) == 11 and cell.isascii() and cell.isdecimal()):
        return False
    digits = [int(digit) for digit in cell]
    return all(
        sum(weight * digit for weight, digit in zip(weights, digits, strict=False)) % 11 == 0
        for weights in _IDENTITY_WEIGHTS
    )
