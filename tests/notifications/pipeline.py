"""Outbox, book, dispatcher, sender and service put together for a test, with waits that take no time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import aiohttp
from prometheus_client import CollectorRegistry

from peerpause.database.session import Sessions
from peerpause.demo.fcm_standin import FcmStandin
from peerpause.notifications.attempts import AttemptPolicy
from peerpause.notifications.carriers import PushCarrier
from peerpause.notifications.channels import Channel
from peerpause.notifications.channels.fcm import FcmChannel, PushMessage, load_credentials
from peerpause.notifications.dispatch import PushDispatcher
from peerpause.notifications.due import DeliveryBook
from peerpause.notifications.outbox import Outbox
from peerpause.notifications.sender import Sender
from peerpause.notifications.service import CoordinatorNotificationService
from peerpause.telemetry import Metrics
from tests.database.acting import Row, Session


@dataclass
class FakeTime:
    """A clock that only sleeping moves; it remembers each wait."""

    waits: list[float] = field(default_factory=list)
    passed: float = 0.0

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.passed += seconds

    def clock(self) -> float:
        return self.passed


@dataclass
class Pipeline:
    """The parts of one process."""

    sessions: Sessions
    outbox: Outbox
    book: DeliveryBook
    dispatcher: PushDispatcher
    sender: Sender
    service: CoordinatorNotificationService
    registry: CollectorRegistry
    time: FakeTime

    async def tell_and_send(self) -> None:
        """Fan out everything, then send everything that is due."""
        while (await self.outbox.tell_changes()).changes:
            pass
        await self.send()

    async def send(self) -> None:
        """Send everything that is due."""
        while await self.sender.step():
            await self.sender.finish()

    def figure(self, name: str, **labels: str) -> float | None:
        """A figure as Prometheus would read it."""
        return self.registry.get_sample_value(name, labels)


@asynccontextmanager
async def opened_pipeline(
    sessions: Sessions,
    standin: FcmStandin | None,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    public_url: str | None = None,
    policy: AttemptPolicy | None = None,
    **channel_options: Any,
) -> AsyncIterator[Pipeline]:
    """Put the parts together; without a stand-in no push channel is set up."""
    if standin is None:
        yield pipeline_over(sessions, None, now=now, public_url=public_url, policy=policy)
        return
    async with aiohttp.ClientSession() as http:
        channel = FcmChannel(
            session=http,
            credentials=load_credentials(standin.credentials),
            endpoint=standin.endpoint,
            **channel_options,
        )
        try:
            yield pipeline_over(sessions, channel, now=now, public_url=public_url, policy=policy)
        finally:
            await channel.close()


def pipeline_over(
    sessions: Sessions,
    channel: Channel[PushMessage] | None,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    public_url: str | None = None,
    policy: AttemptPolicy | None = None,
    lease: float = 180.0,
) -> Pipeline:
    """Put the parts together over a push channel."""
    time = FakeTime()
    registry = CollectorRegistry()
    dispatcher = PushDispatcher(channel=channel, policy=policy, sleep=time.sleep, clock=time.clock)
    book = DeliveryBook(sessions=sessions, lease=lease)
    outbox = Outbox(sessions=sessions, public_url=public_url)
    sender = Sender(
        channel="push",
        book=book,
        carrier=PushCarrier(dispatcher=dispatcher, public_url=public_url),
        metrics=Metrics(registry),
        now=now,
        jitter=lambda: 0.0,
    )
    service = CoordinatorNotificationService(
        sessions=sessions, dispatcher=dispatcher, outbox=outbox, book=book, push_sender=sender
    )
    return Pipeline(sessions, outbox, book, dispatcher, sender, service, registry, time)


def deliveries(owner: Session, channel: str = "push") -> list[Row]:
    """The delivery log of one channel, in the order of the changes."""
    return owner.execute(
        "select * from public.notification_deliveries where channel = %s order by changed_at, recipient_id",
        (channel,),
    ).fetchall()


def inbox_of(owner: Session, user_id: UUID) -> list[Row]:
    """Somebody's inbox, oldest first."""
    return owner.execute(
        "select * from public.notifications where recipient_id = %s order by payload ->> 'timestamp'",
        (user_id,),
    ).fetchall()


def told(owner: Session) -> set[UUID]:
    """Everybody who has something in the inbox."""
    return {row["recipient_id"] for row in owner.execute("select recipient_id from public.notifications")}


def let_time_pass(owner: Session, minutes: float) -> None:
    """Make every delivery older by so much: what it waits for comes nearer, what was recent is not any more."""
    owner.execute(
        "update public.notification_deliveries set not_before = not_before - make_interval(secs => %(s)s),"
        " first_tried_at = first_tried_at - make_interval(secs => %(s)s),"
        " settled_at = settled_at - make_interval(secs => %(s)s)",
        {"s": minutes * 60},
    )
