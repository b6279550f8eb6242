"""What the worker does by the clock (all times UTC). Each task is a line or two; the database or a room does the work."""

from __future__ import annotations

from typing import Final, Protocol

import structlog
from procrastinate import App, Blueprint, JobContext

from peerpause.certifications.expiry import CertificationExpiryJob
from peerpause.certifications.watchdog import CertificationWatchdog
from peerpause.database.session import Service, Sessions
from peerpause.notifications.bell import OutboxBell
from peerpause.privacy.retention import Retention
from peerpause.roster.watch import RosterWatch
from peerpause.roster.webhooks import WebhookSender
from peerpause.telemetry import Event

QUEUE: Final = "peerpause"
_PLANNED_AT_ONCE: Final = 100
_PATIENCE: Final = 120
"""Seconds the nightly check waits for somebody's check of a few chapters to end."""

_log = structlog.get_logger(__name__)

tasks = Blueprint()


class Tools(Protocol):
    """What the tasks need of the process they run in."""

    @property
    def sessions(self) -> Sessions:
        """The way to the database."""
        ...

    @property
    def bell(self) -> OutboxBell:
        """What wakes those who tell changes."""
        ...

    @property
    def expiry(self) -> CertificationExpiryJob:
        """The certificate check."""
        ...

    @property
    def watchdog(self) -> CertificationWatchdog:
        """The watchdog over the certificate check."""
        ...

    @property
    def roster_watch(self) -> RosterWatch:
        """What finds changes of public rosters."""
        ...

    @property
    def webhooks(self) -> WebhookSender:
        """What tells websites of them."""
        ...

    @property
    def retention(self) -> Retention:
        """What lets go of what was kept long enough."""
        ...

    @property
    def jobs(self) -> App:
        """The Procrastinate app."""
        ...


@tasks.periodic(cron="* * * * *")
@tasks.task(queue=QUEUE, queueing_lock="begin_planned_pauses", pass_context=True)
async def begin_planned_pauses(context: JobContext, timestamp: int) -> None:
    """Begin the pauses whose time has come, each exactly once."""
    tools = _tools(context)
    done = _PLANNED_AT_ONCE
    while done == _PLANNED_AT_ONCE:
        (row,) = await tools.sessions.call(Service(), "apply_scheduled_changes", {"limit": _PLANNED_AT_ONCE})
        done = row["applied"] + row["skipped"]
        if done:
            _log.info(Event.PLANNED_PAUSES, applied=row["applied"], skipped=row["skipped"])
            tools.bell.ring()


@tasks.periodic(cron="0 2 * * *")
@tasks.task(queue=QUEUE, queueing_lock="check_certificates", lock="check_certificates", pass_context=True)
async def check_certificates(context: JobContext, timestamp: int) -> None:
    """The nightly certificate check."""
    tools = _tools(context)
    await tools.expiry.run(patience=_PATIENCE)
    tools.bell.ring()


@tasks.periodic(cron="30 2 * * *")
@tasks.task(queue=QUEUE, queueing_lock="watch_certificates", pass_context=True)
async def watch_certificates(context: JobContext, timestamp: int) -> None:
    """Half an hour later: is everybody whose certificate lapsed off the roster, and did the run happen at all?"""
    await _tools(context).watchdog.watch()


@tasks.periodic(cron="20 * * * *")
@tasks.task(queue=QUEUE, queueing_lock="make_reminders", pass_context=True)
async def make_reminders(context: JobContext, timestamp: int) -> None:
    """Make the reminders that are due, each once. Every hour, so that one that was missed is made up for the same day."""
    tools = _tools(context)
    (row,) = await tools.sessions.call(Service(), "make_reminders")
    _log.info(Event.REMINDERS_MADE, **row["report"])
    tools.bell.ring()


@tasks.periodic(cron="17 * * * *")
@tasks.task(queue=QUEUE, queueing_lock="tidy_up", pass_context=True)
async def tidy_up(context: JobContext, timestamp: int) -> None:
    """Forget idempotency keys, changes of many, finished jobs and ended web sessions older than a day, and settled webhooks older than a month."""
    tools = _tools(context)
    await tools.sessions.call(Service(), "forget_idempotency_keys")
    await tools.sessions.call(Service(), "forget_bulk_changes")
    await tools.sessions.call(Service(), "forget_allowances")
    await tools.sessions.call(Service(), "forget_webhook_deliveries")
    await tools.sessions.call(Service(), "forget_web_sessions")
    await tools.sessions.call(Service(), "forget_sign_ins")
    await tools.jobs.job_manager.delete_old_jobs(nb_hours=24, include_failed=False)


@tasks.periodic(cron="40 3 * * *")
@tasks.task(queue=QUEUE, queueing_lock="let_go", pass_context=True)
async def let_go(context: JobContext, timestamp: int) -> None:
    """Let go of what each organisation has kept long enough, when the night's check is long over."""
    await _tools(context).retention.run()


@tasks.periodic(cron="*/10 * * * *")
@tasks.task(queue=QUEUE, queueing_lock="rescue_jobs", pass_context=True)
async def rescue_jobs(context: JobContext, timestamp: int) -> None:
    """Give jobs back whose worker died."""
    manager = _tools(context).jobs.job_manager
    for job in await manager.get_stalled_jobs():
        await manager.retry_job(job)


def _tools(context: JobContext) -> Tools:
    tools: Tools = context.additional_context["tools"]
    return tools
