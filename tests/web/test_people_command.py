"""An operator says as whom the provider knows somebody; whoever loses an account by it is signed out."""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from peerpause.cli import app
from peerpause.database.session import Sessions
from peerpause.errors import NotFound
from peerpause.web.sessions import WebSessions
from tests.cast import Person, World
from tests.servers import Database

ISSUER = "https://login.example.org"


@pytest.fixture
def command(database: Database, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("PEERPAUSE_DATABASE_URL", database.url)
    monkeypatch.setenv("PEERPAUSE_OIDC_ISSUER", ISSUER)
    return CliRunner()


def sessions_of(database: Database, person: Person, *, begin: bool = False) -> int:
    """How many sessions somebody has, after beginning one if so asked."""

    async def run() -> int:
        async with Sessions(url=database.url, size=1) as sessions:
            web = WebSessions(sessions=sessions)
            if begin:
                await web.begin(person.user_id, ISSUER)
            return len(await web.list(person.user_id))

    return asyncio.run(run())


def test_a_subject_is_linked_listed_and_unlinked(
    command: CliRunner, database: Database, world: World
) -> None:
    ada = str(world.ada.user_id)
    assert "No provider knows" in command.invoke(app, ["people", "identities", ada]).output
    assert command.invoke(app, ["people", "link", ada, "--subject", "sub-1"]).exit_code == 0
    (link,) = json.loads(command.invoke(app, ["people", "identities", ada, "--json"]).stdout)
    assert (link["issuer"], link["subject"], link["linked_by"]) == (ISSUER, "sub-1", "hand")
    assert sessions_of(database, world.ada, begin=True) == 1
    assert command.invoke(app, ["people", "unlink", "--subject", "sub-1"]).exit_code == 0
    assert sessions_of(database, world.ada) == 0
    assert command.invoke(app, ["people", "unlink", "--subject", "sub-1"]).exit_code == 1


def test_whoever_loses_a_subject_to_somebody_else_is_signed_out(
    command: CliRunner, database: Database, world: World
) -> None:
    command.invoke(app, ["people", "link", str(world.ada.user_id), "--subject", "sub-1"])
    sessions_of(database, world.ada, begin=True)
    sessions_of(database, world.bo, begin=True)
    command.invoke(app, ["people", "link", str(world.bo.user_id), "--subject", "sub-1"])
    assert (sessions_of(database, world.ada), sessions_of(database, world.bo)) == (0, 1)


def test_nobody_unknown_is_linked(command: CliRunner, world: World) -> None:
    result = command.invoke(app, ["people", "link", str(uuid4()), "--subject", "sub-1"])
    assert isinstance(result.exception, NotFound)
    assert command.invoke(app, ["people", "link", "ada", "--subject", "sub-1"]).exit_code == 2
