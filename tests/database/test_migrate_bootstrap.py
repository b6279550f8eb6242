"""Promises of the first migration: plain PostgreSQL gets what Supabase has, and whoever has it already is left alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from peerpause import sql
from peerpause.database.migrate import Migrator
from tests.servers import REQUEST_ROLES, Database, Server

BOOTSTRAP = sql.migrations()[0]
OUR_ROLES = REQUEST_ROLES | {"authenticator"}


@pytest.fixture
def two_databases(own_server: Server) -> Iterator[tuple[Database, Database]]:
    """Two databases on a server where nobody has been before."""
    with ExitStack() as stack:
        one, two = (stack.enter_context(own_server.new_database(template="template0")) for _ in range(2))
        yield one, two
    with psycopg.connect(own_server.url(), autocommit=True) as connection:
        for (role,) in connection.execute(_ROLES).fetchall():
            connection.execute(SQL("drop role {}").format(Identifier(role)))


_ROLES = "select rolname from pg_roles where rolname !~ '^pg_' and rolname <> 'postgres'"


def bootstrap(database: Database, remarks: list[str] | None = None) -> Migrator:
    heard = [] if remarks is None else remarks
    return Migrator(url=database.url, migrations=[BOOTSTRAP], on_notice=heard.append)


def ask(database: Database, question: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database.url, autocommit=True) as connection:
        return connection.execute(question.encode()).fetchall()


def roles_of(database: Database) -> set[object]:
    return {row[0] for row in ask(database, _ROLES)}


async def test_it_makes_the_roles_as_supabase_has_them(two_databases: tuple[Database, Database]) -> None:
    database, _ = two_databases
    await bootstrap(database).up()
    assert ask(
        database,
        "select rolname, rolcanlogin, rolinherit, rolbypassrls, rolsuper, rolcreaterole from pg_roles"
        " where rolname !~ '^pg_' and rolname <> 'postgres' order by rolname",
    ) == [
        ("anon", False, False, False, False, False),
        ("authenticated", False, False, False, False, False),
        ("authenticator", False, False, False, False, False),
        ("service_role", False, False, True, False, False),
    ]
    members = ask(
        database,
        "select roleid::regrole::text from pg_auth_members where member = 'authenticator'::regrole order by 1",
    )
    assert {row[0] for row in members} == REQUEST_ROLES


async def test_two_databases_of_one_server_can_be_set_up_at_once(
    two_databases: tuple[Database, Database],
) -> None:
    one, two = two_databases
    async with await psycopg.AsyncConnection.connect(one.url) as first:
        await first.execute(BOOTSTRAP.text.encode())
        second = asyncio.create_task(bootstrap(two).up())
        waits = b"select from pg_locks where not granted and locktype = 'transactionid'"
        async with await psycopg.AsyncConnection.connect(one.url, autocommit=True) as watcher:
            while await (await watcher.execute(waits)).fetchone() is None:
                assert not second.done()
        await first.commit()
        assert await second == (BOOTSTRAP,)
    assert roles_of(two) == OUR_ROLES
    assert ask(two, "select auth.uid()") == [(None,)]


async def test_taking_it_back_keeps_roles_that_another_database_needs(
    two_databases: tuple[Database, Database],
) -> None:
    one, two = two_databases
    await bootstrap(one).up()
    await bootstrap(two).up()
    remarks: list[str] = []
    await bootstrap(one, remarks).down()
    assert roles_of(one) == OUR_ROLES
    assert any("role anon is kept" in remark for remark in remarks)
    assert ask(one, "select to_regnamespace('auth') is null") == [(True,)]
    assert ask(two, "select auth.role()") == [(None,)]

    await bootstrap(one).up()
    assert roles_of(one) == OUR_ROLES
    assert len(ask(one, "select from pg_auth_members where member = 'authenticator'::regrole")) == 3


async def test_taking_it_back_everywhere_leaves_nothing_behind(
    two_databases: tuple[Database, Database],
) -> None:
    for database in two_databases:
        await bootstrap(database).up()
    for database in two_databases:
        await bootstrap(database).down()
    assert roles_of(two_databases[0]) == set()


async def test_it_leaves_what_supabase_made_alone_and_needs_no_right_to_it(
    two_databases: tuple[Database, Database],
) -> None:
    database, _ = two_databases
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(_AS_ON_SUPABASE.encode())
    before = ask(database, _EVERYTHING_IN_AUTH), roles_of(database)
    customer = Migrator(url=database.url_as("customer"), migrations=[BOOTSTRAP])
    await customer.up()
    assert (ask(database, _EVERYTHING_IN_AUTH), roles_of(database)) == before
    await customer.down()
    assert (ask(database, _EVERYTHING_IN_AUTH), roles_of(database)) == before


_AS_ON_SUPABASE = """
    create role anon; create role authenticated; create role service_role; create role authenticator login;
    create role supabase_auth_admin; create role customer login createrole;
    do $$ begin execute format('grant create on database %I to customer', current_database()); end $$;
    create schema auth authorization supabase_auth_admin;
    set role supabase_auth_admin;
    create function auth.uid() returns uuid language sql stable as 'select null::uuid';
    create function auth.role() returns text language sql stable as 'select null::text';
    create function auth.jwt() returns jsonb language sql stable as 'select null::jsonb';
"""
_EVERYTHING_IN_AUTH = """
    select oid, proname, prosrc, proowner, proacl::text from pg_proc where pronamespace = 'auth'::regnamespace
    union all
    select oid, nspname, null, nspowner, nspacl::text from pg_namespace where nspname = 'auth'
    order by 1
"""


async def test_it_keeps_what_others_have_come_to_need(two_databases: tuple[Database, Database]) -> None:
    database, _ = two_databases
    await bootstrap(database).up()
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("create view theirs as select auth.uid() as person")
    remarks: list[str] = []
    await bootstrap(database, remarks).down()
    assert {remark.partition(":")[0] for remark in remarks} >= {
        "function auth.uid() is kept",
        "schema auth is kept",
    }
    assert ask(database, "select person, to_regprocedure('auth.jwt()') is null from theirs") == [(None, True)]


def test_it_reads_who_is_asking_from_the_token(database: Database) -> None:
    person = uuid4()
    token = json.dumps({"sub": str(person), "role": "authenticated", "aal": "aal2"})
    with psycopg.connect(database.url) as connection:
        connection.execute("select set_config('request.jwt.claims', %s, true)", [token])
        row = connection.execute("select auth.uid(), auth.role(), auth.jwt() ->> 'aal'").fetchone()
    assert row == (person, "authenticated", "aal2")


def test_it_reads_the_older_settings_too(database: Database) -> None:
    person = uuid4()
    with psycopg.connect(database.url) as connection:
        connection.execute("select set_config('request.jwt.claim.sub', %s, true)", [str(person)])
        connection.execute("select set_config('request.jwt.claim.role', 'anon', true)")
        row = connection.execute("select auth.uid(), auth.role()").fetchone()
    assert row == (person, "anon")


@pytest.mark.parametrize("token", [None, "", "{}"])
def test_nobody_is_asking_without_a_token(database: Database, token: str | None) -> None:
    with psycopg.connect(database.url) as connection:
        if token is not None:
            connection.execute("select set_config('request.jwt.claims', %s, true)", [token])
        row = connection.execute("select auth.uid(), auth.role()").fetchone()
    assert row == (None, None)
