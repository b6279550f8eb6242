"""Sets the stage of the demo: the database with three synthetic organisations, a phone for everybody, and an FCM stand-in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from pydantic import SecretStr

from peerpause.database.migrate import Migrator
from peerpause.database.session import Service
from peerpause.demo.fcm_standin import FcmStandin
from peerpause.demo.synthetic import write_example
from peerpause.directory.csv_files import ImportFile
from peerpause.directory.importing import Progress, apply_import, plan_import
from peerpause.settings import Settings
from peerpause.wiring import Services, services
from peerpause.worker.run import background
from peerpause.worker.schema import ensure_schema
from peerpause.worker.telling import Telling

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """What the story plays on."""

    services: Services
    standin: FcmStandin


@asynccontextmanager
async def stage(
    database_url: str, *, settings: Settings, fail_push: float, say: Say, progress: Progress
) -> AsyncIterator[Stage]:
    """Prepare everything and run the worker beside the block; nothing is left running after it.

    A database that has been prepared before is used as it is. ``fail_push`` (0 to 1) of the pushes fail at random.
    """
    applied = await Migrator(url=database_url).up()
    await ensure_schema(database_url)
    say(
        f"Database ready ({len(applied)} migrations applied)."
        if applied
        else "Database ready, as the last run left it."
    )
    async with AsyncExitStack() as stack:
        standin = await stack.enter_async_context(FcmStandin(fail_rate=fail_push, keep=10_000))
        demo_settings = settings.model_copy(
            update={"fcm_credentials": SecretStr(standin.credentials), "fcm_endpoint": standin.endpoint}
        )
        parts = await stack.enter_async_context(services(demo_settings, database_url=database_url))
        await _fill(parts, database_url, say=say, progress=progress)
        telling = Telling(outbox=parts.outbox, senders=parts.senders, bell=parts.bell)
        await telling.drain()
        await stack.enter_async_context(
            background(tools=parts, telling=telling, bell=parts.bell, listen_url=database_url)
        )
        say(f"Worker running; the stand-in for Google's push service listens on {standin.endpoint}.")
        yield Stage(services=parts, standin=standin)


async def _fill(parts: Services, database_url: str, *, say: Say, progress: Progress) -> None:
    (people,) = await parts.sessions.call(Service(), "demo_people")
    if not people["mentors"]:
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            with TemporaryDirectory() as folder:
                paths = write_example(Path(folder), date.today())
                files = [ImportFile(name=path.name, content=path.read_bytes()) for path in paths]
            await apply_import(connection, await plan_import(connection, files), progress=progress)
        await parts.sessions.call(Service(), "demo_devices")
        (people,) = await parts.sessions.call(Service(), "demo_people")
    say("{organisations} synthetic organisations, {chapters} chapters, {mentors} mentors.".format(**people))
