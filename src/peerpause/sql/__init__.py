"""What PostgreSQL knows: `objects/` in the present tense, `migrations/` and `rollbacks/` for machines, `queries/` asked for by name.

This loader is the only Python here; README.md beside it is the overture.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from peerpause.errors import ConfigurationError

_FILE_NAME = re.compile(r"(?P<version>\d{14})_(?P<name>[a-z0-9_]+)\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the database: ``version`` is the 14-digit UTC timestamp of its file name, ``name`` the rest of it.

    ``rollback`` undoes ``text``; it is None where nobody has written one.
    """

    version: str
    name: str
    text: str
    rollback: str | None

    @property
    def stem(self) -> str:
        """The file name without its suffix."""
        return f"{self.version}_{self.name}"


@cache
def query(name: str) -> str:
    """The text of ``queries/<name>.sql``. Raises ConfigurationError when there is no such query."""
    file = _package() / "queries" / f"{name}.sql"
    if not file.is_file():
        raise ConfigurationError(
            f"There is no query {name!r} in peerpause/sql/queries.",
            hint="Check the spelling; if it is right, the installation lacks files: install the package anew.",
        )
    return file.read_text(encoding="utf-8")


@cache
def migrations() -> tuple[Migration, ...]:
    """This program's migrations, oldest first."""
    return read_migrations(_package())


def read_migrations(folder: Traversable) -> tuple[Migration, ...]:
    """The migrations in ``folder/migrations`` with their ways back in ``folder/rollbacks``, oldest first.

    Raises ConfigurationError when a file's name is not ``<14 digits>_<name>.sql`` or two share a version.
    """
    found: dict[str, Migration] = {}
    for file in sorted((folder / "migrations").iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".sql"):
            continue
        migration = _read(folder, file)
        if migration.version in found:
            raise ConfigurationError(
                f"Two migrations share the version {migration.version}: "
                f"{found[migration.version].stem}.sql and {migration.stem}.sql.",
                hint="Give the newer one a later timestamp.",
            )
        found[migration.version] = migration
    return tuple(found.values())


def _read(folder: Traversable, file: Traversable) -> Migration:
    parts = _FILE_NAME.fullmatch(file.name)
    if parts is None:
        raise ConfigurationError(
            f"{file.name} is not named like a migration.",
            hint="Name it <timestamp of 14 digits>_<name in lower case>.sql.",
        )
    back = folder / "rollbacks" / file.name
    return Migration(
        version=parts["version"],
        name=parts["name"],
        text=file.read_text(encoding="utf-8"),
        rollback=back.read_text(encoding="utf-8") if back.is_file() else None,
    )


def _package() -> Traversable:
    return resources.files(__name__)
