"""What README promises is what the code does: its tables are the code's, its example runs, its links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from peerpause import errors
from peerpause.database.session import Claims
from peerpause.settings import Settings, purpose, variable
from peerpause.status.rules import SYSTEM_REASONS, ReasonCode
from tests.cast import build_world
from tests.servers import Database

_ROOT = Path(__file__).parents[2]
_README = (_ROOT / "README.md").read_text(encoding="utf-8")
_DOCUMENTS = sorted([*_ROOT.glob("*.md"), *_ROOT.glob("docs/**/*.md"), *_ROOT.glob("src/**/README.md")])


def test_the_settings_table_is_the_settings() -> None:
    rows = re.findall(r"^\| `(PEERPAUSE_\w+)` \| (.*?) \| ?(.*?) ?\|$", _README, flags=re.M)
    assert {(name, meaning) for name, meaning, _ in rows} == {
        (variable(name), purpose(name)) for name in Settings.model_fields
    }
    for name, _, default in rows:
        field = Settings.model_fields[name.removeprefix("PEERPAUSE_").lower()]
        assert default.strip("`") == ("" if field.default is None else str(field.default)).replace(
            "True", "true"
        )


def test_the_error_table_names_our_errors_by_their_codes() -> None:
    rows = re.findall(r"^\| .* \| .* \| (`.*?`) \| (`.*?`) \|$", _README, flags=re.M)
    named = {
        kind: code
        for kinds, codes in rows
        for kind, code in zip(re.findall(r"`(\w+)`", kinds), re.findall(r"`(\w+)`", codes), strict=True)
    }
    assert named
    assert named == {kind: getattr(errors, kind).code for kind in named}
    contract = {"InvalidTransition", "AlreadyPaused", "AlreadyActive", "CertificationExpired", "Conflict"}
    assert contract | {"PermissionDenied", "MentorNotFound", "InvalidArgument", "Unavailable"} <= named.keys()


def test_the_reasons_it_lists_are_those_that_people_may_give() -> None:
    paragraph = re.search(r"The reasons are codes: (.*?)\. Free text", _README, flags=re.S)
    assert paragraph is not None
    assert set(re.findall(r"`(\w+)`", paragraph[1])) == {each.value for each in ReasonCode} - {
        each.value for each in SYSTEM_REASONS
    }


@pytest.mark.parametrize("document", _DOCUMENTS, ids=lambda path: str(path.relative_to(_ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_function_it_lists_is_there(database: Database) -> None:
    table = re.findall(r"^\| (`(?:\w+\(.*?\)`(?:, `)?)+`?) \|", _README, flags=re.M)
    listed = {name for row in table for name in re.findall(r"(\w+)\(", row)}
    with psycopg.connect(database.url) as connection:
        rows = connection.execute(
            "select proname from pg_proc where pronamespace = 'public'::regnamespace and not proretset::text = ''"
        ).fetchall()
    assert listed
    assert listed <= {name for (name,) in rows}


def test_the_python_example_pauses_a_mentor(database: Database, tmp_path: Path) -> None:
    world = build_world(database.url)
    example = re.search(r"```python\n(.*?)```", _README, flags=re.S)
    assert example is not None
    person = Claims(world.ada.user_id).user_id
    script = tmp_path / "example.py"
    script.write_text(
        f"{example[1]}\nfor _ in range(2):\n"
        f"    asyncio.run(pause(UUID('{world.ada.mentor_id}'), UUID('{person}')))\n"
    )
    ran = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PEERPAUSE_DATABASE_URL": database.url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    first, second = ran.stdout.splitlines()
    assert first.startswith("paused ")
    assert "paused" in second
