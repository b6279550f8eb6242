"""The worker inside a process: a change by any path reaches the phone, with a bell or without, and stopping loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from peerpause.database.session import Claims
from peerpause.demo import fcm_answers as answers
from peerpause.demo.fcm_standin import Arrival, FcmStandin
from peerpause.errors import InvalidArgument, Unavailable
from peerpause.settings import Settings
from peerpause.telemetry import Metrics
from peerpause.wiring import Services, services
from peerpause.worker import telling as telling_module
from peerpause.worker.run import background
from peerpause.worker.telling import Telling
from tests.cast import World, set_status
from tests.database.acting import Session, count, pause, person_session
from tests.servers import Database
from tests.worker.conftest import BOS_PHONE

A_LONG_TIME = 3600.0


@asynccontextmanager
async def parts_of(settings: Settings, database: Database) -> AsyncIterator[Services]:
    metrics = Metrics(CollectorRegistry())
    async with services(settings, database_url=database.url, metrics=metrics) as parts:
        yield parts


@asynccontextmanager
async def working(settings: Settings, database: Database) -> AsyncIterator[Services]:
    async with parts_of(settings, database) as parts:
        telling = Telling(outbox=parts.outbox, senders=parts.senders, bell=parts.bell)
        async with background(tools=parts, telling=telling, bell=parts.bell, listen_url=database.url):
            yield parts


async def next_push(arrivals: AsyncIterator[Arrival]) -> Arrival:
    async with asyncio.timeout(30):
        return await anext(arrivals)


async def until(owner: Session, question: str, *, answer: int) -> None:
    """Wait for the database to say so."""
    async with asyncio.timeout(30):
        while await asyncio.to_thread(count, owner, question) != answer:  # noqa: ASYNC110  a database has no event to wait for
            await asyncio.sleep(0.02)


async def test_a_change_by_plain_sql_is_found_without_a_bell(
    world: World,
    owner: Session,
    database: Database,
    settings: Settings,
    standin: FcmStandin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telling_module, "LOOK_EVERY", 0.05)
    arrivals = standin.on_arrival()
    async with working(settings, database):
        set_status(owner, world.ada, "paused", reason="travel")
        assert (await next_push(arrivals)).target == BOS_PHONE


async def test_a_change_by_an_apps_own_call_is_found_without_a_bell(
    world: World,
    database: Database,
    settings: Settings,
    standin: FcmStandin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telling_module, "LOOK_EVERY", 0.05)
    arrivals = standin.on_arrival()
    async with working(settings, database):
        with person_session(database, world.ada) as session:
            pause(session, world.ada)
        push = await next_push(arrivals)
    assert push.message["data"]["first_name"] == "Ada"


async def test_a_change_through_the_service_rings_the_bell(
    world: World,
    owner: Session,
    database: Database,
    settings: Settings,
    standin: FcmStandin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telling_module, "LOOK_EVERY", A_LONG_TIME)
    arrivals = standin.on_arrival()
    async with working(settings, database) as parts:
        await until(owner, UNTOLD, answer=0)
        await parts.status(Claims(world.ada.user_id)).pause_mentor(world.ada.mentor_id, "illness")
        assert (await next_push(arrivals)).target == BOS_PHONE


async def test_a_change_through_another_process_rings_the_bell_here(
    world: World,
    owner: Session,
    database: Database,
    settings: Settings,
    standin: FcmStandin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telling_module, "LOOK_EVERY", A_LONG_TIME)
    arrivals = standin.on_arrival()
    async with working(settings, database), parts_of(settings, database) as elsewhere:
        await until(owner, LISTENING, answer=1)
        await until(owner, UNTOLD, answer=0)
        await elsewhere.status(Claims(world.ada.user_id)).pause_mentor(world.ada.mentor_id, "illness")
        assert (await next_push(arrivals)).target == BOS_PHONE


async def test_a_lost_connection_of_the_listener_is_opened_again(
    world: World,
    owner: Session,
    database: Database,
    settings: Settings,
    standin: FcmStandin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("peerpause.worker.listening._FIRST_REST", 0.05)
    with capture_logs() as logs:
        async with working(settings, database):
            await until(owner, LISTENING, answer=1)
            first = count(owner, LISTENERS)
            owner.execute("select pg_terminate_backend(%s)", (first,))
            await until(owner, f"{LISTENING} where pid <> {first}", answer=1)
    assert [each["part"] for each in logs if each["event"] == "worker.interrupted"] == ["listener"]


async def test_stopping_lets_a_push_under_way_finish_and_be_written_down(
    world: World,
    owner: Session,
    database: Database,
    settings: Settings,
    standin: FcmStandin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telling_module, "LOOK_EVERY", 0.05)
    standin.script(BOS_PHONE, [answers.slow(0.5)])
    arrivals = standin.on_arrival()
    set_status(owner, world.ada, "paused", reason="travel")
    async with working(settings, database):
        await next_push(arrivals)
    assert count(owner, SENT) == 1


@pytest.mark.parametrize("moments", range(4))
async def test_stopping_just_as_a_turn_begins_is_heard(
    moments: int, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling_module, "LOOK_EVERY", A_LONG_TIME)
    async with parts_of(settings, database) as parts:
        telling = Telling(outbox=parts.outbox, senders=parts.senders, bell=parts.bell)
        async with asyncio.timeout(30), telling.running():
            for _ in range(moments):
                await asyncio.sleep(0)


async def test_a_block_that_fails_raises_its_own_error_and_loses_nothing(
    world: World,
    owner: Session,
    database: Database,
    settings: Settings,
    standin: FcmStandin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telling_module, "LOOK_EVERY", 0.05)
    standin.script(BOS_PHONE, [answers.slow(0.3)])
    arrivals = standin.on_arrival()
    set_status(owner, world.ada, "paused", reason="travel")

    async def fail_in_the_middle() -> None:
        async with working(settings, database):
            await next_push(arrivals)
            raise InvalidArgument("our own")

    with pytest.raises(InvalidArgument, match="our own"):
        await fail_in_the_middle()
    assert count(owner, SENT) == 1


async def test_an_unforeseen_error_ends_the_worker_for_a_supervisor_to_see(
    world: World, database: Database, settings: Settings
) -> None:
    async with parts_of(settings, database) as parts:

        async def break_down(**_: object) -> None:
            raise LookupError

        parts.outbox.tell_changes = break_down  # type: ignore[method-assign, assignment]  # broken on purpose
        telling = Telling(outbox=parts.outbox, senders=parts.senders, bell=parts.bell)
        with pytest.raises(LookupError):
            async with background(tools=parts, telling=telling, bell=parts.bell, listen_url=database.url):
                await asyncio.Event().wait()


async def test_the_database_going_away_is_survived(
    world: World,
    owner: Session,
    database: Database,
    settings: Settings,
    standin: FcmStandin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telling_module, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(telling_module, "_REST_AFTER_FAULT", 0.05)
    arrivals = standin.on_arrival()
    async with working(settings, database):
        for _ in range(5):
            owner.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
            await asyncio.sleep(0.05)
        set_status(owner, world.ada, "paused", reason="travel")
        assert (await next_push(arrivals)).target == BOS_PHONE


async def test_a_database_that_is_away_at_the_start_is_said_to_be(
    world: World, database: Database, settings: Settings
) -> None:
    nowhere = psycopg.conninfo.make_conninfo(database.url, port=1, connect_timeout=1)
    async with services(settings, database_url=nowhere, metrics=Metrics(CollectorRegistry())) as parts:
        telling = Telling(outbox=parts.outbox, senders=parts.senders, bell=parts.bell)
        with pytest.raises(Unavailable):
            async with background(tools=parts, telling=telling, bell=parts.bell, listen_url=nowhere):
                pass


UNTOLD = "select count(*) from public.peer_mentor_status_history where told_at is null"
SENT = "select count(*) from public.notification_deliveries where state = 'sent'"
LISTENERS = (
    "select pid from pg_stat_activity where datname = current_database() and query ilike 'listen peerpause%'"
)
LISTENING = f"select count(*) from ({LISTENERS}) as l"
