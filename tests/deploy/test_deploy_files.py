"""The files for operators name commands, options and metrics that there are."""

from __future__ import annotations

import configparser
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner

from peerpause.cli import app
from peerpause.telemetry import Metrics
from tests.project.sources import ROOT

DEPLOY = Path(ROOT, "deploy")
UNITS = sorted(DEPLOY.glob("systemd/*.service"))
_METRIC = re.compile(r"\bpeerpause_\w+")


def metrics() -> set[str]:
    """The names of all samples that a scrape may hold."""
    registry = CollectorRegistry()
    Metrics(registry)
    families = {family.name: family.type for family in registry.collect()}
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
    return {f"{name}{suffix}" for name, kind in families.items() for suffix in suffixes[kind]}


def expressions() -> Iterator[str]:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
    for group in rules["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    board = json.loads((DEPLOY / "grafana" / "peerpause.json").read_text(encoding="utf-8"))
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel["targets"])


@pytest.mark.parametrize("expression", sorted(expressions()))
def test_alerts_and_dashboard_ask_for_metrics_that_there_are(expression: str) -> None:
    assert set(_METRIC.findall(expression)) <= metrics()


def test_each_alert_says_what_to_do() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
    for rule in rules["groups"][0]["rules"]:
        assert rule["annotations"].keys() == {"summary", "action"}
        for command in re.findall(r"`peerpause (\w+)", rule["annotations"]["action"]):
            assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


def test_every_metric_is_on_the_dashboard_or_in_an_alert() -> None:
    asked = set(_METRIC.findall(" ".join(expressions())))
    registry = CollectorRegistry()
    Metrics(registry)
    for family in registry.collect():
        assert any(name.startswith(family.name) for name in asked), family.name


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_start_commands_that_there_are(unit: Path) -> None:
    read = configparser.ConfigParser(interpolation=None, strict=True)
    read.optionxform = str  # type: ignore[assignment,method-assign]  # names are case-sensitive
    read.read(unit, encoding="utf-8")
    assert {"Unit", "Service", "Install"} == set(read.sections())
    program, command, *options = shlex.split(read["Service"]["ExecStart"])
    assert program == "/opt/peerpause/bin/peerpause"
    said = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert said.exit_code == 0
    for option in options:
        assert not option.startswith("--") or option in said.output


def test_the_image_runs_a_command_that_there_is() -> None:
    lines = (DEPLOY / "Containerfile").read_text(encoding="utf-8").splitlines()
    (started,) = [json.loads(line.removeprefix("CMD ")) for line in lines if line.startswith("CMD ")]
    said = CliRunner().invoke(app, [started[0], "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert all(option in said.output for option in started[1:] if option.startswith("--"))
