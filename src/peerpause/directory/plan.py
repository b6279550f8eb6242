"""What an import is going to do: the value that a dry run shows and that `--apply` carries out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from peerpause.directory.findings import Finding
from peerpause.directory.lines import ImportLines


class Part(StrEnum):
    """What is counted, in the order in which it is written."""

    ORGANISATIONS = "organisations"
    CHAPTERS = "chapters"
    PEOPLE = "people"
    MENTORS = "mentors"
    MEMBERSHIPS = "memberships"
    COORDINATORS = "coordinators"
    ADMINS = "admins"
    CERTIFICATES = "certificates"


class Deed(StrEnum):
    """What happens to a row. Nothing is ever deleted."""

    CREATE = "create"
    CHANGE = "change"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows of one part are created, changed, or left as they are."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0

    def to_json(self) -> dict[str, int]:
        """The three figures as JSON values."""
        return {"created": self.created, "changed": self.changed, "unchanged": self.unchanged}


@dataclass(frozen=True, slots=True)
class Step:
    """Rows for one of the queries ``import_<deed>_<part>``, as JSON values."""

    part: Part
    deed: Deed
    rows: tuple[Mapping[str, Any], ...] = field(repr=False)

    @property
    def query(self) -> str:
        """The name of the query that writes the rows."""
        return f"import_{self.deed}_{self.part}"


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What the files say, what is wrong with them, and what would be written.

    ``findings`` hold everything in reading order; those of them in ``blockers`` keep the plan from being carried out.
    """

    lines: ImportLines = field(repr=False)
    found_in_files: tuple[Finding, ...] = field(repr=False)
    findings: tuple[Finding, ...]
    counts: Mapping[Part, Count]
    steps: tuple[Step, ...] = field(repr=False)

    @property
    def blockers(self) -> tuple[Finding, ...]:
        """What must be put right first."""
        return tuple(finding for finding in self.findings if finding.blocks)

    @property
    def notices(self) -> tuple[Finding, ...]:
        """What is worth knowing and blocks nothing."""
        return tuple(finding for finding in self.findings if not finding.blocks)

    @property
    def rows_to_write(self) -> int:
        """How many rows will be created or changed."""
        return sum(len(step.rows) for step in self.steps)

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON values, without the rows."""
        return {
            "ok": not self.blockers,
            "applied": False,
            "counts": {part.value: count.to_json() for part, count in self.counts.items()},
            "findings": [finding.to_json() for finding in self.findings],
        }


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import has done."""

    counts: Mapping[Part, Count]
    notices: tuple[Finding, ...] = ()

    @property
    def rows_written(self) -> int:
        """How many rows were created or changed; 0 when the same files are imported again."""
        return sum(count.created + count.changed for count in self.counts.values())

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "ok": True,
            "applied": True,
            "counts": {part.value: count.to_json() for part, count in self.counts.items()},
            "findings": [finding.to_json() for finding in self.notices],
        }
