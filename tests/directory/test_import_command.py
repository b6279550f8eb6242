"""`peerpause import` at the terminal: what it prints, on which stream, and its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from peerpause.cli import main
from tests.servers import Database

_ORGANISATIONS = "organisation,name\nlag,Laget\n"
_CHAPTERS = "organisation,chapter,name\nlag,north,Nord\n"


@dataclass(frozen=True, slots=True)
class Done:
    """What a finished command leaves behind."""

    code: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`peerpause import …`, in this process; without a database its address leads nowhere."""

    def _run(*arguments: str | Path, database: Database | None = None) -> Done:
        address = database.url if database else "postgresql://127.0.0.1:1/none"
        words = ["peerpause", "import", *map(str, arguments), "--database-url", address]
        monkeypatch.setattr("sys.argv", words)
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, out, err)

    return _run


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    organisations, chapters = tmp_path / "organisations.csv", tmp_path / "chapters [old].csv"
    organisations.write_text(_ORGANISATIONS, encoding="utf-8")
    chapters.write_text(_CHAPTERS, encoding="utf-8")
    return organisations, chapters


def _organisations(database: Database) -> int:
    with psycopg.connect(database.url) as connection:
        row = connection.execute("select count(*) from organisations").fetchone()
    assert row is not None
    return int(row[0])


def test_without_apply_it_says_what_it_would_do_and_does_not(
    run: Command, database: Database, files: tuple[Path, Path]
) -> None:
    done = run(*files, database=database)

    assert (done.code, _organisations(database)) == (0, 0)
    assert "2 rows would be written. Nothing was changed: add --apply to do it." in done.out


def test_with_apply_it_imports_and_the_second_time_there_is_nothing_to_do(
    run: Command, database: Database, files: tuple[Path, Path]
) -> None:
    first = run(*files, "--apply", database=database)
    second = run(*files, "--apply", database=database)

    assert (first.code, second.code, _organisations(database)) == (0, 0, 1)
    assert "Imported: 2 rows written." in first.out
    assert "Imported: 0 rows written." in second.out


def test_findings_name_file_line_and_column_and_end_with_1(
    run: Command, database: Database, files: tuple[Path, Path]
) -> None:
    chapters = files[1]
    chapters.write_text(_CHAPTERS + "lag,south,\n", encoding="utf-8")

    done = run(*files, "--apply", database=database)

    assert (done.code, _organisations(database)) == (1, 0)
    assert f"{chapters}, line 3, column name: The cell is empty. Fill it in." in done.out


def test_json_goes_alone_to_standard_output(
    run: Command, database: Database, files: tuple[Path, Path]
) -> None:
    plan = json.loads(run(*files, "--json", database=database).out)
    report = json.loads(run(*files, "--json", "--apply", database=database).out)

    assert (plan["ok"], plan["applied"], report["ok"], report["applied"]) == (True, False, True, True)
    assert plan["counts"] == report["counts"]
    assert report["counts"]["chapters"] == {"created": 1, "changed": 0, "unchanged": 0}


def test_json_lists_the_findings(run: Command, database: Database, files: tuple[Path, Path]) -> None:
    done = run(files[1], "--json", database=database)

    assert done.code == 1
    (finding,) = json.loads(done.out)["findings"]
    assert (finding["line"], finding["column"], finding["problem"]) == (
        2,
        "organisation",
        "unknown_organisation",
    )


@pytest.mark.parametrize("as_json", [False, True])
def test_what_only_the_database_refuses_is_told_as_well(
    run: Command, database: Database, files: tuple[Path, Path], as_json: bool
) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute("alter table chapters add constraint no_north check (name <> 'Nord')")

    done = run(*files, "--apply", *(["--json"] if as_json else []), database=database)

    assert (done.code, _organisations(database)) == (1, 0)
    assert "no_north" in done.out


def test_a_file_that_is_not_there_is_a_wrong_use(run: Command, tmp_path: Path) -> None:
    assert run(tmp_path / "missing.csv").code == 2


def test_no_file_at_all_is_a_wrong_use(run: Command) -> None:
    assert run().code == 2


def test_a_database_that_is_away_is_told_in_a_sentence(run: Command, files: tuple[Path, Path]) -> None:
    done = run(*files)

    assert done.code == 1
    assert "The database cannot be reached." in done.err
    assert "Traceback" not in done.err
