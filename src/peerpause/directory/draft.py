"""The sheet on which a plan is drawn up: rows to write, counts and findings, and what has a place in the import so far."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from peerpause.directory.existing import Existing
from peerpause.directory.findings import Finding, Place, Problem
from peerpause.directory.plan import Count, Deed, Part, Step


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation that lines may refer to: from a file of this import or from the database."""

    id: UUID
    time_zone: ZoneInfo


@dataclass(slots=True)
class Draft:
    """Collects what an import will do. ``organisations``, ``chapters`` and ``mentors`` hold what lines may refer to by code."""

    existing: Existing
    findings: list[Finding] = field(default_factory=list)
    organisations: dict[str, Organisation] = field(default_factory=dict)
    chapters: dict[tuple[UUID, str], UUID] = field(default_factory=dict)
    mentors: dict[tuple[UUID, str], UUID] = field(default_factory=dict)
    _rows: dict[tuple[Part, Deed], list[Mapping[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    _unchanged: dict[Part, int] = field(default_factory=lambda: defaultdict(int))
    _similar: dict[tuple[UUID | None, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key, organisation in self.existing.organisations.items():
            self.organisations[key] = Organisation(organisation.id, ZoneInfo(organisation.time_zone))
        self.chapters.update({key: chapter.id for key, chapter in self.existing.chapters.items()})
        self.mentors.update({key: mentor.id for key, mentor in self.existing.mentors.items()})

    def write(self, part: Part, deed: Deed, **row: Any) -> None:
        """Add a row to write; the values must be such as JSON knows."""
        self._rows[part, deed].append(row)

    def leave(self, part: Part) -> None:
        """Count a row that stays as it is."""
        self._unchanged[part] += 1

    def change_or_leave(
        self, part: Part, now: Mapping[str, Any], wanted: Mapping[str, Any], **keys: Any
    ) -> None:
        """Change a row to what is wanted where it differs; a wanted None, an empty cell, keeps what is there."""
        merged = {name: now[name] if value is None else value for name, value in wanted.items()}
        if merged == {name: now[name] for name in wanted}:
            self.leave(part)
        else:
            self.write(part, Deed.CHANGE, **keys, **merged)

    def find(self, at: Place, column: str | None, problem: Problem, message: str, hint: str) -> None:
        """Note a finding."""
        self.findings.append(Finding(at, column, problem, message, hint))

    def organisation(self, at: Place, key: str) -> Organisation | None:
        """The organisation that a line names; None, with a finding, when there is none."""
        found = self.organisations.get(key)
        if found is None:
            self.find(
                at,
                "organisation",
                Problem.UNKNOWN_ORGANISATION,
                "No organisation has this code, neither in the files nor in the database."
                + self._did_you_mean(None, key),
                "Correct the code, or import a file that lists the organisation together with this one.",
            )
        return found

    def chapter(self, at: Place, organisation: UUID, key: str) -> UUID | None:
        """The chapter that a line names; None, with a finding, when there is none."""
        found = self.chapters.get((organisation, key))
        if found is None:
            self.find(
                at,
                "chapters",
                Problem.UNKNOWN_CHAPTER,
                "The organisation has no chapter with one of these codes, neither in the files nor in the database."
                + self._did_you_mean(organisation, key),
                "Correct the code, or import a file that lists the chapter together with this one; several codes are "
                "separated by “|”.",
            )
        return found

    def today(self, organisation: Organisation) -> date:
        """Today's date where the organisation is."""
        return self.existing.now.astimezone(organisation.time_zone).date()

    def counts(self) -> dict[Part, Count]:
        """The figures of every part, also of those that have none."""
        return {
            part: Count(
                created=len(self._rows.get((part, Deed.CREATE), ())),
                changed=len(self._rows.get((part, Deed.CHANGE), ()))
                + len(self._rows.get((part, Deed.MOVE), ())),
                unchanged=self._unchanged.get(part, 0),
            )
            for part in Part
        }

    def steps(self) -> tuple[Step, ...]:
        """The rows to write, in an order in which everything exists before something refers to it."""
        order = [(part, deed) for part in Part for deed in (Deed.MOVE, Deed.CREATE, Deed.CHANGE)]
        return tuple(
            Step(part, deed, tuple(rows)) for part, deed in order if (rows := self._rows.get((part, deed)))
        )

    def _did_you_mean(self, owner: UUID | None, wrong: str) -> str:
        # Remembered, because a misspelt code tends to stand in thousands of lines. Only the known code is told:
        # what was written may be anything, a name too.
        if (owner, wrong) not in self._similar:
            known = (
                list(self.organisations)
                if owner is None
                else [code for organisation, code in self.chapters if organisation == owner]
            )
            close = difflib.get_close_matches(wrong, known, n=1)
            self._similar[owner, wrong] = f" Did you mean {close[0]}?" if close else ""
        return self._similar[owner, wrong]
