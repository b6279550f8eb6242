"""Tables stay tables for screen readers where a narrow screen shows their rows as cards: browsers forget what is displayed as a block."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.project.sources import PACKAGE

_TEMPLATES = PACKAGE / "web" / "templates"
_ROLES = {
    "table": {"table"},
    "thead": {"rowgroup"},
    "tbody": {"rowgroup"},
    "tr": {"row"},
    "th": {"rowheader", "columnheader"},
    "td": {"cell"},
}
_TAG = re.compile(r"<(table|thead|tbody|tr|th|td)\b([^>]*)>")
_WITH_TABLES = sorted(path for path in _TEMPLATES.rglob("*.html") if "<table" in path.read_text("utf-8"))


@pytest.mark.parametrize("path", _WITH_TABLES, ids=lambda path: str(path.relative_to(_TEMPLATES)))
def test_every_part_of_a_table_says_what_it_is(path: Path) -> None:
    parts = _TAG.findall(path.read_text("utf-8"))
    unsaid = [f"<{tag}{rest}>" for tag, rest in parts if _role(rest) not in _ROLES[tag]]
    assert unsaid == []


def test_a_part_that_does_not_is_found() -> None:
    assert _role(' scope="col"') == ""
    assert _role(' role="cell" data-label="When"') == "cell"


def _role(attributes: str) -> str:
    found = re.search(r'\brole="(\w+)"', attributes)
    return found[1] if found else ""
