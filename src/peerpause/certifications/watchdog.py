"""The watchdog over the certificate check: looks, alerts, and gives the all-clear. What it finds, the database decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from peerpause.database.session import Service, Sessions
from peerpause.telemetry import Event

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WatchReport:
    """What the watchdog saw. ``answer`` is the whole report as JSON values, ``problems`` its findings, each with a ``code``."""

    ok: bool
    problems: Sequence[Mapping[str, Any]]
    answer: Mapping[str, Any]

    @property
    def codes(self) -> frozenset[str]:
        """What is wrong, in words of one code each."""
        return frozenset(problem["code"] for problem in self.problems)


class CertificationWatchdog:
    """Asks whether anybody lapsed is still active, whether the nightly run came and went well, and whether news are stuck."""

    def __init__(
        self, *, sessions: Sessions, found: Callable[[frozenset[str]], None] = lambda codes: None
    ) -> None:
        """``found`` is told each time which codes there are; metrics listen there."""
        self._sessions = sessions
        self._found = found

    async def look(self) -> WatchReport:
        """See what is wrong, and change nothing."""
        (row,) = await self._sessions.call(Service(), "certification_watchdog")
        return self._read(row["report"])

    async def watch(self) -> WatchReport:
        """See what is wrong, tell the admins what is new and what is over, and log it."""
        (row,) = await self._sessions.call(Service(), "watch_certificates")
        report = self._read(row["report"])
        for problem in report.problems:
            _log.error(Event.WATCHDOG_ALERT, **{key: _short(value) for key, value in problem.items()})
        for incident in report.answer["cleared"]:
            _log.info(Event.WATCHDOG_CLEAR, **incident)
        return report

    def _read(self, answer: Mapping[str, Any]) -> WatchReport:
        report = WatchReport(answer["ok"], tuple(answer["problems"]), answer)
        self._found(report.codes)
        return report


def _short(value: object) -> object:
    return value[:10] if isinstance(value, list) else value
