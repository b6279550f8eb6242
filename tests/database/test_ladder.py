"""Every step up has its step down, and a database that went down and up again is the one it was."""

from __future__ import annotations

import re
from collections.abc import Sequence

import psycopg
import pytest
from psycopg import sql

from peerpause.database.migrate import Migrator
from peerpause.sql import Migration, migrations
from tests.database.catalogue import Catalogue, catalogue_of, differences
from tests.database.filling import fill
from tests.servers import Database

ALL = migrations()


def migrator(database: Database, steps: Sequence[Migration] = ALL) -> Migrator:
    return Migrator(url=database.url, migrations=steps)


@pytest.mark.parametrize("filled", [False, True], ids=["empty", "filled"])
async def test_each_rollback_returns_what_was_before_its_migration(
    empty_database: Database, filled: bool
) -> None:
    before = [catalogue_of(empty_database.url)]
    for height in range(1, len(ALL) + 1):
        await migrator(empty_database, ALL[:height]).up()
        before.append(catalogue_of(empty_database.url))
    if filled:
        fill(empty_database.url)
        assert tables_without_rows(empty_database) == []
    for height in range(len(ALL), 0, -1):
        await migrator(empty_database, ALL[:height]).down()
        found = differences(
            _but_for_validation(before[height - 1]), _but_for_validation(catalogue_of(empty_database.url))
        )
        assert not found, f"after rollbacks/{ALL[height - 1].stem}.sql:\n" + "\n".join(found)
    await migrator(empty_database).up()
    assert differences(before[-1], catalogue_of(empty_database.url)) == []
    fill(empty_database.url)


# That each step returns what was before it is tried above, so a few heights stand for all.
@pytest.mark.parametrize("height", [1, len(ALL) // 2, len(ALL)])
async def test_up_to_any_height_down_to_the_ground_and_up_again(
    empty_database: Database, height: int
) -> None:
    steps = ALL[:height]
    ground = catalogue_of(empty_database.url)
    await migrator(empty_database, steps).up()
    top = catalogue_of(empty_database.url)
    await migrator(empty_database, steps).down(to="0")
    assert differences(ground, catalogue_of(empty_database.url)) == []
    await migrator(empty_database, steps).up()
    assert differences(top, catalogue_of(empty_database.url)) == []


def test_every_migration_can_be_taken_back() -> None:
    assert [each.stem for each in ALL if not each.rollback] == []


def _but_for_validation(catalogue: Catalogue) -> Catalogue:
    """A constraint that one migration adds and the next validates stays validated on the way down: the rows were looked at."""
    return {
        what: re.sub(r"( NOT VALID|\nnot validated)\b", "", definition)
        for what, definition in catalogue.items()
    }


def tables_without_rows(database: Database) -> list[str]:
    """Tables of ours that a filled database should have rows in and has not."""
    with psycopg.connect(database.url) as connection:
        names = connection.execute(
            "select n.nspname, c.relname from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace"
            " where n.nspname in ('public', 'peerpause') and c.relkind in ('r', 'p') and c.relname not like 'adopted_%'"
            " order by 1, 2"
        ).fetchall()
        empty = []
        for schema, table in names:
            row = connection.execute(
                sql.SQL("select not exists (select from {})").format(sql.Identifier(schema, table))
            ).fetchone()
            if row == (True,):
                empty.append(f"{schema}.{table}")
        return empty
