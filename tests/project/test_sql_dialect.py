"""One dialect of SQL, also inside function bodies where the SQL linter does not look: lower case, two spaces, no tabs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.sources import PACKAGE, ROOT

_FILES = sorted((PACKAGE / "sql").rglob("*.sql"))
_KEYWORDS = (
    "add|all|alter|and|as|begin|between|by|case|check|column|commit|constraint|create|cross|declare|default|delete|desc|"
    "distinct|do|drop|else|elsif|end|exception|exists|for|foreign|from|function|grant|group|having|if|in|index|inner|"
    "insert|into|is|join|key|language|lateral|left|limit|loop|not|null|on|or|order|over|partition|perform|policy|primary|"
    "raise|references|replace|return|returning|returns|revoke|right|rollback|schema|security|select|set|table|then|to|"
    "trigger|union|unique|update|using|values|view|when|where|with"
)
_SHOUTED = re.compile(rf"\b({_KEYWORDS.upper()})\b")
# Comments, quoted text and quoted names, in which anything may stand. A dollar-quoted body is code.
_NOT_CODE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"[^\"]*\"", re.DOTALL)


@pytest.mark.parametrize("path", _FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_it_is_written_in_our_dialect(path: Path) -> None:
    assert list(slips_in(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("text", "slip"),
    [
        ("create function f() as $$\n  SELECT 1;\n$$;\n", "2: SELECT in capitals"),
        ("select 1;\n\tselect 2;\n", "2: a tab"),
        ("select\n   1;\n", "2: indented by 3"),
        ("select 1; \n", "1: space at the end"),
    ],
)
def test_it_spots_a_slip(text: str, slip: str) -> None:
    assert list(slips_in(text)) == [slip]


def test_it_leaves_comments_and_quoted_text_alone() -> None:
    assert list(slips_in("-- FOR UPDATE, as\n--    drawn\nselect 'NOT NULL, or\n   so' as \"ALL\";\n")) == []


def slips_in(text: str) -> Iterator[str]:
    """Each departure from the dialect, as `line: what`."""
    code = _NOT_CODE.sub(_blank, text)
    for number, (line, written) in enumerate(zip(code.split("\n"), text.split("\n"), strict=True), start=1):
        if shouted := _SHOUTED.search(line):
            yield f"{number}: {shouted[1]} in capitals"
        if "\t" in line:
            yield f"{number}: a tab"
        elif line.strip(" ~") and (indent := len(line) - len(line.lstrip(" "))) % 2:
            yield f"{number}: indented by {indent}"
        if written != written.rstrip():
            yield f"{number}: space at the end"


def _blank(match: re.Match[str]) -> str:
    """As many characters that mean nothing, so that lines and columns stay."""
    return re.sub(r"[^\n]", "~", match[0])
