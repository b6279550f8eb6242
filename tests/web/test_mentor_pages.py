"""A mentor's own pages over HTTP: am I active, pausing in steps that lose nothing, coming back, leaving, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.cast import Mentor, World, add_certificate, add_mentor, require_certificate, set_status
from tests.database.acting import Session, owner_session
from tests.servers import Database
from tests.web.pages import Browser, Page, Pages

# The organisations' day, which begins an hour or two before UTC's.
TODAY = datetime.now(ZoneInfo("Europe/Oslo")).date()
SOON = TODAY + timedelta(days=20)
NOTE = "I need time for my family"
PAUSE: dict[str, Any] = {
    "reason": "family",
    "note": NOTE,
    "start": "now",
    "length": "day",
    "return_on": SOON.isoformat(),
}


@pytest.fixture(scope="module")
def owner(module_database: Database) -> Iterator[Session]:
    with owner_session(module_database) as session:
        yield session


@pytest.fixture
def ada(owner: Session, town: World) -> Mentor:
    """A mentor of north for one test, under the name that its pages expect."""
    with owner.transaction():
        return add_mentor(owner, "Ada", chapters=[town.north])


@pytest.fixture
async def her(pages: Pages, ada: Mentor) -> Browser:
    return await pages.as_(ada)


def path(mentor: Mentor, what: str = "") -> str:
    return f"/me/{mentor.mentor_id}{what}"


def row(owner: Session, mentor: Mentor) -> dict[str, Any]:
    found = owner.execute("select * from public.peer_mentors where id = %s", (mentor.mentor_id,)).fetchone()
    assert found is not None
    return found


async def review(her: Browser, ada: Mentor, **changed: str) -> Page:
    """The form, filled in and sent to be reviewed."""
    form = (await her.open(path(ada, "/pause"))).form()
    return await her.send(path(ada, "/pause"), **{**form, **PAUSE, **changed})


async def pause(her: Browser, ada: Mentor, **changed: str) -> Page:
    """The whole way."""
    reviewed = await review(her, ada, **changed)
    return await her.send(path(ada, "/pause"), **{**reviewed.form(), "step": "confirm"})


async def test_one_page_answers_whether_i_am_active(her: Browser, ada: Mentor) -> None:
    seen = await her.open("/me")
    assert seen.answer.url.path == path(ada)
    assert (seen.status, seen.heading) == (200, "You are active")
    assert f"/public/chapters/{await_chapter(seen)}/mentors.html" in seen.links()
    assert "Bo Hansen" in seen.text
    assert "bo@example.org" in seen.text


def await_chapter(seen: Page) -> str:
    (link,) = [link for link in seen.links() if link.startswith("/public/chapters/")]
    return link.split("/")[3]


async def test_a_pause_is_reviewed_before_it_begins(her: Browser, ada: Mentor, owner: Session) -> None:
    reviewed = await review(her, ada)
    assert reviewed.heading == "Check and confirm the pause"
    assert NOTE in reviewed.text
    assert "We tell Bo Hansen." in reviewed.text
    assert row(owner, ada)["status"] == "active"
    done = await her.send(path(ada, "/pause"), **{**reviewed.form(), "step": "confirm"})
    assert (done.answer.url.path, done.heading) == (path(ada), "You are on pause")
    assert NOTE in done.text
    assert "in 20 days" in done.text
    assert str(done.answer.url).endswith("?done=paused")
    assert "family" not in str(done.answer.url)
    paused = row(owner, ada)
    assert (paused["pause_reason"], paused["pause_note"], paused["expected_return_on"]) == (
        "family",
        NOTE,
        SOON,
    )


async def test_nothing_typed_is_lost_on_the_way_back(her: Browser, ada: Mentor, owner: Session) -> None:
    reviewed = await review(her, ada)
    back = await her.send(path(ada, "/pause"), **{**reviewed.form(), "step": "change"})
    typed = back.form()
    assert {name: typed[name] for name in PAUSE} == PAUSE
    assert row(owner, ada)["status"] == "active"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"reason": ""}, "Choose a reason."),
        ({"reason": "certification_expired"}, "Choose a reason."),
        ({"note": "x" * 2001}, "Shorten this to 2000 characters."),
        ({"length": ""}, "Say how long you expect to be away"),
        ({"return_on": ""}, "Write the day on which you expect to be back."),
        ({"return_on": "2020-01-01"}, "You cannot be back before the pause begins."),
        ({"return_on": "tomorrow"}, "Write the date as day.month.year"),
        ({"length": "open"}, "You have written a day and chosen something else."),
        ({"start": "later"}, "Write the day on which the pause begins."),
        ({"start": "later", "start_on": "2020-01-01"}, "This moment has passed."),
        ({"start_on": SOON.isoformat()}, "chosen that the pause begins now"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_the_rest_is_kept(
    her: Browser, ada: Mentor, owner: Session, changed: dict[str, str], sentence: str
) -> None:
    refused = await review(her, ada, **changed)
    assert refused.status == 422
    assert refused.title.startswith("Error: ")
    assert sentence in refused.text
    typed = refused.form()
    for name, value in {**PAUSE, **changed}.items():
        if name != "reason":
            assert typed.get(name, "") == value
    assert row(owner, ada)["status"] == "active"


async def test_a_length_is_counted_from_the_first_day(her: Browser, ada: Mentor, owner: Session) -> None:
    start = TODAY + timedelta(days=10)
    done = await pause(
        her,
        ada,
        start="later",
        start_on=start.isoformat(),
        start_time="8.30",
        length="two_weeks",
        return_on="",
    )
    assert done.heading == "You are active"
    assert "Planned pause" in done.text
    (planned,) = owner.execute(
        "select *, to_char(effective_at at time zone 'Europe/Oslo', 'YYYY-MM-DD HH24:MI') as there"
        " from public.scheduled_status_changes where mentor_id = %s",
        (ada.mentor_id,),
    ).fetchall()
    assert planned["there"] == f"{start} 08:30"
    assert planned["expected_return_on"] == start + timedelta(days=14)

    again = (await her.open(path(ada, "/pause"))).form()
    assert (again["start"], again["start_on"], again["start_time"]) == ("later", start.isoformat(), "08:30")
    cancelled = await her.send(path(ada, "/cancel-planned-pause"))
    assert "The planned pause is cancelled." in cancelled.text
    assert "Planned pause" not in cancelled.text


async def test_a_double_click_pauses_once(her: Browser, ada: Mentor, owner: Session) -> None:
    form = {**(await review(her, ada)).form(), "step": "confirm"}
    first, second = [await her.send(path(ada, "/pause"), **form) for _ in range(2)]
    assert first.answer.url == second.answer.url
    assert len(history(owner, ada)) == 2


async def test_who_was_overtaken_hears_what_changed_and_loses_nothing(
    pages: Pages, her: Browser, ada: Mentor, owner: Session, town: World
) -> None:
    form = {**(await review(her, ada)).form(), "step": "confirm"}
    bo = pages.api.as_(town.bo)
    for move, body in (("pause", {"reason": "coordinator_pause"}), ("reactivate", {})):
        assert (await bo.post(f"/v1/mentors/{ada.mentor_id}/{move}", json=body)).status_code == 200
    conflict = await her.send(path(ada, "/pause"), **form)
    assert conflict.status == 409
    assert "the status was changed by Bo Hansen." in conflict.text
    assert NOTE in conflict.text
    assert row(owner, ada)["status"] == "active"
    on = await her.send(path(ada, "/pause"), **{**conflict.form(), "step": "confirm"})
    assert on.heading == "You are on pause"
    assert NOTE in on.text


async def test_who_is_on_pause_already_is_told_so(
    pages: Pages, her: Browser, ada: Mentor, town: World
) -> None:
    form = {**(await review(her, ada)).form(), "step": "confirm"}
    await pages.api.as_(town.bo).post(
        f"/v1/mentors/{ada.mentor_id}/pause", json={"reason": "coordinator_pause"}
    )
    told = await her.send(path(ada, "/pause"), **form)
    assert "You were on pause already. Nothing was changed." in told.text
    assert "Bo Hansen" in told.text
    assert (await her.open(path(ada, "/pause"))).answer.url.path == path(ada)


async def test_a_chapter_that_is_left_alone_is_named(
    her: Browser, ada: Mentor, owner: Session, town: World
) -> None:
    assert "no active" not in (await review(her, ada)).text
    owner.execute(
        "delete from public.chapter_memberships where chapter_id = %s and mentor_id <> %s",
        (town.north.chapter_id, ada.mentor_id),
    )
    assert "north will have no active peer mentor while you are away." in (await review(her, ada)).text


async def test_back_in_two_clicks(her: Browser, ada: Mentor, owner: Session) -> None:
    await pause(her, ada)
    asked = await her.open(path(ada, "/reactivate"))
    assert "Is this still right?" in asked.text
    done = await her.send(path(ada, "/reactivate"), **asked.form())
    assert done.heading == "You are active"
    assert "Welcome back!" in done.text
    again = await her.send(path(ada, "/reactivate"), **asked.form())
    assert (again.heading, len(history(owner, ada))) == ("You are active", 3)


async def test_a_lapsed_certificate_is_explained_with_whom_to_call(
    pages: Pages, owner: Session, town: World
) -> None:
    with owner.transaction():
        greta = add_mentor(owner, "Gro", chapters=[town.elsewhere])
        require_certificate(owner, town.other_organisation_id)
        last_day = TODAY - timedelta(days=4)
        add_certificate(owner, greta, issued_on=last_day - timedelta(days=300), expires_on=last_day)
        set_status(owner, greta, "paused", reason="certification_expired")
    her = await pages.as_(greta)
    standing = await her.open(path(greta))
    assert "Certificate expired" in standing.text
    assert path(greta, "/reactivate") not in standing.links()
    blocked = await her.open(path(greta, "/reactivate"))
    assert "You cannot be active just now" in blocked.text
    assert "eva@example.org" in blocked.text
    forced = await her.send(
        path(greta, "/reactivate"), expected=row(owner, greta)["updated_at"].isoformat(), key="k"
    )
    assert (forced.status, "eva@example.org" in forced.text) == (409, True)
    assert row(owner, greta)["status"] == "paused"


async def test_a_pause_is_made_longer_without_ending_it(her: Browser, ada: Mentor, owner: Session) -> None:
    await pause(her, ada)
    form = (await her.open(path(ada, "/return"))).form()
    refused = await her.send(path(ada, "/return"), **{**form, "length": "day", "return_on": "2020-01-01"})
    assert refused.status == 422
    done = await her.send(path(ada, "/return"), **{**form, "length": "two_weeks"})
    assert "The day you expect to be back is saved." in done.text
    assert row(owner, ada)["expected_return_on"] == TODAY + timedelta(days=14)
    assert row(owner, ada)["status"] == "paused"
    late = await her.send(path(ada, "/return"), **{**form, "length": "open", "key": "another"})
    assert late.status == 409
    assert "the profile or the return date was changed." in late.text
    on = await her.send(path(ada, "/return"), **late.form())
    assert "You have not said when you will be back." in on.text
    told = await her.open(path(ada, "/history"))
    assert "The return date was removed" in told.text
    assert "The return date was changed" in told.text
    assert "you yourself" in told.text


async def test_the_history_tells_who_did_what_and_why(
    pages: Pages, her: Browser, ada: Mentor, town: World
) -> None:
    await pause(her, ada)
    await pages.api.as_(town.bo).post(f"/v1/mentors/{ada.mentor_id}/reactivate", json={})
    told = await her.open(path(ada, "/history"))
    for part in ("Pause ended", "Bo Hansen", "Pause began", NOTE, "Reason: Family", "Registered"):
        assert part in told.text


async def test_a_long_history_has_pages(her: Browser, ada: Mentor, owner: Session) -> None:
    for _ in range(13):
        with owner.transaction():
            set_status(owner, ada, "paused", reason="travel")
        with owner.transaction():
            set_status(owner, ada, "active", reason="returned")
    first = await her.open(path(ada, "/history"))
    (older,) = [link for link in first.links() if "cursor=" in link]
    assert (first.text.count("Pause began"), "Registered" in first.text) == (12, False)
    last = await her.open(older)
    assert (last.text.count("Pause began"), "Registered" in last.text) == (1, True)
    assert (await her.open(path(ada, "/history"), cursor="W10")).status == 400


async def test_leaving_is_asked_twice_and_final(her: Browser, ada: Mentor, owner: Session) -> None:
    await pause(her, ada)
    asked = await her.open(path(ada, "/resign"))
    assert (await her.send(path(ada, "/resign"), **asked.form())).status == 422
    reviewed = await her.send(path(ada, "/resign"), **{**asked.form(), "reason": "resigned", "note": NOTE})
    assert (reviewed.heading, row(owner, ada)["status"]) == ("Do you want to stop?", "paused")
    back = await her.send(path(ada, "/resign"), **{**reviewed.form(), "step": "change"})
    assert (back.form()["reason"], back.form()["note"]) == ("resigned", NOTE)
    done = await her.send(path(ada, "/resign"), **{**reviewed.form(), "step": "confirm"})
    assert (done.heading, row(owner, ada)["status"]) == ("You have left", "inactive")
    assert history(owner, ada)[-2:] == ["active", "inactive"]
    for page in ("/pause", "/reactivate", "/return", "/resign"):
        assert (await her.open(path(ada, page))).answer.url.path == path(ada)


async def test_a_profile_is_changed_and_shown_as_the_public_sees_it(
    her: Browser, ada: Mentor, owner: Session
) -> None:
    shown = await her.open(path(ada, "/profile"))
    done = await her.send(
        path(ada, "/profile"),
        **{
            **shown.form(),
            "presentation": "Call me.",
            "contact": "ada@example.org",
            "languages": ["nb", "nsl"],
        },
    )
    assert "Your profile is saved." in done.text
    assert "Norwegian Bokmål, Norwegian Sign Language" in done.text
    kept = row(owner, ada)
    assert (kept["listed"], kept["languages"], kept["presentation"], kept["public_contact"]) == (
        True,
        ["nb", "nsl"],
        "Call me.",
        "ada@example.org",
    )
    late = await her.send(path(ada, "/profile"), **{**shown.form(), "presentation": "Or write."})
    assert late.status == 409
    assert late.form()["presentation"] == "Or write."
    assert row(owner, ada)["presentation"] == "Call me."


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"contact": "come by"}, "Write one e-mail address"),
        ({"presentation": "x" * 601}, "Shorten this to 600 characters."),
        ({"presentation": "a\u200bb"}, "holds characters that cannot be seen"),
        ({"listed": ""}, "Choose whether you want to be on the public page."),
        ({"languages": [f"a{letter}" for letter in "bcdefghijkl"]}, "Choose at most 10 languages."),
    ],
)
async def test_a_profile_that_cannot_be_shown_is_refused_at_its_field(
    her: Browser, ada: Mentor, changed: dict[str, Any], sentence: str
) -> None:
    shown = await her.open(path(ada, "/profile"))
    refused = await her.send(path(ada, "/profile"), **{**shown.form(), **changed})
    assert refused.status == 422
    assert sentence in refused.text


async def test_a_certificate_says_how_long_it_is_good_for(
    her: Browser, ada: Mentor, owner: Session, pages: Pages, town: World
) -> None:
    today = TODAY
    with owner.transaction():
        gro = add_mentor(owner, "Gro", chapters=[town.elsewhere])
        require_certificate(owner, town.other_organisation_id)
        add_certificate(
            owner, gro, issued_on=today - timedelta(days=800), expires_on=today - timedelta(days=90)
        )
        add_certificate(
            owner, gro, issued_on=today - timedelta(days=90), expires_on=today + timedelta(days=5)
        )
    hers = await pages.as_(gro)
    assert "Renew your certificate now" in (await hers.open(path(gro))).text
    told = (await hers.open(path(gro, "/certificate"))).text
    assert "Runs out soon" in told
    assert "Expired" in told
    assert "eva@example.org" in told
    assert "requires no certificate" in (await her.open(path(ada, "/certificate"))).text


async def test_the_pages_are_the_mentors_own(pages: Pages, ada: Mentor, town: World, owner: Session) -> None:
    for who in (town.bo, town.dag, town.finn, town.greta, town.hal):
        theirs = await pages.as_(who)
        for page in (
            "",
            "/pause",
            "/reactivate",
            "/return",
            "/resign",
            "/history",
            "/certificate",
            "/profile",
        ):
            assert (await theirs.open(path(ada, page))).status == 404
        for page in ("/pause", "/reactivate", "/return", "/resign", "/profile", "/cancel-planned-pause"):
            assert (await theirs.send(path(ada, page), step="confirm", **PAUSE)).status == 404
    assert row(owner, ada)["status"] == "active"


async def test_a_form_from_elsewhere_changes_nothing(her: Browser, ada: Mentor, owner: Session) -> None:
    form = {**(await review(her, ada)).form(), "step": "confirm", "csrf": "guessed"}
    assert (await her.send(path(ada, "/pause"), **form)).status == 403
    assert row(owner, ada)["status"] == "active"


async def test_who_helps_in_several_organisations_chooses(
    pages: Pages, ada: Mentor, owner: Session, town: World
) -> None:
    owner.execute(
        "insert into public.peer_mentors (organisation_id, user_id, display_name, first_name, status, pause_reason)"
        " values (%s, %s, 'Ada Hansen', 'Ada', 'paused', 'travel')",
        (town.other_organisation_id, ada.user_id),
    )
    seen = await (await pages.as_(ada)).open("/me")
    assert (seen.answer.url.path, seen.heading) == ("/me", "My page")
    assert "Hearing Friends Active" in seen.text
    assert "Other Friends On pause" in seen.text


def history(owner: Session, mentor: Mentor) -> list[str]:
    rows = owner.execute(
        "select new_status from public.peer_mentor_status_history where mentor_id = %s order by changed_at",
        (mentor.mentor_id,),
    ).fetchall()
    return [each["new_status"] for each in rows]
