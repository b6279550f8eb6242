"""Promises of the loader: which files are migrations, and what is said of a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from peerpause import sql
from peerpause.errors import ConfigurationError


def folder_with(tmp_path: Path, *names: str) -> Path:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "rollbacks").mkdir()
    for name in names:
        (tmp_path / name).write_text(f"-- {name}\n", encoding="utf-8")
    return tmp_path


def test_it_reads_migrations_oldest_first_with_their_ways_back(tmp_path: Path) -> None:
    folder = folder_with(
        tmp_path,
        "migrations/20270101000000_peerpause_second.sql",
        "migrations/20260101000000_peerpause_first.sql",
        "migrations/README.md",
        "rollbacks/20260101000000_peerpause_first.sql",
    )
    assert [(each.version, each.name, each.rollback) for each in sql.read_migrations(folder)] == [
        ("20260101000000", "peerpause_first", "-- rollbacks/20260101000000_peerpause_first.sql\n"),
        ("20270101000000", "peerpause_second", None),
    ]


def test_it_refuses_a_file_without_a_timestamp(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"add_table\.sql is not named like a migration"):
        sql.read_migrations(folder_with(tmp_path, "migrations/add_table.sql"))


def test_it_refuses_two_migrations_of_one_version(tmp_path: Path) -> None:
    folder = folder_with(
        tmp_path, "migrations/20260101000000_peerpause_a.sql", "migrations/20260101000000_peerpause_b.sql"
    )
    with pytest.raises(ConfigurationError, match="share the version 20260101000000"):
        sql.read_migrations(folder)


def test_it_names_a_query_that_does_not_exist() -> None:
    with pytest.raises(ConfigurationError, match="no query 'no_such_query'"):
        sql.query("no_such_query")


def test_it_finds_a_query_by_its_name() -> None:
    assert "pg_advisory_xact_lock" in sql.query("lock_ledger")


def test_every_migration_of_ours_is_named_as_ours_and_has_a_way_back() -> None:
    strays = [
        each.stem
        for each in sql.migrations()
        if not each.name.startswith("peerpause_") or each.rollback is None
    ]
    assert strays == []
