"""The page on who may do what says what the database does, and the command that makes it leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from peerpause.access.matrix import AccessMatrix, Place
from peerpause.access.trial import access_matrix
from peerpause.cli import app
from tests.project.sources import ROOT
from tests.servers import Database

_SAID = Path(ROOT, "docs", "access-matrix.md").read_text(encoding="utf-8").splitlines()


@pytest.fixture
async def matrix(database: Database) -> AccessMatrix:
    return await access_matrix(database.server.url(database.name, user="authenticator"))


async def test_the_page_says_what_the_database_does(matrix: AccessMatrix) -> None:
    missing = [line for line in matrix.to_markdown().splitlines() if line and line not in _SAID]
    assert missing == [], "run `peerpause doctor --access-matrix` and look whether that is meant"
    assert sum(line.startswith("| `") for line in _SAID) == len(matrix.tables) + len(matrix.functions)


async def test_the_table_of_the_mission_holds(matrix: AccessMatrix) -> None:
    """Who reads status and history and who changes a status, in the shortest form."""
    changes = matrix.functions["update_mentor_status"]
    history = matrix.tables["peer_mentor_status_history"]
    allowed = {
        ("mentor", Place.SELF),
        ("coordinator", Place.NEAR),
        ("admin", Place.NEAR),
        ("admin", Place.FAR),
        ("service", Place.AWAY),
    }
    assert {cell for cell, letters in changes.items() if letters} == allowed
    assert {cell for cell, letters in history.items() if letters} == allowed
    assert set(history.values()) == {"r", ""}
    assert matrix.tables["peer_mentors"]["mentor", Place.SELF] == "r"


async def test_it_sees_a_hole(database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "create policy hole on public.certifications for delete to authenticated using (true)"
        )
        connection.execute("grant delete on public.certifications to authenticated")
    found = await access_matrix(database.url)
    assert found.tables["certifications"]["mentor", Place.SELF] == "rd"


def test_the_command_leaves_nothing_behind(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEERPAUSE_DATABASE_URL", database.url)
    result = CliRunner().invoke(app, ["doctor", "--access-matrix", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["functions"]["rpc_pause_mentor"]["visitor"] == {"own chapter": ""}
    with psycopg.connect(database.url) as connection:
        for table in ("organisations", "people", "peer_mentors", "peer_mentor_status_history"):
            assert connection.execute(f"select count(*) from public.{table}".encode()).fetchone() == (0,)
