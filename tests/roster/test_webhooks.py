"""Every change to a public roster reaches the organisation's websites once, whatever caused it, signed and tried again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from peerpause.database.session import Claims, Sessions
from peerpause.notifications.channels.webhook import WebhookChannel
from peerpause.roster.endpoints import NewEndpoint, WebhookEndpoints
from peerpause.roster.watch import LOOK_EVERY, RosterWatch
from peerpause.roster.webhooks import DueWebhook, WebhookBook, WebhookSender, roster_changed
from peerpause.telemetry import Metrics
from peerpause.worker.announcing import Announcing
from tests.cast import Mentor, World, add_mentor, set_status
from tests.certifications.time_travel import set_clock
from tests.database.acting import Session, count, pause, person_session, reactivate
from tests.roster.receiver import HERE, Names, Receiver, receiving
from tests.roster.seen import certify_until, opt_out
from tests.servers import Database

LAST_DAY = date(2026, 6, 30)
END = datetime(2026, 6, 30, 22, 0, tzinfo=UTC)


class AnyAddress:
    async def leads_to_the_public(self, url: str) -> bool:
        return True


@dataclass(slots=True)
class Desk:
    """The watch, a sender and an endpoint of Ada's organisation at the website. `late` puts the sender's clock ahead."""

    website: Receiver
    watch: RosterWatch
    sender: WebhookSender
    announcing: Announcing
    endpoints: WebhookEndpoints
    endpoint: NewEndpoint
    late: timedelta = timedelta()

    async def told(self) -> list[tuple[str, str]]:
        """Look and send; gives (mentor, change) of each message that came in since the last call."""
        self.website.taken.clear()
        await self.announcing.drain()
        data = [taken.verified(self.endpoint.secret)["data"] for taken in self.website.taken]
        return sorted((each["mentor_id"], each["change"]) for each in data)


@pytest.fixture
async def desk(sessions: Sessions, world: World, tmp_path: Path) -> AsyncIterator[Desk]:
    async with receiving(tmp_path) as website:
        channel = WebhookChannel(allowed=frozenset({HERE}), resolver=Names(), ssl_context=website.trust)
        desks: list[Desk] = []
        sender = WebhookSender(
            book=WebhookBook(sessions=sessions),
            channel=channel,
            metrics=Metrics(CollectorRegistry()),
            public_url="https://peerpause.example.org/",
            now=lambda: datetime.now(UTC) + desks[0].late,
            jitter=lambda: 0.0,
        )
        watch = RosterWatch(sessions=sessions)
        endpoints = WebhookEndpoints(sessions=sessions, addresses=AnyAddress())
        endpoint = await endpoints.create(Claims(world.dag.user_id), world.organisation_id, url=website.url)
        desks.append(
            Desk(website, watch, sender, Announcing(watch=watch, sender=sender), endpoints, endpoint)
        )
        yield desks[0]
        await sender.finish(within=0)
        await channel.close()


def names(*entries: tuple[Mentor, str]) -> list[tuple[str, str]]:
    return sorted((str(mentor.mentor_id), change) for mentor, change in entries)


async def test_nothing_is_told_where_nothing_changed(desk: Desk) -> None:
    assert await desk.told() == []


async def test_a_pause_and_a_return_are_told_to_the_signed_letter(
    desk: Desk, database: Database, world: World
) -> None:
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada)
        assert await desk.told() == names((world.ada, "unlisted"))
        (taken,) = desk.website.taken
        message = taken.verified(desk.endpoint.secret)
        assert message["type"] == "roster.changed"
        assert datetime.fromisoformat(message["timestamp"]).tzinfo is not None
        assert message["data"] == {
            "organisation_id": str(world.organisation_id),
            "chapter_id": str(world.north.chapter_id),
            "mentor_id": str(world.ada.mentor_id),
            "change": "unlisted",
            "roster_url": f"https://peerpause.example.org/public/chapters/{world.north.chapter_id}/mentors.json",
        }
        assert await desk.told() == []
        reactivate(ada, world.ada)
    assert await desk.told() == names((world.ada, "listed"))


async def test_a_message_holds_no_name_and_no_reason(desk: Desk, database: Database, world: World) -> None:
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada, p_note="in hospital")
    await desk.told()
    (taken,) = desk.website.taken
    for word in ("Ada", "Hansen", "illness", "hospital", "north"):
        assert word not in taken.body


async def test_a_mentor_of_two_chapters_is_told_for_each(
    desk: Desk, database: Database, world: World
) -> None:
    with person_session(database, world.finn) as finn:
        pause(finn, world.finn)
    assert await desk.told() == names((world.finn, "unlisted"), (world.finn, "unlisted"))
    chapters = {json.loads(taken.body)["data"]["chapter_id"] for taken in desk.website.taken}
    assert chapters == {str(world.north.chapter_id), str(world.south.chapter_id)}
    assert len({taken.message_id for taken in desk.website.taken}) == 2


async def test_a_profile_a_name_an_opt_out_and_a_membership_are_told(
    desk: Desk, database: Database, world: World, owner: Session
) -> None:
    owner.execute(
        "update public.peer_mentors set presentation = 'Hello' where id = %s", (world.ada.mentor_id,)
    )
    assert await desk.told() == names((world.ada, "edited"))
    with person_session(database, world.ada) as ada:
        opt_out(ada, world.ada)
    assert await desk.told() == names((world.ada, "unlisted"))
    owner.execute(
        "delete from public.chapter_memberships where chapter_id = %s and mentor_id = %s",
        (world.south.chapter_id, world.finn.mentor_id),
    )
    newcomer = add_mentor(owner, "Ida", chapters=[world.south])
    assert await desk.told() == names((world.finn, "unlisted"), (newcomer, "listed"))


async def test_what_visitors_cannot_see_is_no_change(desk: Desk, world: World, owner: Session) -> None:
    owner.execute(
        "update public.peer_mentors set external_id = 'x', user_id = null where id = %s",
        (world.ada.mentor_id,),
    )
    assert await desk.told() == []


async def test_a_lapse_at_midnight_is_told_though_no_job_ran_and_a_renewal_brings_the_mentor_back(
    desk: Desk, world: World, owner: Session
) -> None:
    set_clock(owner, END - timedelta(seconds=1))
    certify_until(owner, world.ada, LAST_DAY)
    # Certificates are required from now on, and Finn has none.
    assert await desk.told() == names((world.finn, "unlisted"), (world.finn, "unlisted"))
    set_clock(owner, END)
    assert await desk.told() == names((world.ada, "unlisted"))
    certify_until(owner, world.ada, LAST_DAY + timedelta(days=365))
    assert await desk.told() == names((world.ada, "listed"))


async def test_a_change_that_is_undone_before_anybody_looked_is_none(
    desk: Desk, database: Database, world: World
) -> None:
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada)
        reactivate(ada, world.ada)
    assert await desk.told() == []


async def test_another_organisations_website_hears_nothing(desk: Desk, world: World, owner: Session) -> None:
    with owner.transaction():
        set_status(owner, world.greta, "paused", reason="illness")
    assert await desk.told() == []


async def test_each_endpoint_is_told_with_the_same_id(desk: Desk, database: Database, world: World) -> None:
    second = await desk.endpoints.create(
        Claims(world.dag.user_id), world.organisation_id, url=desk.website.url + "/second"
    )
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada)
    await desk.announcing.drain()
    by_path = {taken.path: taken for taken in desk.website.taken}
    assert set(by_path) == {"/hook", "/hook/second"}
    assert by_path["/hook"].message_id == by_path["/hook/second"].message_id
    assert by_path["/hook/second"].verified(second.secret)


async def test_a_look_is_not_repeated_at_once_and_comes_well_within_a_minute(
    desk: Desk, database: Database, world: World
) -> None:
    await desk.watch.look(rest=0)
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada)
    assert (await desk.watch.look()).organisations == 0
    assert (await desk.watch.look(rest=0)).changes == 1
    # The longest way: just missed by one look, found by the next, taken two seconds later.
    assert LOOK_EVERY * 2 + 2 < 60


async def test_of_two_workers_at_once_one_finds_a_change(
    desk: Desk, database: Database, world: World
) -> None:
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada)
    found = await asyncio.gather(*(desk.watch.look(rest=0.001) for _ in range(4)))
    assert sum(each.changes for each in found) == 1


async def test_of_two_senders_at_once_one_takes_a_delivery(
    desk: Desk, sessions: Sessions, database: Database, world: World
) -> None:
    with person_session(database, world.finn) as finn:
        pause(finn, world.finn)
    await desk.watch.look(rest=0)
    book = WebhookBook(sessions=sessions)
    taken = await asyncio.gather(*(book.take() for _ in range(4)))
    assert len([due for group in taken for due in group]) == 2
    assert len({due.id for group in taken for due in group}) == 2


async def test_a_failing_website_is_tried_again_with_the_same_id_later_and_later(
    desk: Desk, database: Database, world: World, owner: Session
) -> None:
    desk.website.answers = [503, 500, 204]
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada)
    waits = []
    await desk.watch.look(rest=0)
    for _ in range(2):
        await step(desk)
        waits.append(count(owner, _WAIT))
        assert not await desk.sender.step()
        owner.execute("update public.webhook_deliveries set not_before = now()")
    await step(desk)
    assert waits == [10, 20]
    assert len(desk.website.taken) == 3
    assert len({taken.message_id for taken in desk.website.taken}) == 1
    assert delivery(owner)["state"] == "sent"
    assert delivery(owner)["attempts"] == 3


async def test_a_website_that_asks_for_time_gets_it(
    desk: Desk, database: Database, world: World, owner: Session
) -> None:
    desk.website.answers = [web.Response(status=429, headers={"Retry-After": "600"})]
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada)
    await desk.announcing.drain()
    assert count(owner, _WAIT) == 600
    assert delivery(owner)["error_code"] == "http_429"


async def test_after_a_day_it_is_given_up_and_that_is_seen(
    desk: Desk, database: Database, world: World, owner: Session
) -> None:
    desk.website.answers = [500]
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada)
    await desk.watch.look(rest=0)
    desk.late = timedelta(hours=23, minutes=59, seconds=30)
    await step(desk)
    assert delivery(owner)["state"] == "pending"
    owner.execute("update public.webhook_deliveries set not_before = now()")
    desk.late = timedelta(days=1)
    await step(desk)
    assert (delivery(owner)["state"], delivery(owner)["error_code"]) == ("expired", "http_500")
    (endpoint,) = await desk.endpoints.of_organisation(Claims(world.dag.user_id), world.organisation_id)
    assert endpoint.active
    assert endpoint.last_error == "http_500"


async def test_a_redirect_is_the_end_of_it(
    desk: Desk, database: Database, world: World, owner: Session
) -> None:
    desk.website.answers = [308]
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada)
    await desk.announcing.drain()
    assert (delivery(owner)["state"], delivery(owner)["error_code"]) == ("failed", "http_308")


async def test_a_website_that_is_gone_is_told_no_more(
    desk: Desk, database: Database, world: World, owner: Session
) -> None:
    desk.website.answers = [410]
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada)
        await desk.announcing.drain()
        reactivate(ada, world.ada)
        await desk.announcing.drain()
    assert len(desk.website.taken) == 1
    (endpoint,) = await desk.endpoints.of_organisation(Claims(world.dag.user_id), world.organisation_id)
    assert (endpoint.active, endpoint.disabled_because) == (False, "gone")


async def test_an_endpoint_that_now_leads_inside_gets_nothing(
    desk: Desk, sessions: Sessions, database: Database, world: World, owner: Session
) -> None:
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada)
    await desk.watch.look(rest=0)
    channel = WebhookChannel(resolver=Names(["10.1.2.3"]))
    sender = WebhookSender(
        book=WebhookBook(sessions=sessions), channel=channel, metrics=Metrics(CollectorRegistry())
    )
    await sender.step()
    await sender.finish()
    await channel.close()
    assert (delivery(owner)["state"], delivery(owner)["error_code"]) == ("failed", "address_not_public")
    assert desk.website.taken == []


async def test_a_sender_that_dies_lets_its_deliveries_come_due_again(
    desk: Desk, sessions: Sessions, database: Database, world: World, owner: Session
) -> None:
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada)
    await desk.watch.look(rest=0)
    book = WebhookBook(sessions=sessions)
    (lost,) = await book.take()
    assert await book.take() == ()
    assert 0 < count(owner, _WAIT) <= 60
    owner.execute("update public.webhook_deliveries set not_before = now()")
    (again,) = await book.take()
    assert (again.event_id, again.attempts) == (lost.event_id, 2)


async def test_a_slow_website_holds_up_no_other(
    desk: Desk, database: Database, world: World, owner: Session
) -> None:
    let_go = asyncio.Event()

    class Slow(web.Response):
        async def prepare(self, request: web.BaseRequest) -> Any:
            await let_go.wait()
            return await super().prepare(request)

    desk.website.answers = [Slow(), 204]
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada)
        await desk.watch.look(rest=0)
        await desk.sender.step()
        await desk.website.has_taken(1)
        await desk.endpoints.create(
            Claims(world.dag.user_id), world.organisation_id, url=desk.website.url + "/second"
        )
        reactivate(ada, world.ada)
    await desk.watch.look(rest=0)
    await desk.sender.step()
    await desk.website.has_taken(2)
    assert [taken.path for taken in desk.website.taken] == ["/hook", "/hook/second"]
    let_go.set()
    await desk.sender.finish()


async def test_a_new_secret_signs_from_the_next_message_on_together_with_the_old(
    desk: Desk, database: Database, world: World
) -> None:
    fresh = await desk.endpoints.rotate_secret(Claims(world.dag.user_id), desk.endpoint.endpoint_id)
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada)
    await desk.announcing.drain()
    (taken,) = desk.website.taken
    assert taken.verified(fresh) == taken.verified(desk.endpoint.secret)


async def test_a_disabled_endpoint_gets_nothing_more(desk: Desk, database: Database, world: World) -> None:
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada)
    await desk.watch.look(rest=0)
    await desk.endpoints.disable(Claims(world.dag.user_id), desk.endpoint.endpoint_id)
    await desk.announcing.drain()
    assert desk.website.taken == []


async def test_the_worker_does_it_by_itself(
    desk: Desk, database: Database, world: World, owner: Session
) -> None:
    owner.execute("update peerpause.roster_watches set looked_at = looked_at - interval '1 minute'")
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada)
    async with desk.announcing.running():
        await desk.website.has_taken(1)
    assert delivery(owner)["state"] == "sent"


async def test_nobody_is_watched_without_an_endpoint(sessions: Sessions, world: World) -> None:
    found = await RosterWatch(sessions=sessions).look(rest=0)
    assert (found.organisations, found.changes) == (0, 0)


def test_a_message_without_a_public_address_holds_no_link() -> None:
    due = DueWebhook(
        id=uuid4(),
        organisation_id=uuid4(),
        endpoint_id=uuid4(),
        event_id=uuid4(),
        chapter_id=uuid4(),
        mentor_id=uuid4(),
        change="listed",
        found_at=END,
        attempts=1,
        first_tried_at=END,
        url="https://example.org/secret-path",
        secrets=("whsec_x",),
    )
    assert "roster_url" not in roster_changed(due, public_url=None)
    assert roster_changed(due, public_url="https://a.example") == roster_changed(
        replace(due, attempts=2), public_url="https://a.example/"
    )
    assert "whsec_x" not in repr(due)
    assert "secret-path" not in repr(due)


_WAIT = "select round(extract(epoch from not_before - now())) from public.webhook_deliveries"


def delivery(owner: Session) -> dict[str, Any]:
    row = owner.execute("select * from public.webhook_deliveries").fetchone()
    assert row is not None
    return row


async def step(desk: Desk) -> None:
    assert await desk.sender.step()
    await desk.sender.finish()
