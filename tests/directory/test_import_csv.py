"""CSV as spreadsheets write it: whatever the separator, encoding and line ending, the same cells come out."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peerpause.directory import csv_files
from peerpause.directory.csv_files import ImportFile, Table, Unreadable, read_table
from peerpause.directory.findings import Problem

_CELL = st.text(
    # What the reader itself changes on purpose: control characters, blanks at the ends, decomposed letters.
    st.characters(
        codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp", "Mn", "Mc", "Lo", "Lm", "Cn", "So")
    ),
    min_size=1,
    max_size=12,
).filter(lambda text: text == text.strip() and not text.startswith("\ufeff"))


def _read(content: bytes | str) -> Table:
    return read_table(ImportFile("file.csv", content if isinstance(content, bytes) else content.encode()))


def _refusal(content: bytes) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        _read(content)
    return caught.value


def _cells(table: Table) -> list[tuple[str, ...]]:
    return [row.cells for row in table.rows]


@given(
    rows=st.lists(st.lists(_CELL, min_size=2, max_size=2), min_size=1, max_size=6),
    separator=st.sampled_from(",;\t"),
    line_end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_it_reads_back_what_a_spreadsheet_wrote(
    rows: list[list[str]], separator: str, line_end: str, quoting: int, encoding: str
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, lineterminator=line_end, quoting=quoting)  # type: ignore[arg-type]  # typeshed wants a literal
    writer.writerow(["chapter", "name"])
    writer.writerows(rows)

    table = _read(out.getvalue().encode(encoding))

    expected = [tuple(unicodedata.normalize("NFC", cell) for cell in row) for row in rows]
    assert table.header.cells == ("chapter", "name")
    assert _cells(table) == expected


def test_it_counts_lines_as_an_editor_does_past_blank_ones_and_cells_of_several_lines() -> None:
    table = _read('chapter;name\r\n\r\nnord;"Nord\r\nog øst"\r\n;;;\r\nsør;Sør;;\r\n')

    assert [(row.line, row.cells[0]) for row in table.rows] == [(3, "nord"), (6, "sør")]


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;"])
def test_it_believes_a_separator_line_and_still_counts_it(first: str) -> None:
    table = _read(f"{first}\r\nchapter;name, long\r\nnord;Nord\r\n")

    assert table.header.cells == ("chapter", "name, long")
    assert [row.line for row in table.rows] == [3]


def test_it_is_not_misled_by_separators_inside_quotation_marks() -> None:
    assert _read('"a;b;c",name\n1,2\n').header.cells == ("a;b;c", "name")


def test_it_takes_a_letter_with_a_separate_ring_for_the_letter() -> None:
    assert _cells(_read("chapter,name\na\u030as,\u00a0A\u030as\u00a0by\n")) == [("ås", "Ås by")]


def test_it_refuses_windows_1252_and_says_in_which_line_and_what_to_do() -> None:
    finding = _refusal("chapter;name\r\nsor;Sør\r\n".encode("cp1252")).finding

    assert (finding.at.line, finding.problem) == (2, Problem.UNREADABLE)
    assert "CSV UTF-8" in finding.hint


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04workbook",
        b"chapter,name\na\x00,b\n",
        b"\xff\xfea",
        b'chapter,name\nnord,"Nord\n',
        b'a,b\n"x"y,1\n',
    ],
    ids=["workbook", "NUL", "half a character", "open quotation mark", "text behind a quotation mark"],
)
def test_it_refuses_what_is_not_csv_text(content: bytes) -> None:
    assert _refusal(content).finding.problem is Problem.UNREADABLE


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\r\n;;\r\n"])
def test_it_refuses_a_file_with_nothing_in_it(content: bytes) -> None:
    assert _refusal(content).finding.problem is Problem.EMPTY


def test_it_refuses_more_bytes_than_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_files, "MAX_BYTES", 10)
    assert _refusal(b"chapter,name\n").finding.problem is Problem.TOO_LARGE


def test_it_refuses_more_lines_than_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_files, "MAX_LINES", 2)
    assert len(_read("a,b\n1,2\n").rows) == 1
    assert _refusal(b"a,b\n1,2\n3,4\n").finding.problem is Problem.TOO_LARGE
