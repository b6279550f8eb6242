"""The house stands as drawn: the import contracts can break, the pure modules are pure, and only wiring builds things."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.sources import PACKAGE, ROOT, Module, modules

_PURE = re.compile(r".*/(rules|payload)\.py")
_ALLOWED_IN_PURE = {"status/rules.py": set[str](), "notifications/payload.py": {"peerpause.errors"}}
# What others hand on to one another ready-made.
_BUILT_IN_WIRING = re.compile(r"\w+(Service|Repository|Channel|Outbox|Job)")

each_module = pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)


@pytest.mark.parametrize(
    "module",
    [module for module in modules() if _PURE.fullmatch(module.name)],
    ids=lambda module: module.name,
)
def test_a_pure_module_rests_on_the_standard_library(module: Module) -> None:
    allowed = _ALLOWED_IN_PURE.get(module.name.removeprefix("src/peerpause/"), {"peerpause.errors"})
    assert not imports_beyond_the_standard_library(module) - allowed


def test_the_status_rules_are_among_the_pure_modules() -> None:
    assert "src/peerpause/status/rules.py" in {module.name for module in modules()}


def test_it_spots_what_a_pure_module_may_not_import() -> None:
    text = "from __future__ import annotations\nimport json\nimport aiohttp.web\nfrom peerpause.errors import Conflict\nfrom . import service"
    found = imports_beyond_the_standard_library(Module(name="example.py", text=text))
    assert found == {"aiohttp.web", "peerpause.errors", "."}


@each_module
def test_nobody_but_wiring_builds_the_parts(module: Module) -> None:
    assert list(built_in(module)) == []


def test_it_spots_a_service_built_outside_wiring() -> None:
    text = "class PauseService: ...\ndef route():\n  return MentorStatusService(repository=database.PostgresRepository())"
    found = list(built_in(Module(name="src/peerpause/status/routes.py", text=text)))
    assert [what.split()[-1] for what in found] == ["MentorStatusService", "PostgresRepository"]


def test_wiring_may_build() -> None:
    text = "def services():\n  return MentorStatusService()"
    assert list(built_in(Module(name="src/peerpause/wiring.py", text=text))) == []


def test_the_import_contracts_break_when_the_house_is_crossed(tmp_path: Path) -> None:
    _copy_with_crossings(
        tmp_path,
        {
            "status/crossing.py": "import peerpause.cli",
            "directory/crossing.py": "import peerpause.status.service",
            "database/crossing.py": "import peerpause.status",
            "status/rules.py": "import peerpause.database",
            "notifications/payload.py": "import peerpause.status.rules",
            "cellar.py": "import json",
        },
    )
    told = _lint_imports(tmp_path)
    for crossing in (
        "peerpause.status.crossing -> peerpause.cli",
        "peerpause.directory.crossing -> peerpause.status.service",
        "peerpause.database.crossing -> peerpause.status",
        "peerpause.status.rules -> peerpause.database",
        "peerpause.notifications.payload -> peerpause.status.rules",
        "peerpause.cellar",
    ):
        assert f"- {crossing}" in re.sub(" +", " ", told)


def imports_beyond_the_standard_library(module: Module) -> set[str]:
    """The modules it imports that do not come with Python; a relative import counts as its dots."""
    found: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return {name for name in found if name.split(".")[0] not in sys.stdlib_module_names}


def built_in(module: Module) -> Iterator[str]:
    """The calls that build a service, repository or channel elsewhere than in wiring or the class's own module."""
    if module.name == "src/peerpause/wiring.py":
        return
    own = {node.name for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)}
    for node in ast.walk(module.tree):
        if (
            isinstance(node, ast.Call)
            and (name := _called(node)) not in own
            and _BUILT_IN_WIRING.fullmatch(name)
        ):
            yield f"{module.name}:{node.lineno}: {name}"


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _copy_with_crossings(folder: Path, crossings: dict[str, str]) -> None:
    shutil.copy(ROOT / "pyproject.toml", folder)
    copied = folder / "src" / "peerpause"
    shutil.copytree(PACKAGE, copied, ignore=shutil.ignore_patterns("__pycache__", "*.sql"))
    (copied / "cli").mkdir(exist_ok=True)
    for touched in ("cli/__init__.py", "status/service.py", *crossings):
        (copied / touched).touch()
    for name, line in crossings.items():
        path = copied / name
        # At the end, for `from __future__` must stay first.
        path.write_text(f"{path.read_text()}\n{line}\n")


def _lint_imports(folder: Path) -> str:
    ran = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    return ran.stdout
