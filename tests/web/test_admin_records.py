"""What admins look up: their own organisation's deliveries and changes alone, without notes, and files that do nothing when opened."""

from __future__ import annotations

import json
from uuid import UUID

import psycopg
import pytest

from tests.cast import Mentor, Person, World
from tests.database.acting import pause, person_session
from tests.web.pages import Pages

_NOTE = "a word about health"


def _path(town: World, page: str) -> str:
    return f"/admin/{town.organisation_id}/{page}"


def _pause(pages: Pages, mentor: Mentor, by: Person) -> None:
    """A pause with a note."""
    with person_session(pages.database, by) as session:
        pause(session, mentor, "travel", p_note=_NOTE)


def _deliver(pages: Pages, town: World, *, state: str, outcome: str | None) -> UUID:
    """A delivery to Bo about Ada's beginning that ended like this."""
    with psycopg.connect(pages.database.url) as connection:
        connection.execute(
            "delete from public.notification_deliveries where recipient_id = %s", (town.bo.user_id,)
        )
        row = connection.execute(
            "insert into public.notification_deliveries (organisation_id, history_id, mentor_id, recipient_id, channel, event, state, "
            "outcome, changed_at, settled_at, attempts) "
            "select h.organisation_id, h.id, h.mentor_id, %s, 'push', 'mentor_paused', %s, %s, h.changed_at, now(), 3 "
            "from public.peer_mentor_status_history as h where h.mentor_id = %s order by h.id limit 1 returning id",
            (town.bo.user_id, state, outcome, town.ada.mentor_id),
        ).fetchone()
    assert row is not None
    found: UUID = row[0]
    return found


def _state(pages: Pages, delivery_id: UUID) -> str:
    with psycopg.connect(pages.database.url) as connection:
        row = connection.execute(
            "select state from public.notification_deliveries where id = %s", (delivery_id,)
        ).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize(
    "page", ["deliveries", "audit", "audit.csv", "audit.jsonl", "audit/chain.jsonl", "webhooks"]
)
async def test_nobody_else_finds_anything_there(pages: Pages, town: World, page: str) -> None:
    for person in (town.ada, town.bo, town.eva):
        seen = await (await pages.as_(person)).open(_path(town, page))
        assert seen.status == 404


async def test_a_delivery_that_failed_is_found_and_tried_again(pages: Pages, town: World) -> None:
    _pause(pages, town.ada, town.bo)
    delivery = _deliver(pages, town, state="failed", outcome="failed_after_retries")
    browser = await pages.as_(town.dag)
    seen = await browser.open(_path(town, "deliveries"), state="failed")
    assert town.bo.display_name in seen.text
    assert town.ada.display_name in seen.text
    assert "Did not arrive after several tries" in seen.text
    again = await browser.send(_path(town, "deliveries/retry"), delivery=str(delivery), state="failed")
    assert "1 message will be tried again." in again.text
    assert "state=failed" in str(again.answer.url)
    assert _state(pages, delivery) == "pending"


async def test_all_that_did_not_arrive_is_tried_again_as_far_as_the_filters_go(
    pages: Pages, town: World
) -> None:
    delivery = _deliver(pages, town, state="expired", outcome=None)
    browser = await pages.as_(town.dag)
    other = await browser.send(_path(town, "deliveries/retry"), channel="email")
    assert "There was nothing to try again." in other.text
    assert _state(pages, delivery) == "expired"
    await browser.send(_path(town, "deliveries/retry"), channel="push")
    assert _state(pages, delivery) == "pending"


async def test_only_those_in_the_state_that_is_shown_are_tried_again(pages: Pages, town: World) -> None:
    delivery = _deliver(pages, town, state="expired", outcome=None)
    browser = await pages.as_(town.dag)
    for other in ("sent", "skipped", "failed"):
        assert "did not arrive again" not in (await browser.open(_path(town, "deliveries"), state=other)).text
        sent = await browser.send(_path(town, "deliveries/retry"), state=other)
        assert "There was nothing to try again." in sent.text
    assert _state(pages, delivery) == "expired"
    shown = await browser.open(_path(town, "deliveries"), state="expired")
    await browser.send(_path(town, "deliveries/retry"), **shown.form(_path(town, "deliveries/retry")))
    assert _state(pages, delivery) == "pending"


