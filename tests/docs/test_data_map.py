"""The data map is whole: every column of every table of ours stands in it once, and it names none that is not there."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import psycopg

from tests.servers import Database

_PAGE = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")
_ROW = re.compile(
    r"^\| `(\w+)` \| ((?:`\w+`(?:, )?)+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE
)


def test_every_column_of_every_table_is_in_the_data_map_once(module_database: Database) -> None:
    told = Counter(
        f"{table}.{column}"
        for table, columns, *_ in _ROW.findall(_PAGE)
        for column in re.findall(r"`(\w+)`", columns)
    )
    with psycopg.connect(module_database.url) as connection:
        rows = connection.execute(
            "select c.relname, a.attname from pg_class as c inner join pg_attribute as a on a.attrelid = c.oid"
            " where c.relnamespace in ('public'::regnamespace, 'peerpause'::regnamespace)"
            " and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped"
        ).fetchall()
    there = {f"{table}.{column}" for table, column in rows}
    assert there - told.keys() == set(), (
        "say in docs/privacy.md whose these are, what for, how long, and who sees them"
    )
    assert told.keys() - there == set(), "these are gone"
    assert [column for column, times in told.items() if times > 1] == []


def test_no_cell_of_the_data_map_is_empty() -> None:
    assert all(cell.strip() for row in _ROW.findall(_PAGE) for cell in row)
