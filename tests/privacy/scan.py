"""Looks for a text in every column of every table, by the catalogue, so that no table can be forgotten."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import sql

from tests.database.acting import Session


def places_that_hold(session: Session, words: Iterable[str]) -> set[str]:
    """The columns, of any schema but PostgreSQL's own, in which one of these words stands."""
    columns = session.execute(
        "select c.table_schema, c.table_name, c.column_name from information_schema.columns as c"
        " inner join information_schema.tables as t using (table_schema, table_name)"
        " where t.table_type = 'BASE TABLE' and c.table_schema not in ('pg_catalog', 'information_schema')"
    ).fetchall()
    found = set()
    for column in columns:
        schema, table, name = column.values()
        query = sql.SQL("select 1 from {} as t where strpos(lower(t.{}::text), %s) > 0 limit 1").format(
            sql.Identifier(schema, table), sql.Identifier(name)
        )
        for word in words:
            if session.execute(query, (word.lower(),)).fetchone():
                found.add(f"{table}.{name}")
    return found
