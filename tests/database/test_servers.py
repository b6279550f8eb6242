"""Promises of the test servers themselves: real, separate, and somebody else when asked."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest

from tests.servers import OLDEST_SUPPORTED, Database, Server


def test_it_runs_a_supported_postgresql(server: Server) -> None:
    with psycopg.connect(server.url()) as connection:
        assert connection.info.server_version >= OLDEST_SUPPORTED * 10_000


def test_it_answers_on_the_socket_too(server: Server) -> None:
    with psycopg.connect(server.socket_url()) as connection:
        assert connection.info.host == server.folder


def test_it_keeps_tests_apart(server: Server) -> None:
    with server.new_database() as first, server.new_database() as second:
        with psycopg.connect(first.url) as connection:
            connection.execute("create table only_here ()")
        with psycopg.connect(second.url) as connection, pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("select from only_here")


def test_it_lets_a_signed_in_person_come_in_as_a_request_does(database: Database) -> None:
    person = uuid4()
    with psycopg.connect(database.url_as("authenticated", sub=person, note="a b\\c")) as connection:
        row = connection.execute(
            "select current_user, session_user, auth.uid(), auth.role(), auth.jwt() ->> 'note'"
        ).fetchone()
    assert row == ("authenticated", "authenticator", person, "authenticated", "a b\\c")
