"""`peerpause supabase export`, judged by the Supabase CLI itself: it applies what it is given and finds no fault with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from peerpause import cli, sql
from peerpause.database.migrate import Migrator
from tests.database.catalogue import catalogue_of, differences
from tests.database.plpgsql_check import require_plpgsql_check
from tests.servers import Database

FILES = [f"supabase/migrations/{each.stem}.sql" for each in sql.migrations()]
CONFIG = "supabase/config.toml"

Export = Callable[..., tuple[int | str | None, str, str]]


@pytest.fixture
def export(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Export:
    """Runs `peerpause supabase export …`; answers its exit code and what it printed."""

    def run(*arguments: object) -> tuple[int | str | None, str, str]:
        monkeypatch.setattr(sys, "argv", ["peerpause", "supabase", "export", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return run


class Supabase:
    """The CLI in a project folder, pointed at one database."""

    def __init__(self, program: Path, folder: Path, database: Database) -> None:
        self._program = program
        self._folder = folder
        self._database = database

    def __call__(self, *arguments: str) -> str:
        done = self._run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def json(self, *arguments: str) -> tuple[int, Any]:
        done = self._run(*arguments, "--output-format", "json")
        return done.returncode, json.loads(done.stdout)

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._program, *arguments, "--db-url", self._database.url],
            cwd=self._folder,
            env={**os.environ, "HOME": str(self._folder), "DO_NOT_TRACK": "1", "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def project(supabase_cli: Path, tmp_path: Path, empty_database: Database, export: Export) -> Supabase:
    """A Supabase project that has been given our migrations, and an empty database."""
    assert export(tmp_path)[0] == 0
    return Supabase(supabase_cli, tmp_path, empty_database)


@pytest.fixture
def judge(supabase_cli: Path, tmp_path: Path, module_database: Database) -> Supabase:
    """The CLI pointed at a migrated database."""
    return Supabase(supabase_cli, tmp_path, module_database)


def test_it_lays_out_a_project(export: Export, tmp_path: Path) -> None:
    code, out, _ = export(tmp_path / "new project")
    assert code == 0
    found = {str(f.relative_to(tmp_path / "new project")) for f in tmp_path.rglob("*") if f.is_file()}
    assert found == {CONFIG, *FILES}
    assert 'project_id = "new-project"' in (tmp_path / "new project" / CONFIG).read_text()
    for migration, file in zip(sql.migrations(), FILES, strict=True):
        assert (tmp_path / "new project" / file).read_text(encoding="utf-8") == migration.text
        assert f"wrote {tmp_path / 'new project' / file}" in out


def test_it_does_nothing_the_second_time(export: Export, tmp_path: Path) -> None:
    export(tmp_path)
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")}
    code, out, _ = export(tmp_path, "--json")
    assert code == 0
    assert json.loads(out) == {"folder": str(tmp_path), "written": [], "unchanged": FILES}
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")} == before


def test_it_adds_to_a_project_what_is_missing(export: Export, tmp_path: Path) -> None:
    (tmp_path / CONFIG).parent.mkdir()
    (tmp_path / CONFIG).write_text('project_id = "theirs"\n')
    export(tmp_path)
    (tmp_path / FILES[-1]).unlink()
    (tmp_path / "supabase/migrations/20250101000000_theirs.sql").write_text("select 1;")
    code, out, _ = export(tmp_path, "--json")
    assert code == 0
    assert json.loads(out)["written"] == [FILES[-1]]
    assert (tmp_path / CONFIG).read_text() == 'project_id = "theirs"\n'


@pytest.mark.parametrize(
    "obstacle", [FILES[1], f"supabase/migrations/{sql.migrations()[1].version}_theirs.sql"]
)
def test_it_never_overwrites_and_then_writes_nothing_at_all(
    export: Export, tmp_path: Path, obstacle: str
) -> None:
    (tmp_path / obstacle).parent.mkdir(parents=True)
    (tmp_path / obstacle).write_text("select 'theirs';")
    code, out, err = export(tmp_path)
    assert (code, out) == (1, "")
    assert obstacle in err
    assert [f for f in tmp_path.rglob("*") if f.is_file()] == [tmp_path / obstacle]
    assert (tmp_path / obstacle).read_text() == "select 'theirs';"


def test_it_takes_a_file_with_windows_line_ends_for_what_it_is(export: Export, tmp_path: Path) -> None:
    export(tmp_path)
    file = tmp_path / FILES[0]
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert export(tmp_path)[0] == 0


def test_it_says_so_where_it_may_not_write(export: Export, tmp_path: Path) -> None:
    (tmp_path / "supabase").write_text("a file, not a folder")
    code, _, err = export(tmp_path)
    assert code == 1
    assert "cannot be read or written" in err


async def test_supabase_pushes_what_was_exported_and_both_sides_agree(
    project: Supabase, empty_database: Database, database: Database
) -> None:
    project("db", "push", "--yes")
    ours = Migrator(url=empty_database.url)
    ledger = await ours.status()
    assert await ours.verify() == ()
    assert ledger.pending == ()
    assert listed(project) == [(each.version, each.version) for each in ledger.applied]
    assert differences(catalogue_of(database.url), catalogue_of(empty_database.url)) == []


async def test_a_database_that_we_migrated_is_up_to_date_for_supabase(
    project: Supabase, empty_database: Database
) -> None:
    await Migrator(url=empty_database.url).up()
    assert "up to date" in project("db", "push", "--yes")
    assert listed(project) == [(each.version, each.version) for each in sql.migrations()]


def test_its_linter_finds_nothing(judge: Supabase, module_database: Database) -> None:
    require_plpgsql_check(module_database)
    code, found = judge.json("db", "lint", "--level", "warning", "--fail-on", "warning")
    assert (found["results"], code) == ([], 0)


def test_its_advisors_warn_of_nothing_but_bodies_they_cannot_see_into(
    judge: Supabase, module_database: Database
) -> None:
    """They miss a search_path on functions whose body was bound when it was made, where no search_path can change anything."""
    with psycopg.connect(module_database.url) as connection:
        bound = connection.execute(
            "select p.pronamespace::regnamespace || '.' || p.proname from pg_proc as p"
            " where p.pronamespace = 'peerpause'::regnamespace"
            " and p.prosqlbody is not null and p.proconfig is null and not p.prosecdef"
        ).fetchall()
    _, found = judge.json("db", "advisors", "--type", "all", "--level", "warn")
    assert sorted((each["name"], each["detail"].split("`")[1]) for each in found["results"]) == sorted(
        ("function_search_path_mutable", name) for (name,) in bound
    )


def test_its_advisors_would_warn(judge: Supabase, module_database: Database) -> None:
    with psycopg.connect(module_database.url) as connection:
        connection.execute("create function public.careless() returns int language sql return 1")
        connection.commit()
        code, found = judge.json("db", "advisors", "--type", "all", "--level", "warn", "--fail-on", "warn")
        connection.execute("drop function public.careless()")
    assert code != 0
    assert "careless" in json.dumps(found)


def listed(project: Supabase) -> list[tuple[str, str]]:
    """The columns Local and Remote of `supabase migration list`."""
    rows = [line.replace("`", " ").split("|") for line in project("migration", "list").splitlines()]
    cells = [(row[0].strip(), row[1].strip()) for row in rows if len(row) == 3]
    return [(local, remote) for local, remote in cells if (local + remote).isdigit()]
