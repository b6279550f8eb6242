"""The log says facts, in JSON, and can not say a name, a note or a token."""

from __future__ import annotations

import ast
import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import structlog
from prometheus_client import CollectorRegistry, generate_latest

from peerpause.telemetry import FORBIDDEN_KEYS, Event, Metrics, configure_logging, drop_forbidden
from tests.project.sources import Module, modules

SECRET = "she is in hospital"
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def fail() -> None:
    raise LookupError(SECRET)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json(stream: io.StringIO) -> None:
    configure_logging(stream=stream)
    structlog.get_logger("peerpause.worker").warning(
        Event.NO_COORDINATOR, mentor_id=UUID(int=7), told="admins"
    )
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "recipients.no_coordinator",
        "level": "warning",
        "mentor_id": "00000000-0000-0000-0000-000000000007",
        "told": "admins",
    }


def test_what_lies_below_the_level_is_not_said(stream: io.StringIO) -> None:
    configure_logging(level="WARNING", stream=stream)
    structlog.get_logger("peerpause.worker").info(Event.DELIVERY_SETTLED)
    assert lines(stream) == []


def test_a_level_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="^level: "):
        configure_logging(level="LOUD")


@pytest.mark.parametrize("key", sorted(FORBIDDEN_KEYS | {"Note", "EMAIL"}))
def test_a_forbidden_key_is_dropped_at_any_depth(stream: io.StringIO, key: str) -> None:
    configure_logging(stream=stream)
    structlog.get_logger("peerpause").error(
        Event.DELIVERY_BROKEN, **{key: SECRET}, inner={key: SECRET, "list": [{key: SECRET, "kept": 1}]}
    )
    assert SECRET not in stream.getvalue()
    assert lines(stream)[0]["inner"] == {"list": [{"kept": 1}]}


def test_of_an_exception_the_kind_and_the_place_are_kept(stream: io.StringIO) -> None:
    configure_logging(stream=stream)
    try:
        fail()
    except LookupError:
        structlog.get_logger("peerpause").exception(Event.DELIVERY_BROKEN)
    assert SECRET not in stream.getvalue()
    (line,) = lines(stream)
    assert line["exception"] == "LookupError"
    assert line["raised_at"].split(":")[1] == "fail"


def test_other_libraries_speak_in_the_same_form(stream: io.StringIO) -> None:
    configure_logging(stream=stream)
    logging.getLogger("psycopg.pool").warning("error connecting in %r", "peerpause")
    logging.getLogger("psycopg.pool").info("connection requested")
    try:
        fail()
    except LookupError:
        logging.getLogger("asyncio").exception("never retrieved")
    assert [line["event"] for line in lines(stream)] == ["error connecting in 'peerpause'", "never retrieved"]
    assert SECRET not in stream.getvalue()


def test_configuring_twice_does_not_say_things_twice(stream: io.StringIO) -> None:
    configure_logging(stream=stream)
    configure_logging(stream=stream)
    structlog.get_logger("peerpause").warning(Event.BELL_UNHEARD)
    assert len(lines(stream)) == 1


def test_what_is_not_forbidden_passes_unchanged() -> None:
    event = {"event": "x", "mentor_id": "1", "pair": (1, 2)}
    assert drop_forbidden(None, "info", event) == {"event": "x", "mentor_id": "1", "pair": [1, 2]}


def test_event_names_are_lower_case_and_in_a_room() -> None:
    assert all(event.value == event.value.lower() for event in Event)
    assert len({event.value for event in Event}) == len(Event)


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_nothing_is_logged_but_declared_events(module: Module) -> None:
    assert list(undeclared_in(module)) == []


@pytest.mark.parametrize(
    "call",
    ['_log.info("something.happened")', "_log.warning(Event.NEVER_DECLARED)", '_log.error(f"{name} failed")'],
)
def test_it_spots_an_undeclared_event(call: str) -> None:
    assert len(list(undeclared_in(Module(name="example.py", text=call)))) == 1


def test_the_figures_can_be_read_by_prometheus() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.delivery_settled(channel="fcm", state="sent", outcome="sent")
    metrics.delivery_settled(channel="fcm", state="pending", outcome=None)
    metrics.told_after(0.2)
    text = generate_latest(registry).decode()
    assert 'peerpause_deliveries_settled_total{channel="fcm",outcome="sent",state="sent"} 1.0' in text
    assert 'peerpause_told_seconds_bucket{le="0.25"} 1.0' in text


def undeclared_in(module: Module) -> Iterator[str]:
    """Each call on a `_log` whose first argument is no member of Event."""
    declared = {event.name for event in Event}
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="_log"), attr=level), args=[event, *_]) if (
                level in LEVELS
            ):
                match event:
                    case ast.Attribute(value=ast.Name(id="Event"), attr=name) if name in declared:
                        continue
                    case _:
                        yield f"{module.name}:{node.lineno}"
