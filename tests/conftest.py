"""What every test may ask for: a real PostgreSQL server of each kind, a database of its own, and an honest list of what did not run."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

import hypothesis
import psycopg
import pytest
import structlog
from psycopg import sql

from peerpause.database.migrate import Migrator
from tests import servers
from tests.servers import Database, Server, ServerKind

_RUN_FOLDER = pytest.StashKey[Path]()
_GAPS = pytest.StashKey[dict[str, None]]()
_NOT_RUN = "not run: "
# What the database does is tried on every kind of server. What stands above it asks nothing that was not tried there, so one kind
# is enough: the first (the embedded one) for the faces, the last (the machine's own, the oldest supported) for everything else.
_ON_EVERY_SERVER = frozenset({"database"})
_FACES = frozenset({"api", "browser", "clients", "demo", "docs", "web"})


def not_run(what: str) -> NoReturn:
    """Leave this test out because the machine lacks something; the run's summary says so, and on CI it fails the run."""
    pytest.skip(f"{_NOT_RUN}{what}")


@pytest.fixture(scope="session", params=servers.installed(), ids=lambda kind: kind.id)
def server(request: pytest.FixtureRequest) -> Server:
    """A running server with a migrated template database; every test that uses it runs once for each kind."""
    kind: ServerKind = request.param
    return servers.shared_server(kind, run=request.config.stash[_RUN_FOLDER], prepare=_prepare)


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    """A migrated database of this test's own."""
    with server.new_database() as fresh:
        yield fresh


@pytest.fixture(scope="module")
def module_database(server: Server) -> Iterator[Database]:
    """A migrated database shared by the tests of one module, for those that only read or clean up after themselves."""
    with server.new_database() as fresh:
        yield fresh


@pytest.fixture
def empty_database(server: Server) -> Iterator[Database]:
    """A database of this test's own with nothing in it."""
    with server.new_database(template="template0") as fresh:
        yield fresh


@pytest.fixture(scope="session")
def run_folder(request: pytest.FixtureRequest) -> Path:
    """The folder of the run, for tests that start servers of their own."""
    return request.config.stash[_RUN_FOLDER]


@pytest.fixture(scope="module")
def own_server(server: Server, run_folder: Path) -> Iterator[Server]:
    """A server of one module's own, with nothing in it: for what concerns the whole server, such as roles."""
    kind = next(kind for kind in servers.installed() if kind.id == server.id)
    fresh = servers.start_server(kind, run=run_folder)
    yield fresh
    servers.stop_server(fresh)


@pytest.fixture(scope="session")
def supabase_cli() -> Path:
    """The Supabase CLI, which `npm install` puts into the repository."""
    program = Path(__file__).parents[1] / "node_modules" / ".bin" / "supabase"
    if not program.exists():
        not_run("the tests against the Supabase CLI (npm install)")
    return program


def _prepare(server: Server) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for name in filter(None, (servers.TEMPLATE, server.cron_database)):
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        asyncio.run(Migrator(url=server.url(servers.TEMPLATE)).up())
        # As an operator would, so that tests can come in the way real requests do.
        connection.execute("alter role authenticator login")


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Put logging back after a test whose program configured it: its stream is closed by then."""
    root, ours, kept = logging.getLogger(), logging.getLogger("peerpause"), structlog.get_config()
    handlers, level, our_level = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    ours.setLevel(our_level)
    structlog.configure(**kept)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    needless = {item for item in items if _server_kind(item) not in (None, *_kinds_for(_folder(item)))}
    if needless:
        config.hook.pytest_deselected(items=list(needless))
        items[:] = [item for item in items if item not in needless]


def _kinds_for(folder: str) -> tuple[ServerKind, ...]:
    kinds = servers.installed()
    if folder in _ON_EVERY_SERVER:
        return kinds
    return kinds[:1] if folder in _FACES else kinds[-1:]


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]


def _server_kind(item: pytest.Item) -> ServerKind | None:
    call = getattr(item, "callspec", None)
    kind: ServerKind | None = None if call is None else call.params.get("server")
    return kind


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    # A run in the background of a shell ignores Ctrl-C, and so would every program it starts; some tests mean just that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # As it comes, structlog draws an error with the values of every frame around it, which takes it seconds.
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
        ]
    )
    # How long an example takes says how busy the machine is, and nothing of ours.
    hypothesis.settings.register_profile(
        "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("patient")
    config.stash[_GAPS] = {}
    worker_input = getattr(config, "workerinput", None)
    if worker_input is not None:
        config.stash[_RUN_FOLDER] = Path(worker_input["run_folder"])
        return
    stack = ExitStack()
    config.stash[_RUN_FOLDER] = stack.enter_context(servers.run_folder())
    config.add_cleanup(stack.close)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    config: pytest.Config = node.config  # type: ignore[attr-defined]  # a pytest-xdist type without annotations
    node.workerinput["run_folder"] = str(config.stash[_RUN_FOLDER])  # type: ignore[attr-defined]  # as above


class _GapRecorder:
    """Collects the reasons of skips that mean the machine lacks something, from all workers."""

    def __init__(self, gaps: dict[str, None]) -> None:
        self._gaps = gaps

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and isinstance(report.longrepr, tuple):
            reason = report.longrepr[2].removeprefix("Skipped: ")
            if reason.startswith(_NOT_RUN):
                self._gaps[reason.removeprefix(_NOT_RUN)] = None


def pytest_sessionstart(session: pytest.Session) -> None:
    config = session.config
    config.pluginmanager.register(_GapRecorder(config.stash[_GAPS]))
    config.stash[_GAPS].update(dict.fromkeys(servers.missing()))
    told = os.environ.get("PEERPAUSE_TEST_NEEDS_MISSING", "")
    config.stash[_GAPS].update((part.strip(), None) for part in told.split(",") if part.strip())


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    is_worker = hasattr(session.config, "workerinput")
    if (
        session.config.stash[_GAPS]
        and _on_ci()
        and not is_worker
        and session.exitstatus == pytest.ExitCode.OK
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for gap in config.stash[_GAPS]:
        terminalreporter.write_line(f"{_NOT_RUN}{gap}", red=_on_ci(), yellow=not _on_ci())
    if config.stash[_GAPS] and _on_ci():
        terminalreporter.write_line("CI runs everything, so these gaps fail the run.", red=True)


def _on_ci() -> bool:
    return os.environ.get("CI", "").lower() == "true"
