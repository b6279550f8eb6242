"""The recipes are the same for people and CI, list themselves, and their scripts can at least be read by the shell."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.project.sources import ROOT

_SCRIPTS = [ROOT / ".ci" / "run", *(path for path in sorted((ROOT / "scripts").iterdir()) if not path.suffix)]


def test_every_recipe_is_listed_with_a_word_about_it() -> None:
    makefile = (ROOT / "Makefile").read_text()
    recipes = set(re.findall(r"^([a-z]+|bench-full):", makefile, re.MULTILINE))
    assert {"demo", "test", "check", "bench", "bench-full", "setup", "clean"} <= recipes
    assert set(re.findall(r"^  make ([\w-]+) ", _output("make", "--silent", "help"), re.MULTILINE)) == recipes


def test_ci_runs_what_people_run() -> None:
    commands = [
        line for line in (ROOT / ".ci" / "run").read_text().splitlines() if "make" in line and line[0] != "#"
    ]
    assert commands == ["exec make test </dev/null"]


@pytest.mark.parametrize("script", _SCRIPTS, ids=lambda script: script.name)
def test_the_shell_can_read_the_script(script: Path) -> None:
    assert script.stat().st_mode & 0o111
    assert "set -euo pipefail" in script.read_text()
    assert not _output("bash", "-n", str(script))


def test_the_pinned_uv_comes_with_its_hashes() -> None:
    pinned = (ROOT / "scripts" / "uv.txt").read_text()
    assert re.findall(r"^\w\S*", pinned, re.MULTILINE) == [re.search(r"^uv==[\d.]+", pinned, re.MULTILINE)[0]]  # type: ignore[index]  # fails as it should
    assert pinned.count("--hash=sha256:") > 1


def test_the_version_has_its_place_in_the_changelog() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    headings = re.findall(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert version in headings or len(headings) == 1


def _output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
