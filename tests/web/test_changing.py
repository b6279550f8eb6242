"""A coordinator changes one mentor: form, review, change. What was typed is kept, nobody is overwritten unseen, nothing happens twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

from tests.cast import Mentor, World, add_certificate, add_mentor, require_certificate, set_status
from tests.servers import Database
from tests.web.pages import Browser, Page, Pages

_TODAY = datetime.now(ZoneInfo("Europe/Oslo")).date()
_SOON = (_TODAY + timedelta(days=40)).isoformat()


@pytest.fixture
def ida(module_database: Database, town: World) -> Mentor:
    """Somebody new in north, active."""
    with psycopg.connect(module_database.url) as connection:
        return add_mentor(connection, "Ida", chapters=[town.north])


@pytest.fixture
async def bo(pages: Pages, town: World) -> Browser:
    """The coordinator of north."""
    return await pages.as_(town.bo)


async def reviewed(reader: Browser, mentor: Mentor, action: str, **typed: str) -> Page:
    """The page that says what will happen."""
    path = f"/mentors/{mentor.mentor_id}/{action}"
    form = (await reader.open(path)).form(path)
    return await reader.send(path, **{**form, **typed, "step": "review"})


async def changed(reader: Browser, mentor: Mentor, action: str, **typed: str) -> Page:
    """What comes after the confirmation."""
    path = f"/mentors/{mentor.mentor_id}/{action}"
    review = await reviewed(reader, mentor, action, **typed)
    assert review.heading == "Is this right?", review.text
    return await reader.send(path, **{**review.form(path), "step": "confirm"})


def stands(database: Database, mentor: Mentor) -> tuple[str, str | None, str | None, int]:
    """Status, reason and note of a pause, and how many changes there were."""
    with psycopg.connect(database.url) as connection:
        row = connection.execute(
            "select p.status::text, p.pause_reason, p.pause_note, (select count(*) from public.peer_mentor_status_history as h"
            " where h.mentor_id = p.id and h.previous_status is not null) from public.peer_mentors as p where p.id = %s",
            (mentor.mentor_id,),
        ).fetchone()
    assert row is not None
    return row


def now_is(database: Database, mentor: Mentor, status: str, reason: str) -> None:
    """Let the system move the mentor."""
    with psycopg.connect(database.url) as connection:
        set_status(connection, mentor, status, reason=reason)


async def test_a_page_shows_one_s_own_mentor_with_how_to_reach_them(bo: Browser, ida: Mentor) -> None:
    seen = await bo.open(f"/mentors/{ida.mentor_id}")
    assert seen.heading == "Ida Hansen"
    assert "ida@example.org" in seen.text
    assert "Shown on the public page" in seen.text
    assert "Bo Hansen" in seen.text


@pytest.mark.parametrize("path", ["", "/pause", "/deactivate"])
async def test_nobody_opens_the_pages_of_a_mentor_who_is_not_theirs(
    pages: Pages, town: World, ida: Mentor, path: str
) -> None:
    for person in (town.cy, town.eva, town.ada):
        assert (await (await pages.as_(person)).open(f"/mentors/{ida.mentor_id}{path}")).status == 404


async def test_nobody_changes_a_mentor_who_is_not_theirs(
    pages: Pages, town: World, ida: Mentor, module_database: Database
) -> None:
    for person in (town.cy, town.eva, town.ada):
        reader = await pages.as_(person)
        for action, code in (("pause", "illness"), ("deactivate", "resigned")):
            answer = await reader.send(
                f"/mentors/{ida.mentor_id}/{action}", reason=code, start="now", step="confirm"
            )
            assert answer.status == 404
    assert stands(module_database, ida) == ("active", None, None, 0)


async def test_a_mentor_is_led_to_their_own_page(pages: Pages, town: World) -> None:
    ada = await pages.as_(town.ada)
    answer = await ada.client.get(f"/mentors/{town.ada.mentor_id}")
    assert answer.headers["location"] == f"/me/{town.ada.mentor_id}"


async def test_a_form_from_elsewhere_changes_nothing(
    bo: Browser, ida: Mentor, module_database: Database
) -> None:
    answer = await bo.send(
        f"/mentors/{ida.mentor_id}/pause", csrf="guessed", reason="illness", start="now", step="confirm"
    )
    assert answer.status == 403
    assert stands(module_database, ida) == ("active", None, None, 0)


async def test_a_pause_is_reviewed_and_then_made(bo: Browser, ida: Mentor, module_database: Database) -> None:
    review = await reviewed(
        bo, ida, "pause", reason="travel", start="now", return_on=_SOON, note="back by train"
    )
    for told in ("Travel", "back by train", "These are told: Bo Hansen, and Ida Hansen"):
        assert told in review.text
    assert stands(module_database, ida)[0] == "active"
    done = await changed(
        bo, ida, "pause", reason="travel", start="now", return_on=_SOON, note="back by train"
    )
    assert "Ida Hansen is now on pause." in done.text
    assert "back by train" in done.text
    assert stands(module_database, ida) == ("paused", "travel", "back by train", 1)


async def test_a_review_says_which_chapter_is_left_alone(
    pages: Pages, town: World, module_database: Database
) -> None:
    with psycopg.connect(module_database.url) as connection:
        only = add_mentor(connection, "Only", chapters=[town.elsewhere])
    eva = await pages.as_(town.eva)
    told = "elsewhere has no active peer mentor left."
    assert told not in (await reviewed(eva, only, "pause", reason="travel", start="now")).text
    now_is(module_database, town.greta, "paused", "travel")
    assert told in (await reviewed(eva, only, "pause", reason="travel", start="now")).text
    now_is(module_database, town.greta, "active", "returned")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"reason": ""}, "Choose a reason."),
        ({"reason": "certification_expired"}, "Choose a reason."),
        ({"return_on": "2020-01-01"}, "The pause cannot end before it begins."),
        ({"return_on": "someday"}, "Write the date as day.month.year"),
        ({"start": "later"}, "Give the day on which the pause begins."),
        ({"start": "later", "start_on": "2020-01-01"}, "Give a day and time that are still ahead"),
        ({"note": "x" * 2001}, "Shorten this to 2000 characters."),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    bo: Browser, ida: Mentor, typed: dict[str, str], sentence: str
) -> None:
    seen = await reviewed(bo, ida, "pause", **{"reason": "travel", "start": "now", "note": "kept", **typed})
    assert seen.status == 400
    assert sentence in seen.text
    form = seen.form(f"/mentors/{ida.mentor_id}/pause")
    assert form["note"] == typed.get("note", "kept")
    assert form["start"] == typed.get("start", "now")


async def test_what_was_typed_comes_back_from_the_review(bo: Browser, ida: Mentor) -> None:
    path = f"/mentors/{ida.mentor_id}/pause"
    review = await reviewed(bo, ida, "pause", reason="family", start="now", note="two\nlines")
    again = await bo.send(path, **{**review.form(path), "step": "edit"})
    form = again.form(path)
    assert (form["reason"], form["note"].strip()) == ("family", "two\nlines")


async def test_a_pause_is_planned_and_cancelled(bo: Browser, ida: Mentor, module_database: Database) -> None:
    done = await changed(bo, ida, "pause", reason="travel", start="later", start_on=_SOON, start_at="08:30")
    assert "The pause of Ida Hansen is planned." in done.text
    assert "08:30" in done.text
    assert stands(module_database, ida)[0] == "active"
    undone = await bo.send(f"/mentors/{ida.mentor_id}/cancel-planned-pause")
    assert "The planned pause of Ida Hansen is cancelled." in undone.text
    assert "08:30" not in undone.text


async def test_a_confirmation_sent_twice_changes_once(
    bo: Browser, ida: Mentor, module_database: Database
) -> None:
    path = f"/mentors/{ida.mentor_id}/pause"
    confirmed = {
        **(await reviewed(bo, ida, "pause", reason="travel", start="now")).form(path),
        "step": "confirm",
    }
    for _ in range(2):
        assert "Ida Hansen is now on pause." in (await bo.send(path, **confirmed)).text
    assert stands(module_database, ida) == ("paused", "travel", None, 1)


async def test_the_second_of_two_hears_what_the_first_did_and_loses_nothing(
    pages: Pages, bo: Browser, town: World, ida: Mentor, module_database: Database
) -> None:
    path = f"/mentors/{ida.mentor_id}/deactivate"
    dag = await pages.as_(town.dag)
    seen = await reviewed(dag, ida, "deactivate", reason="resigned", note="moved to Bergen")
    await changed(bo, ida, "pause", reason="travel", start="now", return_on=_SOON)
    conflict = await dag.send(path, **{**seen.form(path), "step": "confirm"})
    assert conflict.status == 409
    for told in ("Somebody else changed this meanwhile.", "On pause", "by Bo Hansen", "Reason: Travel"):
        assert told in conflict.text
    form = conflict.form(path)
    assert (form["reason"], form["note"].strip()) == ("resigned", "moved to Bergen")
    assert stands(module_database, ida)[0] == "paused"
    again = await dag.send(path, **{**form, "step": "review"})
    await dag.send(path, **{**again.form(path), "step": "confirm"})
    assert stands(module_database, ida)[0] == "inactive"


async def test_a_change_that_is_not_possible_any_more_says_so(
    pages: Pages, bo: Browser, town: World, ida: Mentor, module_database: Database
) -> None:
    path = f"/mentors/{ida.mentor_id}/pause"
    dag = await pages.as_(town.dag)
    seen = await reviewed(dag, ida, "pause", reason="travel", start="now", note="kept")
    await changed(bo, ida, "pause", reason="illness", start="now")
    conflict = await dag.send(path, **{**seen.form(path), "step": "confirm"})
    assert conflict.status == 409
    assert "is not possible any more" in conflict.text
    assert conflict.form(path)["note"].strip() == "kept"
    assert stands(module_database, ida) == ("paused", "illness", None, 1)


async def test_a_pause_ends_and_the_page_says_what_to_do_next(
    bo: Browser, ida: Mentor, module_database: Database
) -> None:
    now_is(module_database, ida, "paused", "travel")
    done = await changed(bo, ida, "reactivate")
    assert "Ida Hansen is active again." in done.text
    assert "give them somebody to help" in done.text
    assert stands(module_database, ida)[0] == "active"


async def test_a_paused_mentor_leaves_in_one_step(
    bo: Browser, ida: Mentor, module_database: Database
) -> None:
    now_is(module_database, ida, "paused", "travel")
    review = await reviewed(bo, ida, "deactivate", reason="resigned")
    assert "Their pause ends with it." in review.text
    await changed(bo, ida, "deactivate", reason="resigned")
    assert stands(module_database, ida)[0] == "inactive"
    seen = await bo.open(f"/mentors/{ida.mentor_id}/pause")
    assert seen.heading == "Ida Hansen"  # nothing leads away from here


async def test_the_expected_return_moves_while_the_pause_goes_on(
    bo: Browser, ida: Mentor, module_database: Database
) -> None:
    now_is(module_database, ida, "paused", "travel")
    path = f"/mentors/{ida.mentor_id}/return-date"
    form = (await bo.open(path)).form(path)
    assert (await bo.send(path, **{**form, "return_on": "2020-01-01"})).status == 400
    done = await bo.send(path, **{**form, "return_on": _SOON})
    assert "The day Ida Hansen is expected back was changed." in done.text
    assert (await bo.open(path)).form(path)["return_on"] == _SOON
    stale = await bo.send(path, **{**form, "return_on": "", "key": "another"})
    assert stale.status == 409
    assert stands(module_database, ida)[0] == "paused"


@pytest.fixture
def lapsed(module_database: Database, town: World, ida: Mentor) -> Mentor:
    """On pause for a certificate that has run out."""
    with psycopg.connect(module_database.url) as connection:
        require_certificate(connection, town.organisation_id)
        add_certificate(
            connection,
            ida,
            issued_on=_TODAY - timedelta(days=400),
            expires_on=_TODAY - timedelta(days=5),
        )
        set_status(connection, ida, "paused", reason="certification_expired")
    return ida


async def seen_at(reader: Browser, mentor: Mentor) -> str:
    """What a form of today would carry."""
    path = f"/mentors/{mentor.mentor_id}/return-date"
    return str((await reader.open(path)).form(path)["expected"])


async def test_a_lapsed_certificate_blocks_the_return_and_says_whom_to_ask(
    bo: Browser, lapsed: Mentor, module_database: Database
) -> None:
    path = f"/mentors/{lapsed.mentor_id}/reactivate"
    seen = await bo.open(path)
    assert "A certificate stands in the way" in seen.text
    assert "an admin of Hearing Friends can allow an exception" in seen.text
    assert f"/certificates/{lapsed.mentor_id}/renew" in seen.links()
    forced = await bo.send(
        path,
        step="confirm",
        justification="because I say so",
        override_until=_SOON,
        expected=await seen_at(bo, lapsed),
    )
    assert forced.status == 403
    assert stands(module_database, lapsed)[0] == "paused"


async def test_an_admin_allows_an_exception_with_a_reason(
    pages: Pages, town: World, lapsed: Mentor, module_database: Database
) -> None:
    dag = await pages.as_(town.dag)
    missing = await reviewed(dag, lapsed, "reactivate", justification="short", override_until="")
    assert "Say a little more" in missing.text
    assert "Give the last day of the exception." in missing.text
    done = await changed(
        dag, lapsed, "reactivate", justification="the course was moved to January", override_until=_SOON
    )
    assert "Ida Hansen is active again." in done.text
    assert "An admin's exception holds until" in done.text
    assert "because a certificate that is required is missing or has run out" in done.text
    assert stands(module_database, lapsed)[0] == "active"
