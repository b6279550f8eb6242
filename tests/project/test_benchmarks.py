"""Every benchmark says what it asks, how to ask it again and what was promised, and RESULTS.md holds no figure without its origin."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks import results
from benchmarks.budgets import BUDGETS, Budget
from benchmarks.question import Question, Report, Table
from benchmarks.spread import Rounds, Spread, alternating
from tests.project.sources import ROOT

_FILES = sorted((ROOT / "benchmarks").glob("bench_*.py"))
_SECTIONS = (
    re.split(r"(?m)^(?=## )", results.FILE.read_text(encoding="utf-8"))[1:] if results.FILE.exists() else []
)

each_file = pytest.mark.parametrize("file", _FILES, ids=lambda file: file.stem)


@each_file
def test_it_imports_without_those_it_compares_us_with(file: Path) -> None:
    module = _imported(file)
    assert callable(module.measure)
    assert isinstance(module.QUESTION, Question)


@each_file
def test_it_names_its_command(file: Path) -> None:
    question: Question = _imported(file).QUESTION
    assert f"bench_{question.number:02}_" in file.name
    assert question.command(full=False) == f"scripts/uv run python -m benchmarks.{file.stem}"
    assert question.command(full=True) == f"{question.command(full=False)} --full"


@each_file
def test_it_has_a_budget_or_says_why_there_is_none(file: Path) -> None:
    question: Question = _imported(file).QUESTION
    promised = {name for name, budget in BUDGETS.items() if budget.question == question.number}
    assert set(question.budgets) == promised
    assert bool(question.no_budget) != bool(promised)
    assert set(question.tried) <= promised


def test_each_question_is_asked_once() -> None:
    numbers = [_imported(file).QUESTION.number for file in _FILES]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize(
    "section", _SECTIONS, ids=lambda section: section.splitlines()[0].removeprefix("## ")
)
def test_a_result_names_command_machine_and_date(section: str) -> None:
    number = int(section[3 : section.index(".")])
    (question,) = (asked for file in _FILES if (asked := _imported(file).QUESTION).number == number)
    assert f"`{question.command(full=True)}`" in section or f"`{question.command(full=False)}`" in section
    assert re.search(r"^- machine: \d+ × ", section, re.MULTILINE)
    assert re.search(r"^- date: \d{4}-\d{2}-\d{2}$", section, re.MULTILINE)
    assert len(re.findall(r"^\*\*Budget (?:met|missed)\*\*: ", section, re.MULTILINE)) == len(
        question.budgets
    )


def test_a_section_replaces_its_own_and_leaves_the_others(tmp_path: Path) -> None:
    file = tmp_path / "RESULTS.md"
    for number, title in [(2, "second"), (10, "tenth"), (1, "first"), (2, "second again")]:
        results.replace_section(file, number, f"## {number}. {title}\n\nwhat it found\n")
    text = file.read_text(encoding="utf-8")
    assert re.findall(r"^## .*", text, re.MULTILINE) == ["## 1. first", "## 2. second again", "## 10. tenth"]
    assert text.count("what it found") == 3


def test_a_missed_budget_says_what_was_tried() -> None:
    question = Question(
        number=1,
        module="bench_01_example",
        title="Example",
        method="Two are compared.",
        budgets=("change-in-sql",),
        tried={"change-in-sql": "another index."},
    )
    assert BUDGETS["change-in-sql"].at_least is not None

    def written(ratio: float) -> str:
        report = Report(
            tables=[Table(["who", "how much"], [["ours", Spread.of([ratio])]])],
            measured={"change-in-sql": Spread.of([ratio])},
        )
        return results.section(question, report, full=False, machine="1 × machine", seconds=1)

    assert "**Budget missed**" in written(0.5)
    assert "What was tried: another index." in written(0.5)
    assert "**Budget met**" in written(0.9)
    assert "What was tried" not in written(0.9)


@pytest.mark.parametrize(
    "budget, kept, broken",
    [(Budget(1, "speed", at_least=5), 5.0, 4.9), (Budget(1, "delay", at_most=20, unit="ms"), 20.0, 20.1)],
    ids=["at least", "at most"],
)
def test_a_budget_is_kept_up_to_its_bound(budget: Budget, kept: float, broken: float) -> None:
    assert budget.is_met(Spread.of([kept]))
    assert not budget.is_met(Spread.of([broken]))


def test_a_ratio_compares_runs_of_the_same_round() -> None:
    rounds = Rounds({"ours": [10.0, 40.0, 30.0], "theirs": [5.0, 10.0, 10.0]})
    assert rounds.ratio("ours", to="theirs") == Spread(median=3.0, low=2.0, high=4.0)


def test_runs_alternate() -> None:
    order: list[str] = []

    def run(name: str) -> float:
        order.append(name)
        return 1.0

    alternating({"a": lambda: run("a"), "b": lambda: run("b")}, rounds=3)
    assert order == ["a", "b", "b", "a", "a", "b"]


def _imported(file: Path) -> ModuleType:
    return importlib.import_module(f"benchmarks.{file.stem}")
