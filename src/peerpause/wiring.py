"""Builds the parts and puts them together, from settings: the only module that does. What it opens, it closes, in reverse order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
from procrastinate import App, PsycopgConnector

from peerpause.audit.trail import AuditTrail
from peerpause.certifications.checks import ChecksByHand
from peerpause.certifications.expiry import CertificationExpiryJob
from peerpause.certifications.watchdog import CertificationWatchdog
from peerpause.database.session import Caller, Sessions
from peerpause.notifications.bell import OutboxBell
from peerpause.notifications.by_token import TokenPusher
from peerpause.notifications.carriers import EmailCarrier, PushCarrier
from peerpause.notifications.channels.email import EmailChannel, read_smtp_url
from peerpause.notifications.channels.fcm import FcmChannel, load_credentials
from peerpause.notifications.channels.webhook import WebhookChannel
from peerpause.notifications.dispatch import PushDispatcher
from peerpause.notifications.due import DeliveryBook
from peerpause.notifications.outbox import Outbox
from peerpause.notifications.sender import Sender
from peerpause.notifications.service import CoordinatorNotificationService
from peerpause.privacy.personal_data import PersonalData
from peerpause.privacy.retention import Retention
from peerpause.roster.endpoints import WebhookEndpoints
from peerpause.roster.watch import RosterWatch
from peerpause.roster.webhooks import WebhookBook, WebhookSender
from peerpause.settings import Settings
from peerpause.status.repository import PostgresMentorStatusRepository
from peerpause.status.service import MentorStatusService
from peerpause.telemetry import Metrics

_WORKER_ROLE = "service_role"
_JOBS_SCHEMA = "procrastinate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything one process works with, put together."""

    sessions: Sessions
    bell: OutboxBell
    outbox: Outbox
    senders: tuple[Sender, ...]
    notifications: CoordinatorNotificationService
    by_token: TokenPusher
    expiry: CertificationExpiryJob
    checks: ChecksByHand
    watchdog: CertificationWatchdog
    roster_watch: RosterWatch
    webhooks: WebhookSender
    webhook_endpoints: WebhookEndpoints
    personal_data: PersonalData
    retention: Retention
    audit: AuditTrail
    metrics: Metrics
    jobs: App

    def status(self, caller: Caller) -> MentorStatusService:
        """The status service as one caller: what it may do is what the caller may do."""
        repository = PostgresMentorStatusRepository(sessions=self.sessions, caller=caller)
        return MentorStatusService(repository=repository, wake_outbox=self.bell.ring)


@asynccontextmanager
async def services(
    settings: Settings, *, database_url: str, metrics: Metrics | None = None
) -> AsyncIterator[Services]:
    """Open what a process needs, for as long as the block lasts.

    ``database_url`` is the database to work on, which settings may have left to the embedded server. Without FCM credentials
    or a mail host those deliveries end as ``not_configured``, and everything else works. Raises ``ConfigurationError``, naming
    the setting, for one that cannot be used.
    """
    public_url = settings.public_url
    async with AsyncExitStack() as stack:
        metrics = metrics or Metrics()
        sessions = await stack.enter_async_context(
            Sessions(
                url=database_url,
                size=settings.database_pool_size,
                prepare_after=5 if settings.database_prepared_statements else None,
            )
        )
        bell = OutboxBell(sessions=sessions)
        stack.push_async_callback(bell.close)
        push = await stack.enter_async_context(push_channel(settings))
        email = await stack.enter_async_context(mail_channel(settings))
        dispatcher = PushDispatcher(channel=push)
        book = DeliveryBook(sessions=sessions)
        outbox = Outbox(sessions=sessions, public_url=public_url)
        push_sender = Sender(
            channel="push",
            book=book,
            carrier=PushCarrier(dispatcher=dispatcher, public_url=public_url),
            metrics=metrics,
        )
        email_sender = Sender(
            channel="email",
            book=book,
            carrier=EmailCarrier(channel=email, message_host=_host(public_url), public_url=public_url),
            metrics=metrics,
        )
        expiry = CertificationExpiryJob(sessions=sessions)
        checks = ChecksByHand(sessions=sessions, job=expiry, wake_outbox=bell.ring)
        stack.push_async_callback(checks.close)
        webhook = WebhookChannel()
        stack.push_async_callback(webhook.close)
        yield Services(
            sessions=sessions,
            bell=bell,
            outbox=outbox,
            senders=(push_sender, email_sender),
            notifications=CoordinatorNotificationService(
                sessions=sessions, dispatcher=dispatcher, outbox=outbox, book=book, push_sender=push_sender
            ),
            by_token=TokenPusher(channel=push, book=book),
            expiry=expiry,
            checks=checks,
            watchdog=CertificationWatchdog(sessions=sessions, found=metrics.watchdog_found),
            roster_watch=RosterWatch(sessions=sessions),
            webhooks=WebhookSender(
                book=WebhookBook(sessions=sessions), channel=webhook, metrics=metrics, public_url=public_url
            ),
            webhook_endpoints=WebhookEndpoints(sessions=sessions, addresses=webhook),
            personal_data=PersonalData(sessions=sessions),
            retention=Retention(sessions=sessions),
            audit=AuditTrail(sessions=sessions),
            metrics=metrics,
            jobs=_jobs(database_url),
        )


@asynccontextmanager
async def certificate_watchdog(*, database_url: str) -> AsyncIterator[CertificationWatchdog]:
    """The watchdog over the certificate check by itself."""
    async with Sessions(url=database_url, size=1) as sessions:
        yield CertificationWatchdog(sessions=sessions)


@asynccontextmanager
async def certificate_check(*, database_url: str) -> AsyncIterator[CertificationExpiryJob]:
    """The certificate check by itself, for a command that needs nothing else."""
    async with Sessions(url=database_url, size=2) as sessions:
        yield CertificationExpiryJob(sessions=sessions)


@asynccontextmanager
async def push_channel(settings: Settings) -> AsyncIterator[FcmChannel | None]:
    """The way to Google, or ``None`` without credentials. Raises ``ConfigurationError`` for unusable ones."""
    if settings.fcm_credentials is None:
        yield None
        return
    credentials = load_credentials(settings.fcm_credentials.get_secret_value())
    # Without a time limit of its own: the channel limits each attempt, and one clock for each is enough.
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout()) as session:
        channel = FcmChannel(session=session, credentials=credentials, endpoint=settings.fcm_endpoint)
        try:
            yield channel
        finally:
            await channel.close()


@asynccontextmanager
async def mail_channel(settings: Settings) -> AsyncIterator[EmailChannel | None]:
    """The way to the mail host, or ``None`` without one. Raises ``ConfigurationError`` for an unusable address."""
    if settings.smtp_url is None:
        yield None
        return
    channel = EmailChannel(read_smtp_url(settings.smtp_url.get_secret_value()))
    try:
        yield channel
    finally:
        await channel.close()


def _jobs(database_url: str) -> App:
    # The worker is the service role, in Procrastinate's own schema; the login itself can do nothing.
    connector = PsycopgConnector(
        conninfo=database_url,
        kwargs={"options": f"-c role={_WORKER_ROLE} -c search_path={_JOBS_SCHEMA}"},
        min_size=1,
        max_size=4,
    )
    return App(connector=connector)


def _host(public_url: str | None) -> str:
    return (urlsplit(public_url).hostname if public_url else None) or "peerpause.invalid"
