"""Endpoints belong to an organisation's admins: they are shown a secret once, and nobody else learns anything."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import UUID, uuid4

import psycopg
import pytest

from peerpause.database.session import Caller, Claims, Service, Sessions
from peerpause.errors import InvalidArgument, PermissionDenied
from peerpause.roster.endpoints import WebhookEndpoints
from tests.cast import World
from tests.database.acting import Session, call, count, person_session
from tests.servers import Database

URL = "https://www.example.org/hooks/peerpause"


class Checked:
    """Says of every address whether it is public, as it was told, and remembers being asked."""

    def __init__(self, *, public: bool = True) -> None:
        self.public = public
        self.asked: list[str] = []

    async def leads_to_the_public(self, url: str) -> bool:
        self.asked.append(url)
        return self.public


@pytest.fixture
def endpoints(sessions: Sessions) -> WebhookEndpoints:
    return WebhookEndpoints(sessions=sessions, addresses=Checked())


@pytest.mark.parametrize("who", ["dag", "hal", None])
async def test_an_admin_makes_one_and_sees_its_secret_once(
    endpoints: WebhookEndpoints, world: World, who: str | None
) -> None:
    caller: Caller = Service() if who is None else Claims(getattr(world, who).user_id)
    made = await endpoints.create(caller, world.organisation_id, url=URL)
    assert made.secret.startswith("whsec_")
    assert made.secret not in repr(made)
    (kept,) = await endpoints.of_organisation(caller, world.organisation_id)
    assert (kept.endpoint_id, kept.url, kept.active, kept.waiting) == (made.endpoint_id, URL, True, 0)
    assert made.secret not in repr(kept)


async def test_no_two_secrets_are_alike(endpoints: WebhookEndpoints, world: World) -> None:
    dag = Claims(world.dag.user_id)
    made = [await endpoints.create(dag, world.organisation_id, url=URL) for _ in range(5)]
    assert len({each.secret for each in made}) == 5


@pytest.mark.parametrize("who", ["ada", "bo", "cy", "eva", "greta", None])
async def test_nobody_else_may_do_anything_with_them(
    endpoints: WebhookEndpoints, sessions: Sessions, world: World, who: str | None
) -> None:
    made = await endpoints.create(Claims(world.dag.user_id), world.organisation_id, url=URL)
    addresses = Checked()
    theirs = WebhookEndpoints(sessions=sessions, addresses=addresses)
    caller = Claims() if who is None else Claims(getattr(world, who).user_id)
    attempts: list[Callable[[], object]] = [
        lambda: theirs.create(caller, world.organisation_id, url=URL),
        lambda: theirs.of_organisation(caller, world.organisation_id),
        lambda: theirs.rotate_secret(caller, made.endpoint_id),
        lambda: theirs.disable(caller, made.endpoint_id),
        lambda: theirs.rotate_inbound_secret(caller, world.organisation_id),
        lambda: theirs.revoke_inbound_secret(caller, world.organisation_id),
    ]
    for attempt in attempts:
        with pytest.raises(PermissionDenied):
            await attempt()  # type: ignore[misc]  # each gives a coroutine of its own kind
    # Nor does anybody else get an address looked up.
    assert addresses.asked == []


async def test_what_is_not_there_is_refused_like_what_is_not_yours(
    endpoints: WebhookEndpoints, world: World
) -> None:
    dag = Claims(world.dag.user_id)
    with pytest.raises(PermissionDenied):
        await endpoints.rotate_secret(dag, uuid4())
    with pytest.raises(PermissionDenied):
        await endpoints.disable(dag, uuid4())
    with pytest.raises(PermissionDenied):
        await endpoints.of_organisation(Claims(world.hal.user_id), uuid4())


async def test_an_address_that_leads_inside_is_refused_when_it_is_typed_in(
    sessions: Sessions, world: World
) -> None:
    endpoints = WebhookEndpoints(sessions=sessions, addresses=Checked(public=False))
    dag = Claims(world.dag.user_id)
    with pytest.raises(InvalidArgument, match="public website"):
        await endpoints.create(dag, world.organisation_id, url=URL)
    assert await endpoints.of_organisation(dag, world.organisation_id) == ()


def test_of_two_admins_at_once_the_eleventh_endpoint_is_nobodys(
    database: Database, world: World, owner: Session
) -> None:
    arguments: dict[str, object] = {"p_organisation_id": world.organisation_id, "p_url": URL}
    with person_session(database, world.dag) as dag:
        for _ in range(9):
            call(dag, "create_webhook_endpoint", **arguments)
    refusals: list[str | None] = []

    def one_more() -> None:
        with person_session(database, world.dag) as session:
            try:
                call(session, "create_webhook_endpoint", **arguments)
            except psycopg.Error as error:
                refusals.append(error.sqlstate)

    both = [threading.Thread(target=one_more) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert refusals == ["22023"]
    assert count(owner, "select count(*) from public.webhook_endpoints") == 10


async def test_a_new_secret_leaves_the_old_one_good_for_a_day(
    endpoints: WebhookEndpoints, world: World, owner: Session
) -> None:
    dag = Claims(world.dag.user_id)
    made = await endpoints.create(dag, world.organisation_id, url=URL)
    fresh = await endpoints.rotate_secret(dag, made.endpoint_id)
    assert fresh != made.secret
    row = _endpoint(owner, made.endpoint_id)
    assert (row["secret"], row["previous_secret"]) == (fresh, made.secret)
    assert count(
        owner,
        "select count(*) from public.webhook_endpoints where previous_secret_until"
        " between now() + interval '23 hours' and now() + interval '24 hours'",
    )


async def test_a_disabled_endpoint_is_given_up_with_what_was_waiting(
    endpoints: WebhookEndpoints, world: World, owner: Session
) -> None:
    dag = Claims(world.dag.user_id)
    made = await endpoints.create(dag, world.organisation_id, url=URL)
    owner.execute(
        "insert into public.webhook_deliveries (organisation_id, endpoint_id, event_id, chapter_id, mentor_id, change)"
        " values (%s, %s, gen_random_uuid(), %s, %s, 'listed')",
        (world.organisation_id, made.endpoint_id, world.north.chapter_id, world.ada.mentor_id),
    )
    (before,) = await endpoints.of_organisation(dag, world.organisation_id)
    assert before.waiting == 1
    assert await endpoints.disable(dag, made.endpoint_id)
    assert not await endpoints.disable(dag, made.endpoint_id)
    (after,) = await endpoints.of_organisation(dag, world.organisation_id)
    assert (after.active, after.disabled_because, after.waiting) == (False, "by_admin", 0)
    assert after.last_error == "endpoint_disabled"


async def test_an_admin_sees_the_delivery_log_of_their_own_organisation_only(
    database: Database, endpoints: WebhookEndpoints, world: World, owner: Session
) -> None:
    made = await endpoints.create(Claims(world.dag.user_id), world.organisation_id, url=URL)
    owner.execute(
        "insert into public.webhook_deliveries (organisation_id, endpoint_id, event_id, chapter_id, mentor_id, change)"
        " values (%s, %s, gen_random_uuid(), %s, %s, 'listed')",
        (world.organisation_id, made.endpoint_id, world.north.chapter_id, world.ada.mentor_id),
    )
    seen = {}
    for name in ("dag", "hal", "bo", "ada", "eva"):
        with person_session(database, getattr(world, name)) as session:
            seen[name] = count(session, "select count(*) from public.webhook_deliveries")
    assert seen == {"dag": 1, "hal": 1, "bo": 0, "ada": 0, "eva": 0}


def _endpoint(owner: Session, endpoint_id: UUID) -> dict[str, object]:
    row = owner.execute("select * from public.webhook_endpoints where id = %s", (endpoint_id,)).fetchone()
    assert row is not None
    return row
