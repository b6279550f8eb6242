"""Promises of `peerpause migrate`: what it prints, what it answers a program, and its exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from peerpause import cli, sql
from tests.servers import Database

NEWEST = sql.migrations()[-1]


class Command:
    """`peerpause migrate …` on one database, in this process."""

    def __init__(
        self, database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        monkeypatch.setenv("PEERPAUSE_DATABASE_URL", database.url)

    def __call__(self, *arguments: str) -> tuple[int | str | None, str, str]:
        self._monkeypatch.setattr(sys, "argv", ["peerpause", "migrate", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = self._capsys.readouterr()
        return ended.value.code, told.out, told.err

    def json(self, *arguments: str) -> tuple[int | str | None, object]:
        code, out, _ = self(*arguments, "--json")
        return code, json.loads(out)


@pytest.fixture
def migrate(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    return Command(empty_database, monkeypatch, capsys)


def test_it_goes_up_and_says_so_once(migrate: Command) -> None:
    code, out, _ = migrate("up")
    assert (code, out.splitlines()) == (0, [f"applied {each.stem}" for each in sql.migrations()])
    assert migrate("up")[:2] == (0, "The database is up to date.\n")


def test_it_answers_programs_in_json(migrate: Command) -> None:
    stems = [each.stem for each in sql.migrations()]
    assert migrate.json("up") == (0, {"applied": stems})
    assert migrate.json("verify") == (0, {"ok": True, "findings": []})
    assert migrate.json("down", "--yes") == (0, {"taken_back": stems[-1:]})
    code, status = migrate.json("status")
    assert isinstance(status, dict)
    assert (code, status["pending"], status["unknown"], status["foreign"]) == (0, 1, [], 0)
    assert status["migrations"][-1] == {"version": NEWEST.version, "name": NEWEST.name, "applied": False}


def test_status_tells_applied_from_pending(migrate: Command) -> None:
    migrate("up")
    migrate("down", "--yes")
    code, out, _ = migrate("status")
    assert code == 0
    assert out.splitlines()[-1] == f"pending  {NEWEST.stem}"
    assert out.splitlines()[0] == f"applied  {sql.migrations()[0].stem}"


def test_verify_ends_with_1_when_something_is_wrong(migrate: Command, empty_database: Database) -> None:
    migrate("up")
    with psycopg.connect(empty_database.url) as connection:
        connection.execute(
            "update supabase_migrations.schema_migrations set statements[1] = 'select 1' where version = %s",
            [NEWEST.version],
        )
    code, out, _ = migrate("verify")
    assert (code, out.startswith(f"edited       {NEWEST.stem}.sql is not what was applied")) == (1, True)
    code, answer = migrate.json("verify")
    assert isinstance(answer, dict)
    assert (code, answer["ok"], answer["findings"][0]["kind"]) == (1, False, "edited")


def test_it_takes_an_address_on_the_command_line(migrate: Command, empty_database: Database) -> None:
    code, _, err = migrate("up", "--database-url", "postgresql://postgres@127.0.0.1:1/nowhere")
    assert (code, err.startswith("peerpause: The database does not answer")) == (1, True)


def test_it_refuses_in_a_line_and_a_hint_without_a_stack_trace(migrate: Command) -> None:
    code, out, err = migrate("down", "--yes", "--to", "19990101000000")
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        "peerpause: This database does not hold a migration of ours with the version 19990101000000.",
        "  `peerpause migrate status` lists them; 0 means all of ours.",
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        ("down", "--steps", "1", "--to", "0"),
        ("up", "--no-such-option"),
        ("sideways",),
        ("down", "--steps", "0"),
        ("down",),
    ],
)
def test_it_ends_with_2_when_used_wrongly(migrate: Command, wrong: tuple[str, ...]) -> None:
    assert migrate(*wrong)[0] == 2


def test_it_asks_a_person_before_data_is_dropped(
    migrate: Command, monkeypatch: pytest.MonkeyPatch, empty_database: Database
) -> None:
    migrate("up")
    terminal, screen = os.openpty()
    with open(screen) as keyboard, open(terminal, "w") as hand:  # noqa: PTH123 - a descriptor, not a path
        monkeypatch.setattr(sys, "stdin", keyboard)
        hand.write("n\n")
        hand.flush()
        assert migrate("down")[0] == 1
        assert migrate("down", "--yes")[:2] == (0, f"taken back {NEWEST.stem}\n")


def test_without_an_address_it_uses_the_embedded_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, migrate: Command
) -> None:
    monkeypatch.delenv("PEERPAUSE_DATABASE_URL")
    monkeypatch.chdir(tmp_path)
    code, out, _ = migrate("status")
    assert code == 0
    assert out.splitlines() == [f"pending  {each.stem}" for each in sql.migrations()]
    assert (tmp_path / ".peerpause" / "postgres" / "PG_VERSION").exists()
    assert not (tmp_path / ".peerpause" / "postgres" / "postmaster.pid").exists()


def test_ctrl_c_ends_it_with_130_and_leaves_nothing_half_done(empty_database: Database) -> None:
    holder = psycopg.connect(empty_database.url)
    holder.execute("select pg_advisory_xact_lock(hashtextextended('peerpause.migrate', 0))")
    program = "from peerpause.cli import main; main()"
    working = subprocess.Popen(
        [sys.executable, "-c", program, "migrate", "up", "--database-url", empty_database.url],
        stderr=subprocess.PIPE,
    )
    with psycopg.connect(empty_database.url, autocommit=True) as watcher:
        waits = "select from pg_locks where locktype = 'advisory' and not granted"
        while watcher.execute(waits).fetchone() is None:
            assert working.poll() is None
        working.send_signal(signal.SIGINT)
        _, err = working.communicate(timeout=30)
        holder.close()
        assert working.returncode == 130
        assert b"Traceback" not in err
        found = watcher.execute("select to_regnamespace('supabase_migrations') is null").fetchone()
        assert found == (True,)
