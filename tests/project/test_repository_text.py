"""What is written in the repository holds on any machine: no package host of somebody's, no path of somebody's home."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.project.sources import ROOT, repository_files

# In pieces, so that this file does not name them itself.
_HOSTS = [
    "registry.npm" + "js.org",
    "files.python" + "hosted.org",
    "pypi" + ".org/simple",
    "deb." + "debian.org",
    "proxy.go" + "lang.org",
]
_FOREIGN = re.compile("|".join([*map(re.escape, _HOSTS), r"(?<![\w.])/(?:home|Users|root)/\w+"]))
_LOCKED = {ROOT / "uv.lock"}  # uv writes the addresses it fetched from, with their hashes


def test_no_file_names_a_package_host_or_a_home() -> None:
    told = {
        str(path.relative_to(ROOT)): found for path in repository_files() if (found := foreign_words_in(path))
    }
    assert told == {}


@pytest.mark.parametrize("word", [*_HOSTS, "/home/" + "ada/peerpause"])
def test_it_spots_one(word: str, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text(f"See {word} for more.\n")
    assert foreign_words_in(tmp_path / "notes.md")


def foreign_words_in(path: Path) -> set[str]:
    """The package hosts and home folders that a text file names; a file that is not text names none."""
    if path in _LOCKED:
        return set()
    try:
        return set(_FOREIGN.findall(path.read_text(encoding="utf-8")))
    except UnicodeDecodeError:
        return set()
