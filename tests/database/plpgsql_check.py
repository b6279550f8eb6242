"""PostgreSQL's linter of function bodies, where the server has it."""

from __future__ import annotations

import psycopg
import pytest

from tests.conftest import not_run
from tests.servers import Database


def require_plpgsql_check(database: Database) -> None:
    """Go on where the extension can be had. The embedded server comes without it; the machine's own should have it."""
    with psycopg.connect(database.url) as connection:
        found = connection.execute(
            "select 1 from pg_available_extensions where name = 'plpgsql_check'"
        ).fetchone()
    if found is not None:
        return
    if "embedded" in database.server.id:
        pytest.skip(
            "the embedded server comes without plpgsql_check; the machine's own server runs this test"
        )
    not_run("the check of function bodies (apt-get install postgresql-15-plpgsql-check)")
