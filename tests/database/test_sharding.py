"""Which statements would cross organisations on a database that is sharded by them: all are listed in the guide, with none left out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import servers
from tests.project.sources import PACKAGE, ROOT
from tests.servers import Database

_QUERIES = sorted((PACKAGE / "sql" / "queries").glob("*.sql"))
_GUIDE = Path(ROOT, "docs", "operations", "citus.md")
_ROW = re.compile(r"^\| `(\w+)` \| (.+?) \|", re.M)
_PARAMETER = re.compile(r"%\((\w+)\)s")
# Statements that have no plan (listen, create), and those about what is not in this database (pg_cron, the worker's tables, a function to be named).
_NO_PLAN = (
    psycopg.errors.SyntaxError,
    psycopg.errors.IndeterminateDatatype,
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedTable,
)
# `explain (generic_plan)` came with PostgreSQL 16; the embedded server has it.
_ABLE = [kind for kind in servers.installed() if kind.id.startswith("pg18")] or list(servers.installed()[:1])


@pytest.mark.parametrize("server", _ABLE, indirect=True, ids=lambda kind: kind.id)
def test_the_guide_lists_every_statement_that_crosses_organisations(module_database: Database) -> None:
    said = {
        name: set(re.findall(r"`(\w+)`", tables))
        for name, tables in _ROW.findall(_GUIDE.read_text(encoding="utf-8"))
    }
    with psycopg.connect(module_database.url, autocommit=True) as connection:
        found = {path.stem: crossings for path in _QUERIES if (crossings := crossings_of(connection, path))}
    assert found == said


@pytest.mark.parametrize("server", _ABLE, indirect=True, ids=lambda kind: kind.id)
def test_it_tells_one_that_stays_from_one_that_crosses(module_database: Database, tmp_path: Path) -> None:
    stays, crosses = tmp_path / "stays.sql", tmp_path / "crosses.sql"
    stays.write_text(
        "select p.id from public.peer_mentors as p where p.organisation_id = %(o)s::uuid and p.id = %(m)s::uuid"
    )
    crosses.write_text("select p.id from public.peer_mentors as p where p.user_id = %(u)s::uuid")
    with psycopg.connect(module_database.url, autocommit=True) as connection:
        assert crossings_of(connection, stays) == set()
        assert crossings_of(connection, crosses) == {"peer_mentors"}


def crossings_of(connection: psycopg.Connection[Any], path: Path) -> set[str]:
    """The tables that a query reads or writes without saying of which organisation, by its generic plan."""
    text = path.read_text(encoding="utf-8")
    if "{" in re.sub(r"'[^']*'", "", text):
        return set()  # a form that names are put into
    names: list[str] = []

    def numbered(found: re.Match[str]) -> str:
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    statement = _PARAMETER.sub(numbered, text).replace("%%", "%")
    try:
        with psycopg.ClientCursor(connection) as cursor:
            cursor.execute(f"explain (generic_plan, verbose, format json) {statement}".encode())
            row = cursor.fetchone()
    except _NO_PLAN:
        return set()
    assert row is not None
    plan = row[0] if isinstance(row[0], list) else json.loads(row[0])
    nodes = list(nodes_of(plan[0]["Plan"]))
    conditions = " ".join(
        str(value) for node in nodes for key, value in node.items() if key.endswith(("Cond", "Filter"))
    )
    ours = tables_of_organisations(connection)
    return {
        node["Relation Name"]
        for node in nodes
        if node.get("Relation Name") in ours
        and node["Node Type"] != "ModifyTable"
        and not re.search(rf"\b{re.escape(node['Alias'])}\.organisation_id\b", conditions)
    }


def nodes_of(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from nodes_of(child)


def tables_of_organisations(connection: psycopg.Connection[Any]) -> set[str]:
    rows = connection.execute(
        "select c.relname::text from pg_class as c inner join pg_attribute as a on a.attrelid = c.oid"
        " where a.attname = 'organisation_id' and not a.attisdropped and c.relkind = 'r'"
        " and c.relnamespace in ('public'::regnamespace, 'peerpause'::regnamespace)"
    ).fetchall()
    return {name for (name,) in rows}
