"""What a benchmark is: a question, how it is measured, and the report that becomes its section of RESULTS.md."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import results
from benchmarks.budgets import BUDGETS, Budget
from benchmarks.spread import Spread


@dataclass(frozen=True, slots=True)
class Question:
    """One question. ``module`` is the file's name without `.py`, ``method`` says who is compared, on what, and how it is known that
    all did the same work. ``no_budget`` is the reason where nothing was promised. ``tried`` says, for a budget that may be
    missed, what was tried; it is printed where the budget is missed.
    """

    number: int
    module: str
    title: str
    method: str
    budgets: tuple[str, ...] = ()
    no_budget: str = ""
    tried: Mapping[str, str] = field(default_factory=dict)

    @property
    def promised(self) -> tuple[tuple[str, Budget], ...]:
        """The budgets by their names."""
        return tuple((name, BUDGETS[name]) for name in self.budgets)

    def command(self, *, full: bool) -> str:
        """How to ask it again."""
        return f"scripts/uv run python -m benchmarks.{self.module}{' --full' if full else ''}"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a report: ``rows`` of cells, as many as ``head`` has."""

    head: Sequence[str]
    rows: Sequence[Sequence[object]]
    caption: str = ""


@dataclass(slots=True)
class Report:
    """What a measurement found: tables, remarks below them, and for each budget of the question what was measured."""

    tables: list[Table] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    measured: dict[str, Spread] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """How it is asked this time: in under a minute, or ``full``, as the committed results are."""

    full: bool

    def say(self, what: str) -> None:
        """Tell whoever waits what is going on."""
        print(f"   {what}", file=sys.stderr, flush=True)


class NotTheSameWorkError(Exception):
    """One of those compared did not do what it was measured for, so its figure says nothing."""


def verify(what: str, found: object, expected: object) -> None:
    """Make sure that the work was done: count the rows, and raise where the count is another."""
    if found != expected:
        raise NotTheSameWorkError(f"{what}: {found!r} where {expected!r} was expected")


def ask(question: Question, measure: Callable[[Run], Report], arguments: Sequence[str] | None = None) -> None:
    """Run a benchmark from the command line: measure, print the report, and write it into RESULTS.md."""
    parser = argparse.ArgumentParser(prog=question.command(full=False), description=question.title)
    parser.add_argument(
        "--full", action="store_true", help="take longer: more rounds, the sizes that were promised"
    )
    parser.add_argument(
        "--results", type=Path, default=results.FILE, help="the file whose section is replaced"
    )
    chosen = parser.parse_args(arguments)
    run = Run(full=chosen.full)
    began = time.monotonic()
    machine = results.machine()
    report = measure(run)
    for name in question.budgets:
        verify(f"budget {name}", name in report.measured, True)
    section = results.section(
        question, report, full=run.full, machine=machine, seconds=time.monotonic() - began
    )
    print(section)
    results.replace_section(chosen.results, question.number, section)
