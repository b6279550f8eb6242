"""Everybody sets their own preferences, nobody another's, and the outbox keeps to them."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.cast import World, build_world
from tests.servers import Database

_SET = "select * from set_notification_preferences(%s, %s, %s, %s, %s, %s)"


@pytest.fixture
def world(database: Database) -> World:
    return build_world(database.url)


def test_they_are_kept_for_the_caller_and_nobody_else(database: Database, world: World) -> None:
    with psycopg.connect(
        database.url_as("authenticated", sub=world.bo.user_id), row_factory=dict_row
    ) as connection:
        kept = connection.execute(_SET, (False, True, "nn", "Europe/Oslo", "22:00", "07:00")).fetchone()
    assert kept is not None
    assert (kept["push_enabled"], kept["email_preferred"], kept["language"]) == (False, True, "nn")
    with psycopg.connect(database.url) as connection:
        off = connection.execute("select user_id from people where not push_enabled").fetchall()
    assert off == [(world.bo.user_id,)]


@pytest.mark.parametrize(
    "wrong",
    [
        (None, True, None, None, None, None),
        (True, None, None, None, None, None),
        (True, True, "fr", None, None, None),
        (True, True, None, "Mars/Olympus", None, None),
        (True, True, None, None, "22:00", None),
    ],
    ids=["push unsaid", "mail unsaid", "language", "time zone", "half a night"],
)
def test_what_cannot_be_kept_is_refused_and_changes_nothing(
    database: Database, world: World, wrong: tuple[object, ...]
) -> None:
    with (
        psycopg.connect(database.url_as("authenticated", sub=world.bo.user_id)) as connection,
        pytest.raises(psycopg.errors.InvalidParameterValue),
    ):
        connection.execute(_SET, wrong)
    with psycopg.connect(database.url) as connection:
        assert connection.execute("select count(*) from people where not push_enabled").fetchone() == (0,)


def test_whoever_is_not_in_the_directory_is_told_so(database: Database, world: World) -> None:
    with (
        psycopg.connect(database.url_as("authenticated", sub=world.stranger_id)) as connection,
        pytest.raises(psycopg.Error) as refusal,
    ):
        connection.execute(_SET, (True, False, None, None, None, None))
    assert refusal.value.sqlstate == "PT404"


def test_a_visitor_sets_nothing(database: Database, world: World) -> None:
    with (
        psycopg.connect(database.url_as("anon")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(_SET, (True, False, None, None, None, None))
