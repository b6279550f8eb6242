"""What the program says about itself: the declared event names, the JSON log lines, and the figures for Prometheus.

A log line holds facts: an event name and ids, codes, counts. What must never be read in a log (names, notes, tokens, addresses) is
dropped by its key on the way out, whoever put it there; the keys are in `FORBIDDEN_KEYS`.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping, MutableMapping
from enum import StrEnum
from typing import Any, Final, TextIO

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Event(StrEnum):
    """Every event the program logs. The value is what stands in the log; nothing else may."""

    REQUEST_ANSWERED = "http.answered"
    REQUEST_BROKEN = "http.broken"
    KEYS_NOT_FETCHED = "auth.keys_not_fetched"
    SIGNED_IN = "web.signed_in"
    SIGNED_OUT = "web.signed_out"
    SIGN_IN_FAILED = "web.sign_in_failed"
    LIMITS_NOT_COUNTED = "auth.limits_not_counted"
    ANSWER_NOT_KEPT = "http.answer_not_kept"
    EVENTS_INTERRUPTED = "http.events_interrupted"
    STATUS_RETRIED = "status.retried"
    OUTBOX_WAKE_FAILED = "outbox.wake_failed"
    BELL_UNHEARD = "outbox.bell_unheard"
    NO_COORDINATOR = "recipients.no_coordinator"
    NOTIFICATION_FAILED = "notification.failed"
    INBOX_UNREADABLE = "inbox.unreadable"
    DELIVERY_SETTLED = "delivery.settled"
    DELIVERY_BROKEN = "delivery.broken"
    CHANNEL_MISCONFIGURED = "channel.misconfigured"
    PUSH_REFUSED = "push.refused"
    WORKER_STARTED = "worker.started"
    WORKER_STOPPED = "worker.stopped"
    WORKER_INTERRUPTED = "worker.interrupted"
    PLANNED_PAUSES = "worker.planned_pauses"
    JOB_START = "job_start"
    JOB_COMPLETE = "job_complete"
    JOB_ERROR = "job_error"
    JOB_ALREADY_RUNNING = "job_already_running"
    WATCHDOG_ALERT = "watchdog.alert"
    WATCHDOG_CLEAR = "watchdog.clear"
    REMINDERS_MADE = "reminders.made"
    AUDIT_BROKEN = "audit.broken"


FORBIDDEN_KEYS: Final = frozenset(
    {
        "note", "pause_note", "free_text", "justification",
        "token", "tokens", "device_token", "access_token", "refresh_token", "authorization", "claims", "fid",
        "display_name", "first_name", "last_name", "full_name", "name",
        "email", "phone", "address",
        "password", "secret", "service_key", "credentials", "database_url", "dsn", "params", "parameters", "sql", "query",
    }
)  # fmt: skip
"""Keys whose values never reach a log line, at any depth."""


def configure_logging(*, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Write one JSON object a line to ``stream`` (default standard error), from ``level`` upwards.

    Lines of other libraries come out in the same form, from WARNING upwards unless ``level`` is stricter. Call it once, at start.
    """
    stream = stream or sys.stderr
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    written: list[structlog.typing.Processor] = [
        name_the_exception,
        drop_forbidden,
        structlog.processors.JSONRenderer(_as_json),
    ]
    # Our own lines go straight to the stream: each request writes one, and the way through the standard library costs as much as the
    # request's own work.
    structlog.configure(
        processors=[*shared, *written],
        logger_factory=structlog.WriteLoggerFactory(stream),
        wrapper_class=structlog.make_filtering_bound_logger(_number(level)),
        # Not cached: a test, or a second command in one process, may configure anew.
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *written],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(max(logging.WARNING, _number(level)))
    # The driver warns of every refusal of the database in a pipeline; we answer those.
    logging.getLogger("psycopg").setLevel(max(logging.ERROR, _number(level)))
    logging.getLogger("psycopg.pool").setLevel(max(logging.WARNING, _number(level)))


def drop_forbidden(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Take out what must not be logged: a processor for structlog."""
    return {key: _without_forbidden(value) for key, value in event.items() if not _is_forbidden(key)}


def name_the_exception(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Keep of an exception its type and where it was raised; its text may hold anything: a processor for structlog."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["exception"] = type(error).__name__
        event["raised_at"] = _innermost_place(error)
    return event


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, default=str)


def _as_json(event: Mapping[str, Any], **_: object) -> str:
    # Built once: json.dumps with arguments builds an encoder for each line.
    return _ENCODER.encode(event)


class Metrics:
    """The program's figures, in a registry of their own unless one is given."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry = CollectorRegistry() if registry is None else registry
        self._settled = Counter(
            "peerpause_deliveries_settled",
            "Deliveries by channel, the state they ended in and the outcome.",
            ("channel", "state", "outcome"),
            registry=registry,
        )
        self._told = Histogram(
            "peerpause_told_seconds",
            "From the commit of a change to its acceptance by the channel.",
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600),
            registry=registry,
        )

        self._answered = Histogram(
            "peerpause_http_seconds",
            "How long answers of the HTTP API took.",
            ("route", "method", "status"),
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=registry,
        )
        self._problems_seen: frozenset[str] = frozenset()
        self._watchdog = Gauge(
            "peerpause_watchdog_problem",
            "1 while the watchdog sees this problem.",
            ("code",),
            registry=registry,
        )

    def delivery_settled(self, *, channel: str, state: str, outcome: str | None) -> None:
        """Count one delivery that has been settled."""
        self._settled.labels(channel=channel, state=state, outcome=outcome or "").inc()

    def request_answered(self, *, route: str, method: str, status: int, seconds: float) -> None:
        """Record one answer of the HTTP API; ``route`` is a pattern, not a path."""
        self._answered.labels(route=route, method=method, status=status).observe(seconds)

    def watchdog_found(self, codes: frozenset[str]) -> None:
        """Raise the flag of each problem the watchdog sees, and lower the others."""
        self._problems_seen |= codes
        for code in self._problems_seen:
            self._watchdog.labels(code=code).set(code in codes)

    def told_after(self, seconds: float) -> None:
        """Record how long a recipient waited for the news of a change."""
        self._told.observe(seconds)


def _is_forbidden(key: object) -> bool:
    return isinstance(key, str) and key.lower() in FORBIDDEN_KEYS


def _without_forbidden(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _without_forbidden(inner) for key, inner in value.items() if not _is_forbidden(key)}
    if isinstance(value, list | tuple):
        return [_without_forbidden(inner) for inner in value]
    return value


def _innermost_place(error: BaseException) -> str | None:
    trace = error.__traceback__
    if trace is None:
        return None
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{code.co_qualname}:{trace.tb_lineno}"


def _number(level: str) -> int:
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"level: not one of {', '.join(logging.getLevelNamesMapping())}")
    return number
