"""Which argument a refusal is about: the table in Python and the sentences in SQL belong together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from peerpause.database.errors import ARGUMENTS
from tests.project.sources import ROOT

_RAISED = re.compile(r"raise exception\s+'((?:[^']|'')*)'")
SENTENCES = sorted(
    {
        sentence.replace("''", "'")
        for file in Path(ROOT, "src/peerpause/sql/objects/functions").glob("*.sql")
        for sentence in _RAISED.findall(file.read_text(encoding="utf-8"))
    }
)


@pytest.mark.parametrize(
    "beginning", [beginning for beginnings in ARGUMENTS.values() for beginning in beginnings]
)
def test_the_database_says_each_sentence(beginning: str) -> None:
    assert any(sentence.startswith(beginning) for sentence in SENTENCES)


def test_no_sentence_is_about_two_arguments() -> None:
    for sentence in SENTENCES:
        named = [
            name
            for name, beginnings in ARGUMENTS.items()
            if any(sentence.startswith(each) for each in beginnings)
        ]
        assert len(named) < 2, sentence


def test_there_are_sentences() -> None:
    assert len(SENTENCES) > 40
