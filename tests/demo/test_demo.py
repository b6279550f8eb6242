"""The demo plays the whole story for real, goes on with what it left, and leaves nothing running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_COMMAND = (sys.executable, "-c", "from peerpause.cli import main; main()", "demo")


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PEERPAUSE_")} | {
        "COLUMNS": "120",
        "TERM": "dumb",
    }


def _play(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_COMMAND, "--once", "--data", str(folder), *arguments],
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def _servers(folder: Path) -> list[str]:
    """The PostgreSQL processes that work on a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command and "postgres" in command and "--once" not in command:
            found.append(command)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "data"


def test_it_plays_every_step_and_says_so(folder: Path) -> None:
    played = _play(folder)
    assert played.returncode == 0, played.stdout + played.stderr
    assert "Every step was seen to work." in played.stdout
    assert "already_paused" in played.stdout
    assert "permission_denied" in played.stdout
    assert "run again: paused 0" in played.stdout
    assert "coordinators got one push each" in played.stdout
    assert played.stderr == ""
    assert not _servers(folder)


def test_a_second_start_goes_on_with_the_data_of_the_first(folder: Path) -> None:
    played = _play(folder)
    assert played.returncode == 0, played.stdout + played.stderr
    assert "as the last run left it" in played.stdout


def test_it_gets_every_push_through_although_some_fail(folder: Path) -> None:
    played = _play(folder, "--fail-push", "0.4")
    assert played.returncode == 0, played.stdout + played.stderr


@pytest.mark.parametrize(
    ("number", "codes"),
    [(signal.SIGINT, {0, 130}), (signal.SIGTERM, {128 + signal.SIGTERM})],
    ids=["ctrl-c", "a supervisor"],
)
def test_it_can_be_ended_and_leaves_nothing_running(
    folder: Path, number: signal.Signals, codes: set[int]
) -> None:
    with _running(folder) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "Ctrl-C ends the demo" in line:
                break
        process.send_signal(number)
        last_words = process.stdout.read()
        assert process.wait(60) in codes
        assert "Traceback" not in last_words
    assert not _servers(folder)


@contextmanager
def _running(folder: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*_COMMAND, "--port", "0", "--data", str(folder)],
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()
