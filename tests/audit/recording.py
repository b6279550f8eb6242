"""Lets things happen in a test's database and be told, so that they become part of the audit chain."""

from __future__ import annotations

from peerpause.audit.trail import AuditReport, AuditTrail
from peerpause.database.session import Service, Sessions
from peerpause.notifications.outbox import Outbox
from tests.cast import World
from tests.servers import Database


async def tell(database: Database) -> None:
    """Tell everything there is to tell; what is told is chained."""
    async with Sessions(url=database.url, size=1) as sessions:
        outbox = Outbox(sessions=sessions)
        while (await outbox.tell_changes()).anything:
            pass


async def verify(database: Database, world: World) -> AuditReport:
    """How the audit of the cast's first organisation stands."""
    async with Sessions(url=database.url, size=1) as sessions:
        return await AuditTrail(sessions=sessions).verify(Service(), world.organisation_id)


async def codes(database: Database, world: World) -> set[str]:
    """What is wrong with it, in one word each."""
    return {finding.code for finding in (await verify(database, world)).findings}
