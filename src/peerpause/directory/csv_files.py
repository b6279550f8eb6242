"""Reads CSV as spreadsheets write it: comma, semicolon or tab, with or without a byte order mark, any line ending, blank lines.

Knows nothing of what the columns mean. A file that cannot be read safely is refused with advice instead of being guessed at: a
wrong guess at the encoding would garble the names of real people.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from peerpause.directory.findings import Finding, Place, Problem

MAX_BYTES: Final = 64 * 1024 * 1024
"""The largest file that is read, in bytes."""

MAX_LINES: Final = 200_000
"""The most lines that one file may have."""

_SEPARATORS: Final = (",", ";", "\t")
_SEPARATOR_LINE: Final = re.compile(r'"?sep=([,;\t])"?[,;\t]*\r?\n', re.IGNORECASE)
_SAVE_AS_UTF8: Final = "In Excel choose File, Save As, “CSV UTF-8”; in LibreOffice tick “Edit filter settings” and choose Unicode (UTF-8)."


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A file to import: the name it is called by in findings, and its bytes."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of cells, stripped of surrounding blanks; ``line`` is where it starts in the file."""

    line: int
    cells: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Table:
    """A file's header and the rows that hold anything."""

    file: str
    header: Row
    rows: tuple[Row, ...]


class Unreadable(Exception):
    """Carries the finding that says why a file cannot be read."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def read_table(file: ImportFile) -> Table:
    """Read a file's cells. Raises Unreadable when that is not safely possible."""
    text = _decode(file)
    rows = _rows(file.name, text)
    header = next(rows, None)
    if header is None:
        raise _unreadable(
            file.name, 0, "The file is empty.", "Start it with a line of column names.", Problem.EMPTY
        )
    return Table(file.name, header, tuple(rows))


def _decode(file: ImportFile) -> str:
    content = file.content
    if len(content) > MAX_BYTES:
        raise _unreadable(
            file.name,
            0,
            f"The file is larger than {MAX_BYTES // 1024**2} MB.",
            "Split it; every part needs the header line.",
            Problem.TOO_LARGE,
        )
    if content.startswith(b"PK\x03\x04"):
        raise _unreadable(file.name, 0, "This is a spreadsheet workbook, not CSV.", _SAVE_AS_UTF8)
    is_utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = _decode_utf16(file) if is_utf16 else _decode_utf8(file)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise _unreadable(
            file.name, line, "The file holds NUL characters, so it is not CSV text.", _SAVE_AS_UTF8
        )
    # Some systems write å as a + ring, and spreadsheets write fixed spaces: without this the same code could be two.
    return unicodedata.normalize("NFC", text).replace("\u00a0", " ").replace("\u202f", " ")


def _decode_utf16(file: ImportFile) -> str:
    try:
        return file.content.decode("utf-16")
    except UnicodeDecodeError:
        raise _unreadable(file.name, 0, "The file is damaged UTF-16.", _SAVE_AS_UTF8) from None


def _decode_utf8(file: ImportFile) -> str:
    try:
        return file.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(
            file.name,
            file.content.count(b"\n", 0, error.start) + 1,
            "The file is not UTF-8. It looks like an older encoding such as Windows-1252, in which æ, ø and å cannot be "
            "told for certain.",
            _SAVE_AS_UTF8,
        ) from None


def _rows(name: str, text: str) -> Iterator[Row]:
    separator, text, skipped = _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = skipped + 1
    try:
        for cells in reader:
            if skipped + reader.line_num > MAX_LINES:
                raise _unreadable(
                    name,
                    0,
                    f"The file has more than {MAX_LINES} lines.",
                    "Split it; every part needs the header line.",
                    Problem.TOO_LARGE,
                )
            stripped = tuple(cell.strip() for cell in cells)
            if any(stripped):
                yield Row(line, stripped)
            line = skipped + reader.line_num + 1
    except csv.Error:
        raise _unreadable(
            name,
            line,
            "From this line on the quotation marks do not match.",
            'Write a quotation mark inside a quoted cell twice (""), and close every cell that starts with one.',
        ) from None


def _separator(text: str) -> tuple[str, str, int]:
    """The separator, the text from where the cells begin, and the number of lines before that."""
    if told := _SEPARATOR_LINE.match(text):
        return told[1], text[told.end() :], 1
    header = next((line for line in io.StringIO(text) if line.strip(",;\t\r\n ")), text)
    outside_quotes = "".join(header.split('"')[::2])
    return max(_SEPARATORS, key=outside_quotes.count), text, 0


def _unreadable(
    file: str, line: int, message: str, hint: str, problem: Problem = Problem.UNREADABLE
) -> Unreadable:
    return Unreadable(Finding(Place(file, line), None, problem, message, hint))
