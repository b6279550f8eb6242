"""RESULTS.md: a section a question, written by the run that measured it."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from benchmarks.question import Question, Report, Table

FILE: Final = Path(__file__).with_name("RESULTS.md")

_OPENING: Final = """\
# Results

Each section is written by the program that it names, so no figure stands here without the command, the machine and the day that gave it.
Ratios are medians of paired runs that alternate on one machine, with the lowest and the highest pair in brackets; absolute
figures only tell what order of magnitude that machine reached. PostgreSQL is durable in all of them (`fsync` and `synchronous_commit` on).
"""


def machine() -> str:
    """This machine in a sentence, with what else it was doing when the measurement began."""
    load = os.getloadavg()[0]
    busy = f"shared: load average {load:.1f} before the run" if load >= 0.5 else "otherwise idle"
    return (
        f"{os.cpu_count()} × {_processor()}, {_memory()} of memory, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}; {busy}"
    )


def section(question: Question, report: Report, *, full: bool, machine: str, seconds: float) -> str:
    """The section of a question, in Markdown."""
    return "\n".join(_lines(question, report, full=full, machine=machine, seconds=seconds)).rstrip() + "\n"


def replace_section(file: Path, number: int, section: str) -> None:
    """Put a section in its place, by number, and leave the others as they are."""
    text = file.read_text(encoding="utf-8") if file.exists() else _OPENING
    opening, *kept = re.split(r"(?m)^(?=## \d+\. )", text)
    sections = {int(part[3 : part.index(".")]): part.rstrip() + "\n" for part in kept} | {number: section}
    parts = [opening.rstrip() + "\n", *(sections[at] for at in sorted(sections))]
    file.write_text("\n".join(parts), encoding="utf-8")


def _lines(question: Question, report: Report, *, full: bool, machine: str, seconds: float) -> Iterator[str]:
    yield f"## {question.number}. {question.title}\n"
    yield f"{question.method}\n"
    yield f"- command: `{question.command(full=full)}` ({seconds:.0f} s)"
    yield f"- machine: {machine}"
    yield f"- date: {datetime.now(UTC):%Y-%m-%d}\n"
    for table in report.tables:
        yield from _table(table)
    for remark in report.remarks:
        yield f"{remark}\n"
    if question.no_budget:
        yield f"No budget: {question.no_budget}\n"
    for name, budget in question.promised:
        measured = report.measured[name]
        is_met = budget.is_met(measured)
        yield (
            f"**Budget {'met' if is_met else 'missed'}**: {budget.what}: {budget.promise}; measured {measured} {budget.unit}.\n"
        )
        if not is_met and name in question.tried:
            yield f"What was tried: {question.tried[name]}\n"


def _table(table: Table) -> Iterator[str]:
    if table.caption:
        yield f"{table.caption}\n"
    yield _row(table.head)
    yield _row(["---", *("--:" for _ in table.head[1:])])
    for cells in table.rows:
        yield _row(cells)
    yield ""


def _row(cells: object) -> str:
    assert isinstance(cells, list | tuple)
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    return found[1] if found else platform.processor() or platform.machine()


def _memory() -> str:
    found = re.search(r"^MemTotal:\s*(\d+) kB", _read("/proc/meminfo"), re.MULTILINE)
    return f"{int(found[1]) / 1024**2:.0f} GB" if found else "an unknown amount"


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""
