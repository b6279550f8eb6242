"""Pure: this program's migrations laid against what a database's ledger says was applied.

The ledger (`supabase_migrations.schema_migrations`) is shared with the Supabase CLI and may hold the customer's own migrations too.
Only rows whose name starts with `peerpause_` are ours; the others are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from peerpause.database.statements import split
from peerpause.errors import MigrationError
from peerpause.sql import Migration

OUR_PREFIX = "peerpause_"


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One applied migration as the ledger has it; name and statements may be absent in rows written by older tools."""

    version: str
    name: str | None
    statements: tuple[str, ...] | None


class FindingKind(StrEnum):
    """What can be wrong between the ledger and this program's files."""

    NOT_APPLIED = "not_applied"
    EDITED = "edited"
    UNRECORDED = "unrecorded"
    UNKNOWN = "unknown"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with one migration; ``message`` is a sentence for the operator."""

    kind: FindingKind
    version: str
    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the database says, next to what this program knows; both oldest first."""

    rows: Sequence[LedgerRow]
    known: Sequence[Migration]

    @property
    def applied(self) -> tuple[Migration, ...]:
        """Our migrations that are in this database."""
        versions = {row.version for row in self.rows}
        return tuple(migration for migration in self.known if migration.version in versions)

    @property
    def pending(self) -> tuple[Migration, ...]:
        """Our migrations that are not in this database yet."""
        versions = {row.version for row in self.rows}
        return tuple(migration for migration in self.known if migration.version not in versions)

    @property
    def unknown(self) -> tuple[LedgerRow, ...]:
        """Rows that are ours by name, but of which this program has no file."""
        versions = {migration.version for migration in self.known}
        return tuple(
            row
            for row in self.rows
            if row.version not in versions and (row.name or "").startswith(OUR_PREFIX)
        )

    @property
    def foreign(self) -> tuple[LedgerRow, ...]:
        """Rows of somebody else, the customer's own migrations."""
        ours = {migration.version for migration in self.known} | {row.version for row in self.unknown}
        return tuple(row for row in self.rows if row.version not in ours)

    def require_no_newer(self) -> None:
        """Raise MigrationError where a newer program has been at work, or somebody else's migration sits on our version."""
        newest = max((migration.version for migration in self.known), default="")
        newer = [row for row in self.unknown if row.version > newest]
        if newer:
            raise MigrationError(
                f"This database is newer than this program: it holds {newer[-1].version}_{newer[-1].name}, "
                f"the newest we know is {newest or 'none'}. Nothing was changed.",
                detail={"unknown": [row.version for row in newer], "newest_known": newest},
                hint="Run a program at least as new as the one that migrated this database.",
            )
        for taken in self._findings_of(FindingKind.TAKEN):
            raise MigrationError(
                taken.message,
                detail={"version": taken.version, "name": taken.name},
                hint="Rename the other migration to a timestamp of its own, in its file and in the ledger.",
            )

    def findings(self) -> tuple[Finding, ...]:
        """Everything wrong, oldest migration first; empty when files and ledger agree."""
        return tuple(self._all_findings())

    def _findings_of(self, kind: FindingKind) -> Iterable[Finding]:
        return (finding for finding in self._all_findings() if finding.kind is kind)

    def _all_findings(self) -> Iterable[Finding]:
        rows = {row.version: row for row in self.rows}
        found = [_compare(migration, rows.get(migration.version)) for migration in self.known]
        found += [
            Finding(
                FindingKind.UNKNOWN,
                row.version,
                row.name or "",
                f"{row.version}_{row.name} was applied, but this program has no such file.",
            )
            for row in self.unknown
        ]
        return sorted((finding for finding in found if finding), key=lambda finding: finding.version)


def _compare(migration: Migration, row: LedgerRow | None) -> Finding | None:
    def finding(kind: FindingKind, message: str) -> Finding:
        return Finding(kind, migration.version, migration.name, message)

    file = f"{migration.stem}.sql"
    if row is None:
        return finding(FindingKind.NOT_APPLIED, f"{file} has not been applied.")
    if row.name is not None and row.name != migration.name:
        return finding(
            FindingKind.TAKEN,
            f"{file} cannot be told from {row.version}_{row.name}, which the ledger holds under the same version.",
        )
    if row.statements is None:
        return finding(
            FindingKind.UNRECORDED, f"{file} was applied, but the ledger does not say with which statements."
        )
    changed = _first_difference(migration, row.statements)
    if changed is None:
        return None
    return finding(
        FindingKind.EDITED, f"{file} is not what was applied: it differs from the ledger at line {changed}."
    )


def _first_difference(migration: Migration, applied: Sequence[str]) -> int | None:
    in_file = split(migration.text)
    for statement, recorded in zip(in_file, applied, strict=False):
        if statement.text != recorded:
            return statement.line
    if len(in_file) > len(applied):
        return in_file[len(applied)].line
    if len(in_file) < len(applied):
        return migration.text.count("\n") + 1
    return None