async def test_whoever_wants_no_pushes_is_left_in_peace(pages: Pages, town: World) -> None:
    delivery = _deliver(pages, town, state="skipped", outcome="opted_out")
    browser = await pages.as_(town.dag)
    await browser.send(_path(town, "deliveries/retry"), delivery=str(delivery))
    assert _state(pages, delivery) == "skipped"


async def test_nobody_else_has_anything_tried_again(pages: Pages, town: World) -> None:
    delivery = _deliver(pages, town, state="failed", outcome="failed_after_retries")
    for person in (town.bo, town.eva):
        sent = await (await pages.as_(person)).send(_path(town, "deliveries/retry"), delivery=str(delivery))
        assert sent.status == 404
    own = f"/admin/{town.other_organisation_id}/deliveries/retry"
    await (await pages.as_(town.eva)).send(own, delivery=str(delivery))
    assert _state(pages, delivery) == "failed"


async def test_a_filter_that_is_no_date_is_said(pages: Pages, town: World) -> None:
    for page in ("deliveries", "audit"):
        seen = await (await pages.as_(town.dag)).open(_path(town, page), since="yesterday")
        assert seen.status == 200
        assert "Write the date as day.month.year" in seen.text


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"person": "finn"}, True),
        ({"person": "Greta"}, False),
        ({"person": "%"}, False),
        ({"actor": "cy@"}, True),
        ({"actor": "Bo"}, False),
        ({"who": "people"}, True),
        ({"who": "system", "status": "paused"}, False),
        ({"status": "inactive"}, False),
        ({"reason": "travel"}, True),
        ({"until": "2001-01-01"}, False),
        ({"since": "2001-01-01"}, True),
    ],
)
async def test_the_audit_is_searched(pages: Pages, town: World, filters: dict[str, str], found: bool) -> None:
    with psycopg.connect(pages.database.url) as connection:
        row = connection.execute(
            "select status from public.peer_mentors where id = %s", (town.finn.mentor_id,)
        ).fetchone()
    if row == ("active",):
        _pause(pages, town.finn, town.cy)
    narrowed = {"person": "Finn", "status": "paused", **filters}
    seen = await (await pages.as_(town.dag)).open(_path(town, "audit"), **narrowed)
    assert ("Active → On pause" in seen.text) is found
    assert _NOTE not in seen.answer.text


async def test_a_chapter_narrows_the_audit_to_its_people(pages: Pages, town: World) -> None:
    browser = await pages.as_(town.dag)
    north = await browser.open(_path(town, "audit"), chapter=str(town.north.chapter_id))
    south = await browser.open(_path(town, "audit"), chapter=str(town.south.chapter_id))
    assert town.ada.display_name in north.text
    assert town.ada.display_name not in south.text


async def test_the_file_for_a_spreadsheet_holds_what_the_filters_show_and_no_formula(
    pages: Pages, town: World
) -> None:
    with psycopg.connect(pages.database.url) as connection:
        connection.execute(
            "update public.peer_mentors set display_name = '=cmd() Hansen' where id = %s",
            (town.ada.mentor_id,),
        )
    browser = await pages.as_(town.dag)
    everything = (await browser.open(_path(town, "audit.csv"))).answer
    assert everything.headers["content-type"].startswith("text/csv")
    assert "'=cmd() Hansen" in everything.text
    assert ",=cmd()" not in everything.text
    assert _NOTE not in everything.text
    narrow = (await browser.open(_path(town, "audit.csv"), person="Finn")).answer
    assert "Finn Hansen" in narrow.text
    assert "cmd" not in narrow.text


async def test_the_file_for_programs_has_an_object_a_line(pages: Pages, town: World) -> None:
    answer = (await (await pages.as_(town.dag)).open(_path(town, "audit.jsonl"))).answer
    lines = [json.loads(line) for line in answer.text.splitlines()]
    mentors = {line["mentor_id"] for line in lines}
    assert mentors >= {str(town.ada.mentor_id), str(town.finn.mentor_id)}
    assert str(town.greta.mentor_id) not in mentors
    assert _NOTE not in answer.text


async def test_the_chain_can_be_taken_along(pages: Pages, town: World) -> None:
    answer = (await (await pages.as_(town.dag)).open(_path(town, "audit/chain.jsonl"))).answer
    assert answer.status_code == 200
    assert _NOTE not in answer.text
    assert all(json.loads(line)["hash"] for line in answer.text.splitlines())
