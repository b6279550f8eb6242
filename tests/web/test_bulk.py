"""One change for many: everybody is named before, how it went with each is told after, and the same form changes once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from peerpause.database.session import Service, Sessions
from tests.cast import Mentor, World, add_mentor, set_status
from tests.servers import Database
from tests.web.pages import Browser, Page, Pages


@pytest.fixture
def some(module_database: Database, town: World) -> dict[str, Mentor]:
    """Ida and Jo are active, Kim is on pause, Lea has left."""
    with psycopg.connect(module_database.url) as connection:
        found = {
            name: add_mentor(connection, name, chapters=[town.north]) for name in ("Ida", "Jo", "Kim", "Lea")
        }
        set_status(connection, found["Kim"], "paused", reason="travel")
        set_status(connection, found["Lea"], "inactive", reason="resigned")
    return found


@pytest.fixture
async def bo(pages: Pages, town: World) -> Browser:
    """The coordinator of north."""
    return await pages.as_(town.bo)


def ids(mentors: dict[str, Mentor], *names: str) -> list[str]:
    """Their ids, as boxes send them."""
    return [str(mentors[name].mentor_id) for name in names]


def statuses(database: Database, mentors: dict[str, Mentor]) -> dict[str, str]:
    """Where they stand."""
    with psycopg.connect(database.url) as connection:
        rows = connection.execute(
            "select first_name, status::text from public.peer_mentors where id = any(%s)",
            ([each.mentor_id for each in mentors.values()],),
        ).fetchall()
    return dict(rows)


async def confirmed(reader: Browser, chosen: Page, mentor: list[str], **typed: str) -> Page:
    """What comes after the confirmation of those whom the review named."""
    form = {**chosen.form("/mentors/bulk"), **typed, "mentor": mentor, "step": "confirm"}
    return await reader.send("/mentors/bulk", **form)


async def test_the_review_names_everybody_and_what_will_happen_with_each(
    bo: Browser, some: dict[str, Mentor], module_database: Database
) -> None:
    seen = await bo.send("/mentors/bulk", action="pause", mentor=ids(some, "Ida", "Jo", "Kim", "Lea"))
    assert "2 persons will be changed" in seen.text
    for told in ("Ida Hansen: Active → On pause", "Kim Hansen: is so already", "Lea Hansen: has left"):
        assert told in seen.text
    assert statuses(module_database, some) == {
        "Ida": "active",
        "Jo": "active",
        "Kim": "paused",
        "Lea": "inactive",
    }


async def test_each_is_changed_and_the_page_tells_of_each(
    bo: Browser, some: dict[str, Mentor], module_database: Database
) -> None:
    chosen = await bo.send("/mentors/bulk", action="pause", mentor=ids(some, "Ida", "Jo"))
    done = await confirmed(bo, chosen, ids(some, "Ida", "Jo"), reason="travel")
    assert done.answer.url.path.startswith("/mentors/bulk/")
    assert "2 changed, 0 refused." in done.text
    assert statuses(module_database, some)["Jo"] == "paused"
    again = await bo.open(done.answer.url.path)
    assert "Ida Hansen" in again.text


async def test_one_that_is_refused_stops_no_other_and_says_why(
    bo: Browser, some: dict[str, Mentor], module_database: Database
) -> None:
    chosen = await bo.send("/mentors/bulk", action="pause", mentor=ids(some, "Ida", "Jo"))
    with psycopg.connect(module_database.url) as connection:
        set_status(connection, some["Ida"], "paused", reason="illness")
    done = await confirmed(bo, chosen, ids(some, "Ida", "Jo"), reason="travel")
    assert "1 changed, 1 refused." in done.text
    assert "Ida Hansen: Was on pause already." in done.text


async def test_the_same_form_sent_twice_changes_once(
    bo: Browser, some: dict[str, Mentor], module_database: Database
) -> None:
    chosen = await bo.send("/mentors/bulk", action="pause", mentor=ids(some, "Ida"))
    first = await confirmed(bo, chosen, ids(some, "Ida"), reason="travel")
    with psycopg.connect(module_database.url) as connection:
        set_status(connection, some["Ida"], "active", reason="returned")
    second = await confirmed(bo, chosen, ids(some, "Ida"), reason="travel")
    assert second.answer.url == first.answer.url
    assert "1 changed, 0 refused." in second.text
    assert statuses(module_database, some)["Ida"] == "active"


async def test_a_form_that_was_used_cannot_be_used_for_others(
    bo: Browser, some: dict[str, Mentor], module_database: Database
) -> None:
    chosen = await bo.send("/mentors/bulk", action="pause", mentor=ids(some, "Ida"))
    await confirmed(bo, chosen, ids(some, "Ida"), reason="travel")
    assert (await confirmed(bo, chosen, ids(some, "Jo"), reason="travel")).status == 422
    assert statuses(module_database, some)["Jo"] == "active"


async def test_several_leave_or_come_back(
    bo: Browser, some: dict[str, Mentor], module_database: Database
) -> None:
    chosen = await bo.send("/mentors/bulk", action="reactivate", mentor=ids(some, "Kim"))
    await confirmed(bo, chosen, ids(some, "Kim"))
    assert statuses(module_database, some)["Kim"] == "active"
    chosen = await bo.send("/mentors/bulk", action="deactivate", mentor=ids(some, "Kim", "Jo"))
    await confirmed(bo, chosen, ids(some, "Kim", "Jo"), reason="resigned")
    assert set(statuses(module_database, some).values()) == {"active", "inactive"}


async def test_a_missing_reason_keeps_what_was_typed(
    bo: Browser, some: dict[str, Mentor], module_database: Database
) -> None:
    chosen = await bo.send("/mentors/bulk", action="pause", mentor=ids(some, "Ida"))
    seen = await confirmed(bo, chosen, ids(some, "Ida"), note="kept", return_on="2020-01-01")
    assert seen.status == 400
    for told in ("Choose a reason.", "Give today or a later day, or none."):
        assert told in seen.text
    assert seen.form("/mentors/bulk")["note"].strip() == "kept"
    assert statuses(module_database, some)["Ida"] == "active"


async def test_mentors_of_others_are_neither_named_nor_changed(
    pages: Pages, town: World, some: dict[str, Mentor], module_database: Database
) -> None:
    cy = await pages.as_(town.cy)
    chosen = await cy.send("/mentors/bulk", action="pause", mentor=ids(some, "Ida"))
    assert "Ida" not in chosen.text
    assert "0 persons will be changed" in chosen.text
    forced = await confirmed(cy, chosen, ids(some, "Ida"), reason="travel", order=str(uuid4()))
    assert "Ida" not in forced.text
    assert "0 changed" in forced.text
    assert statuses(module_database, some)["Ida"] == "active"


async def test_how_it_went_is_for_whoever_asked(
    pages: Pages, bo: Browser, town: World, some: dict[str, Mentor]
) -> None:
    chosen = await bo.send("/mentors/bulk", action="pause", mentor=ids(some, "Ida"))
    done = await confirmed(bo, chosen, ids(some, "Ida"), reason="travel")
    dag = await pages.as_(town.dag)
    assert (await dag.open(done.answer.url.path)).status == 404
    assert (await bo.open("/mentors/bulk/nonsense")).status == 404


async def test_nobody_ticked_leads_back_to_the_list(bo: Browser) -> None:
    seen = await bo.send("/mentors/bulk", action="pause", back="?status=paused")
    assert "status=paused" in str(seen.answer.url)
    assert "Tick the people first" in seen.text


async def test_the_list_is_never_led_elsewhere(bo: Browser) -> None:
    answer = await bo.send("/mentors/bulk", follow=False, action="pause", back="//evil.example/")
    assert answer.answer.headers["location"].startswith("/mentors?")


async def test_it_is_forgotten_after_a_day(
    bo: Browser, some: dict[str, Mentor], own_sessions: Sessions, module_database: Database
) -> None:
    chosen = await bo.send("/mentors/bulk", action="pause", mentor=ids(some, "Ida"))
    done = await confirmed(bo, chosen, ids(some, "Ida"), reason="travel")
    await own_sessions.call(Service(), "forget_bulk_changes")
    assert (await bo.open(done.answer.url.path)).status == 200
    with psycopg.connect(module_database.url) as connection:
        connection.execute(
            "update peerpause.bulk_changes set requested_at = now() - %s::interval", (timedelta(hours=25),)
        )
    await own_sessions.call(Service(), "forget_bulk_changes")
    assert (await bo.open(done.answer.url.path)).status == 404


@pytest.fixture
async def own_sessions(pages: Pages) -> AsyncIterator[Sessions]:
    """The app's own way into the database."""
    url = pages.database.server.url(pages.database.name, user="authenticator")
    async with Sessions(url=url, size=1) as opened:
        yield opened
