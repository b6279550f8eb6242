"""A test that a page names is there: the tables of SECURITY.md cannot outlive what they promise."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.project.sources import ROOT

_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
_PAGES = (Path(ROOT, "SECURITY.md"), *sorted(Path(ROOT, "docs").glob("**/*.md")))
NAMED = sorted({named for page in _PAGES for named in _NAMED.findall(page.read_text(encoding="utf-8"))})


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_it_is_there(file: str, test: str) -> None:
    assert test in names_in(Path(ROOT, file))


def test_there_are_tables() -> None:
    assert len(NAMED) > 40


def names_in(file: Path) -> set[str]:
    """The names of the test functions of a file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
