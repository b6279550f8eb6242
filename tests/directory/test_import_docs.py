"""docs/import.md says of columns and findings what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from peerpause.directory.columns import LAYOUTS, FileKind
from peerpause.directory.csv_files import MAX_BYTES, MAX_LINES
from peerpause.directory.findings import HARMLESS, Problem

_TEXT = (Path(__file__).parents[2] / "docs" / "import.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", FileKind)
def test_it_lists_the_columns_of_each_kind_of_file(kind: FileKind) -> None:
    section = _TEXT.split(f"### {kind.value.capitalize()}\n", 1)[1].split("\n#", 1)[0]
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|([^|]*)\|", section, re.MULTILINE)

    told = [(name, tuple(re.findall(r"`(\w+)`", also)), mark.strip() == "●") for name, also, mark in rows]

    assert told == [(column.name, column.aliases, column.required) for column in LAYOUTS[kind].columns]


def test_it_lists_every_finding_and_whether_it_blocks() -> None:
    section = _TEXT.split("## What can be wrong\n", 1)[1]
    rows = re.findall(r"^\| `(\w+)` \| (yes|no) \|", section, re.MULTILINE)

    assert rows == [(problem.value, "no" if problem in HARMLESS else "yes") for problem in Problem]


def test_it_tells_the_limits() -> None:
    assert f"{MAX_BYTES // 1024**2} MB and {MAX_LINES} lines" in _TEXT
