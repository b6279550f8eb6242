"""`peerpause token`: what it prints opens the door, and what it refuses."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from typer.testing import CliRunner

from peerpause.auth.tokens import TokenVerifier
from peerpause.cli import app
from peerpause.database.session import Claims, Service
from tests.api.serving import SECRET

SUB = UUID("0b7a4a5e-9a50-4f0e-8a3e-5f2f7d1c2b11")


def run(*arguments: str, secret: str = SECRET) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["token", *arguments], env={"PEERPAUSE_JWT_SECRET": secret})
    return result.exit_code, result.stdout.strip()


async def test_a_printed_token_names_its_person() -> None:
    code, printed = run("--sub", str(SUB))
    caller = await TokenVerifier(secret=SECRET).verify(printed)
    assert code == 0
    assert isinstance(caller, Claims)
    assert caller.user_id == SUB


async def test_the_keys_of_roles_are_good_for_as_long_as_is_said() -> None:
    code, printed = run("--role", "service_role", "--expires-in", "365d", "--json")
    answer = json.loads(printed)
    assert (code, answer["expires_in"]) == (0, 365 * 24 * 3600)
    assert await TokenVerifier(secret=SECRET).verify(answer["token"]) == Service()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--role", "anon", "--sub", str(SUB)),
        ("--sub", "ada"),
        ("--sub", str(SUB), "--expires-in", "soon"),
        ("--role", "postgres"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_used_wrongly(arguments: tuple[str, ...]) -> None:
    assert run(*arguments)[0] == 2
