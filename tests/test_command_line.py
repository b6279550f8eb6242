"""The command line says what each command does without loading any of them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from peerpause.cli import COMMANDS, app, load

HEAVY = ("psycopg", "fastapi", "pydantic", "aiohttp", "procrastinate", "google.auth", "structlog")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_of_a_command_what_it_says_of_itself(name: str) -> None:
    where, sentence = COMMANDS[name]
    assert sentence == " ".join(load(where).help.split("\n\n")[0].split())
    shown = CliRunner().invoke(app, [name, "--help"], prog_name="peerpause", env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert f"Usage: peerpause {name} " in shown.output
    assert sentence in shown.output


def test_a_command_that_does_not_exist_is_used_wrongly() -> None:
    refused = CliRunner().invoke(app, ["serv"])
    assert refused.exit_code == 2
    assert "'serve'" in refused.output, "the nearest one is named"


@pytest.mark.parametrize(
    "program",
    [
        "import peerpause; peerpause.__all__",
        "from typer.testing import CliRunner; from peerpause.cli import app; assert 'serve' in CliRunner().invoke(app, ['--help']).output",
    ],
    ids=["import peerpause", "peerpause --help"],
)
def test_it_loads_nothing_heavy(program: str) -> None:
    script = f"import json, sys\n{program}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert [name for name in loaded if name in HEAVY] == []
    assert [name for name in loaded if name.startswith("peerpause.cli.")] == []
