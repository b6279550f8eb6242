"""The package's sources as the checks see them: path, text and syntax tree."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "peerpause"


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file; ``name`` is its path from the repository's root."""

    name: str
    text: str

    @property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.text, filename=self.name)


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the package."""
    return tuple(_read(path) for path in sorted(PACKAGE.rglob("*.py")))


@cache
def repository_files() -> tuple[Path, ...]:
    """Every file that belongs to the repository, committed or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file())


def _read(path: Path) -> Module:
    return Module(name=str(path.relative_to(ROOT)), text=path.read_text(encoding="utf-8"))
