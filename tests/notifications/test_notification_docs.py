"""docs/notifications.md speaks of what there is: events, states, outcomes, commands and the names an app must know."""

from __future__ import annotations

import re

from typer.testing import CliRunner

from peerpause.cli import app
from peerpause.notifications.delivery_log import STATES
from peerpause.notifications.messages import ANDROID_CHANNEL, APNS_CATEGORY
from peerpause.notifications.outcomes import DispatchOutcome
from peerpause.telemetry import Event
from tests.project.sources import ROOT

TEXT = (ROOT / "docs" / "notifications.md").read_text(encoding="utf-8")


def test_it_names_what_the_app_must_know() -> None:
    assert f"`{ANDROID_CHANNEL}`" in TEXT
    assert f"`{APNS_CATEGORY}`" in TEXT


def test_it_names_every_state_and_outcome() -> None:
    assert [word for word in (*STATES, *DispatchOutcome) if f"`{word}`" not in TEXT] == []


def test_its_log_events_exist() -> None:
    table = TEXT.split("| log event |")[1]
    told = re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|", table, re.MULTILINE)
    assert len(told) >= 7
    assert set(told) <= set(Event)


def test_its_commands_exist() -> None:
    told = set(re.findall(r"^\$ peerpause ([a-z]+(?: [a-z]+)?)", TEXT, re.MULTILINE))
    assert told == {"doctor", "deliveries list", "deliveries retry"}
    for command in told:
        assert CliRunner().invoke(app, [*command.split(), "--help"]).exit_code == 0
