"""Each way the database refuses has one answer of ours, and no answer repeats data."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from peerpause.database.errors import Refusal, from_driver, refusals_translated, to_error
from peerpause.errors import (
    AlreadyActive,
    AlreadyPaused,
    CertificationExpired,
    Conflict,
    DatabaseFault,
    InvalidArgument,
    InvalidTransition,
    MentorNotFound,
    PeerPauseError,
    PermissionDenied,
    Unavailable,
)
from tests.cast import add_device, build_world
from tests.servers import Database

SECRET = "secret-device-token"


@pytest.fixture
def connection(module_database: Database) -> Iterator[psycopg.Connection]:
    with psycopg.connect(module_database.url) as opened:
        yield opened
        opened.rollback()


def moved(from_: str, to: str) -> Refusal:
    detail = f'{{"from": "{from_}", "to": "{to}", "allowed": ["active"]}}'
    return Refusal(
        "P0001", f"invalid status transition: {from_} -> {to}", detail, "Reactivate the mentor first."
    )


@pytest.mark.parametrize(
    "refusal, kind",
    [
        (moved("paused", "inactive"), InvalidTransition),
        (moved("inactive", "inactive"), InvalidTransition),
        (moved("paused", "paused"), AlreadyPaused),
        (moved("active", "active"), AlreadyActive),
        (
            Refusal("P0001", "the required certificate expired", hint="certification_expired"),
            CertificationExpired,
        ),
        (Refusal("PT404", "no such mentor"), MentorNotFound),
        (Refusal("42501", "this mentor is not yours to change"), PermissionDenied),
        (Refusal("22023", "a reason is required"), InvalidArgument),
        (Refusal("22P02"), InvalidArgument),
        (Refusal("22007"), InvalidArgument),
        (Refusal("22008"), InvalidArgument),
        (Refusal("22003"), InvalidArgument),
        (Refusal("22001"), InvalidArgument),
        (Refusal("22021"), InvalidArgument),
        (Refusal("22P05"), InvalidArgument),
        (Refusal("55P03"), Unavailable),
        (Refusal("40P01"), Unavailable),
        (Refusal("40001"), Unavailable),
        (Refusal("57014"), Unavailable),
        (Refusal("57P01"), Unavailable),
        (Refusal("57P03"), Unavailable),
        (Refusal("08006"), Unavailable),
        (Refusal("53300"), Unavailable),
        (Refusal("25006"), Unavailable),
        (Refusal("23505", "duplicate key"), DatabaseFault),
        (Refusal("42883"), DatabaseFault),
        (Refusal("25P02"), DatabaseFault),
        (Refusal("P0001", "a stranger's trigger"), DatabaseFault),
        (Refusal("P0001", "a stranger's trigger", "[1]"), DatabaseFault),
        (Refusal(None), DatabaseFault),
    ],
    ids=lambda value: value.sqlstate if isinstance(value, Refusal) else "",
)
def test_each_refusal_has_its_kind(refusal: Refusal, kind: type[PeerPauseError]) -> None:
    assert type(to_error(refusal)) is kind


@pytest.mark.parametrize("kind", [AlreadyPaused, AlreadyActive])
def test_already_there_is_a_conflict_and_an_illegal_move(kind: type[PeerPauseError]) -> None:
    assert issubclass(kind, Conflict)
    assert issubclass(kind, InvalidTransition)
    assert kind.http_status == InvalidTransition.http_status == 400


def test_an_illegal_move_says_what_is_allowed_instead() -> None:
    error = to_error(moved("paused", "inactive"))
    assert error.message == "invalid status transition: paused -> inactive"
    assert error.detail == {"from": "paused", "to": "inactive", "allowed": ["active"]}
    assert error.hint == "Reactivate the mentor first."


def test_a_lapsed_certificate_says_since_when() -> None:
    error = to_error(Refusal("P0001", "lapsed", '{"expired_on": "2026-01-31"}', "certification_expired"))
    assert error.detail == {"expired_on": "2026-01-31"}


@pytest.mark.parametrize("sqlstate", ["PT404", "42501", "22023"])
def test_our_own_words_are_passed_on_and_the_servers_are_not(sqlstate: str) -> None:
    ours = to_error(Refusal(sqlstate, "in our words", hint="do this"))
    assert (ours.message, ours.hint) == ("in our words", "do this")
    theirs = to_error(Refusal(sqlstate, f"quoting {SECRET}", f"quoting {SECRET}", SECRET, raised=False))
    assert SECRET not in f"{theirs.message} {theirs.hint} {theirs.detail}"
    assert theirs.hint


def test_every_answer_offers_a_next_step() -> None:
    for sqlstate in ("PT404", "42501", "22023", "22P02", "40001", "57P01", "XX000"):
        assert to_error(Refusal(sqlstate)).hint, sqlstate


def test_the_functions_words_are_told_from_the_servers(connection: psycopg.Connection) -> None:
    with pytest.raises(InvalidArgument, match="^a reason is required$"), refusals_translated():
        connection.execute("select peerpause.refuse_reason(null)")
    connection.rollback()
    with pytest.raises(InvalidArgument) as caught, refusals_translated():
        connection.execute("select set_config('timezone', %s, true)", [SECRET])
    assert SECRET not in str(caught.value)


def test_a_fault_names_the_place_and_no_data(
    connection: psycopg.Connection, module_database: Database
) -> None:
    world = build_world(module_database.url)
    add_device(connection, world.bo, SECRET)
    with pytest.raises(DatabaseFault) as caught, refusals_translated():
        add_device(connection, world.cy, SECRET)
    assert caught.value.detail == {
        "sqlstate": "23505",
        "table": "device_tokens",
        "constraint": "device_tokens_pkey",
    }
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert "insert into" not in str(caught.value)


def test_a_wrong_query_does_not_show_itself(connection: psycopg.Connection) -> None:
    with pytest.raises(DatabaseFault) as caught, refusals_translated():
        connection.execute("select no_such_thing from public.people")
    assert "no_such_thing" not in f"{caught.value} {caught.value.detail}"


@pytest.mark.parametrize(
    "error, kind",
    [
        (psycopg.OperationalError("connection to server failed"), Unavailable),
        (PoolTimeout("no connection"), Unavailable),
        (psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"), InvalidArgument),
        (psycopg.ProgrammingError("cannot adapt type"), DatabaseFault),
        (psycopg.InterfaceError("the cursor is closed"), DatabaseFault),
        (psycopg.errors.AdminShutdown("terminating connection"), Unavailable),
        (psycopg.errors.TooManyConnections("sorry"), Unavailable),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, psycopg.Error) else "",
)
def test_what_the_driver_says_by_itself_has_its_kind(
    error: psycopg.Error, kind: type[PeerPauseError]
) -> None:
    assert type(from_driver(error)) is kind


def test_what_is_not_the_databases_passes_unchanged() -> None:
    with pytest.raises(LookupError), refusals_translated():
        raise LookupError
