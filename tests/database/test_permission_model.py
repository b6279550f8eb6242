"""Random people do random things; the database must answer, refuse and change exactly as a small model of the rules says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.cast import World, add_certificate, require_certificate
from tests.database import model
from tests.database.acting import Session, owner_session
from tests.database.model import Model
from tests.database.theatre import VALID, Theatre
from tests.servers import Database

_people = st.sampled_from(model.PEOPLE)
_mentors = st.sampled_from((*model.MENTORS, model.NOBODY))
_statuses = st.sampled_from(["active", "paused", "inactive"])
_chapters = st.sampled_from(tuple(model.CHAPTERS))
_reasons = st.sampled_from(
    ["illness", "resigned", "other", "illness", None, "certification_expired", "my own words"]
)
_HIMSELF = "himself"
_actors = st.sampled_from([_HIMSELF, _HIMSELF, _HIMSELF, "bo", None])
# Drawn freely, most people would meet a mentor who is not theirs and most moves would be refused; half the pairs are friendly.
_pairs = st.one_of(
    st.sampled_from(
        [(who, name) for name in model.MENTORS for who in model.PEOPLE if Model().answers_for(who, name)]
    ),
    st.tuples(_people, _mentors),
)


def _by_somebody(operation: str, *others: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """An operation on a mentor by a person, with its other arguments."""
    return st.tuples(_pairs, *others).map(lambda drawn: (operation, *drawn[0], *drawn[1:]))


_readings = st.one_of(
    *map(_by_somebody, ("read", "history", "certificates")),
    st.tuples(st.sampled_from(["list_chapter", "roster"]), _people, _chapters),
)
_changes = st.one_of(
    _by_somebody("pause", _reasons),
    _by_somebody("plan"),
    _by_somebody("cancel"),
    _by_somebody("reactivate"),
    _by_somebody("reactivate"),
    _by_somebody("deactivate"),
    _by_somebody("update", _statuses, _actors, _reasons),
    _by_somebody("update", _statuses, _actors, _reasons),
    _by_somebody("plain_update", _statuses),
    st.tuples(st.just("expire"), _people),
)
_events = st.one_of(
    st.tuples(st.sampled_from(["lapse", "renew"]), st.sampled_from(model.MENTORS)),
    st.tuples(st.sampled_from(["retire", "reinstate"]), st.sampled_from(tuple(model.COORDINATES))),
)
_operations = st.one_of(_changes, _readings, _changes, _changes, _events, _changes)


@pytest.fixture(scope="module")
def certified_world(module_database: Database, shared_world: World) -> World:
    """The cast; every organisation requires a certificate, and every mentor has a valid one."""
    with psycopg.connect(module_database.url) as connection:
        for mentor in (shared_world.ada, shared_world.finn, shared_world.greta):
            require_certificate(connection, mentor.organisation_id)
            add_certificate(
                connection, mentor, issued_on=date.today() - timedelta(days=300), expires_on=VALID
            )
    return shared_world


@pytest.fixture(scope="module")
def stage(module_database: Database, certified_world: World) -> Iterator[Session]:
    """The owner's session, from which each actor's part is taken on; nothing done in it is kept."""
    with owner_session(module_database) as session:
        yield session


@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)
@example(
    operations=[
        ("lapse", "ada"),
        ("roster", "visitor", "north"),
        ("expire", "cy"),
        ("expire", "bo"),
        ("expire", "dag"),
        ("reactivate", "bo", "ada"),
        ("plain_update", "dag", "ada", "active"),
        ("update", "service", "ada", "active", None, None),
        ("plain_update", "bo", "ada", "inactive"),
        ("deactivate", "ada", "ada"),
        ("reactivate", "ada", "ada"),
    ]
)
@example(
    operations=[
        ("plan", "finn", "finn"),
        ("retire", "bo"),
        ("cancel", "bo", "finn"),
        ("cancel", "cy", "finn"),
        ("pause", "service", "finn", "certification_expired"),
        ("lapse", "finn"),
        ("lapse", "greta"),
        ("expire", "service"),
        ("renew", "finn"),
        ("reinstate", "bo"),
        ("update", "bo", "finn", "active", "bo", None),
    ]
)
@given(operations=st.lists(_operations, min_size=15, max_size=25))
def test_the_database_does_what_the_rules_say_for_everybody(
    certified_world: World, stage: Session, operations: list[tuple[Any, ...]]
) -> None:
    expected = Model()
    with stage.transaction(force_rollback=True):
        theatre = Theatre(stage, certified_world)
        for name, *arguments in map(_with_actor, operations):
            answer = getattr(theatre, name)(*arguments)
            if name in {"lapse", "renew", "retire", "reinstate"}:
                _befall(expected, name, *arguments)
            else:
                assert answer == _foretell(expected, name, *arguments), (name, arguments)
            assert theatre.state() == _state_of(expected), (name, arguments)


def _with_actor(operation: tuple[Any, ...]) -> tuple[Any, ...]:
    """Put in whom somebody who speaks for themselves must name: nobody, where it is the service."""
    who = operation[1]
    oneself = None if who == "service" else who
    return tuple(oneself if argument == _HIMSELF else argument for argument in operation)


def _foretell(expected: Model, name: str, *arguments: Any) -> str:
    if name == "history":
        name = "read"
    if name == "roster":
        arguments = arguments[1:]
    answer: str = getattr(expected, name)(*arguments)
    return answer


def _befall(expected: Model, event: str, who: str) -> None:
    match event:
        case "lapse":
            expected.mentors[who].has_lapsed = True
        case "renew":
            expected.mentors[who].has_lapsed = False
        case "retire":
            expected.retired.add(who)
        case _:
            expected.retired.discard(who)


def _state_of(expected: Model) -> dict[str, tuple[str, list[tuple[str, str, str | None]], bool]]:
    return {
        name: (mentor.status, mentor.moves, mentor.is_planned) for name, mentor in expected.mentors.items()
    }
