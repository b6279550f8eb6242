"""The pgTAP tests, one file each, run by pg_prove as `supabase test db` does. The embedded server carries no pgTAP; Debian's does."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests import servers
from tests.conftest import not_run
from tests.servers import Database

_FILES = sorted(Path(__file__).with_name("pgtap").glob("*.test.sql"))
_WITH_PGTAP = [kind for kind in servers.installed() if servers._has_extension(Path(kind.bin_path), "pgtap")]


@pytest.mark.parametrize(
    "server", _WITH_PGTAP or servers.installed()[:1], indirect=True, ids=lambda kind: kind.id
)
@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_pgtap(module_database: Database, path: Path) -> None:
    prover = shutil.which("pg_prove")
    if not _WITH_PGTAP or prover is None:
        not_run("the pgTAP tests")
    server = module_database.server
    proof = subprocess.run(
        [
            prover,
            "--verbose",
            *("--psql-bin", f"{server.bin_path}/psql"),
            *("--host", "127.0.0.1"),
            *("--port", str(server.port)),
            *("--username", "postgres"),
            *("--dbname", module_database.name),
            str(path),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert proof.returncode == 0, _failures_in(proof.stdout + proof.stderr)
    assert "Result: PASS" in proof.stdout


def test_there_are_files_to_prove() -> None:
    assert len(_FILES) >= 6


def _failures_in(output: str) -> str:
    """The output without what went well."""
    lines = [line for line in output.splitlines() if not line.startswith("ok ")]
    return "\n".join(["pg_prove reports:", *lines])
