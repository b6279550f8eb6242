"""The library's public face: every name is there, loaded when used; the documented example runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import peerpause
from tests.cast import build_world
from tests.servers import Database

_DOCUMENT = (Path(__file__).parents[2] / "docs" / "library.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", peerpause.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(peerpause, name) is not None
    assert name in dir(peerpause)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = peerpause.no_such_name


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "{'psycopg', 'fastapi', 'supabase', 'pydantic', 'aiohttp'}"
    command = f"import sys, peerpause; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0


def test_the_names_the_document_uses_are_public() -> None:
    used = {
        name for line in re.findall(r"from peerpause import (.*)", _DOCUMENT) for name in line.split(", ")
    }
    assert used
    assert used <= set(peerpause.__all__)


def test_the_example_runs(database: Database) -> None:
    world = build_world(database.url)
    example = re.search(r"```python\n(import asyncio.*?)```", _DOCUMENT, flags=re.S)
    assert example is not None
    environment = {
        **os.environ,
        "PEERPAUSE_DATABASE_URL": database.server.url(database.name, user="authenticator"),
        "MENTOR_ID": str(world.ada.mentor_id),
        "USER_ID": str(world.ada.user_id),
    }
    for _ in range(2):
        ran = subprocess.run(
            [sys.executable, "-c", example[1]], env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.startswith("paused travel\n")
        assert "active -> paused" in ran.stdout
