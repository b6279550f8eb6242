"""The inbox over HTTP: unread first, in the reader's and the organisation's own words, read and seen to, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from peerpause.database.session import Sessions
from peerpause.notifications.outbox import Outbox
from tests.cast import Mentor, Person, World, add_chapter, add_coordinator, add_mentor, set_status
from tests.database.acting import Session, owner_session
from tests.servers import Database
from tests.web.pages import Page, Pages


@pytest.fixture(scope="module")
def owner(module_database: Database) -> Iterator[Session]:
    with owner_session(module_database) as session:
        yield session


@dataclass(frozen=True, slots=True)
class West:
    """A chapter of one test's own, so that nobody else's news reach its people: Bo, who coordinates it, and Ada, its mentor."""

    bo: Person
    ada: Mentor


@pytest.fixture
def west(owner: Session, town: World) -> West:
    with owner.transaction():
        chapter = add_chapter(owner, town.organisation_id, "west")
        return West(
            bo=add_coordinator(owner, "Bo", chapters=[chapter]),
            ada=add_mentor(owner, "Ada", chapters=[chapter]),
        )


async def happen(database: Database, owner: Session, mentor: Mentor, times: int = 1) -> None:
    """Let the mentor pause and come back in turns, as the system, and tell everybody."""
    for number in range(times):
        move, reason = ("paused", "illness") if number % 2 == 0 else ("active", "returned")
        with owner.transaction():
            set_status(owner, mentor, move, reason=reason)
    async with Sessions(url=database.url) as sessions:
        while (await Outbox(sessions=sessions).tell_changes()).anything:
            pass


def entries(page: Page) -> list[str]:
    """The ids of the entries shown, newest first."""
    return [
        form.get("action", "").removeprefix("/inbox/")
        for form in page.tree.iter("{http://www.w3.org/1999/xhtml}form")
        if form.get("action", "").startswith("/inbox/") and form.get("action") != "/inbox/all"
    ]


async def test_what_is_new_is_told_in_words(
    pages: Pages, module_database: Database, owner: Session, west: West
) -> None:
    await happen(module_database, owner, west.ada)
    his = await pages.as_(west.bo)
    seen = await his.open("/inbox")
    assert "1 unread message" in seen.text
    assert "Ada Hansen" in seen.text
    assert "Illness" in seen.text
    menu = "".join(seen.tree.find(".//{http://www.w3.org/1999/xhtml}nav").itertext())
    assert "(1 unread)" in menu
    norwegian = await (await pages.as_(west.bo, language="nn")).open("/inbox")
    assert "1 ulesen melding" in norwegian.text


async def test_an_organisation_speaks_in_its_own_words(
    pages: Pages, module_database: Database, owner: Session, west: West, town: World
) -> None:
    owner.execute(
        "insert into public.reason_labels (organisation_id, reason, language, label)"
        " values (%s, 'illness', 'en', 'Not well just now')",
        (town.organisation_id,),
    )
    owner.execute(
        "update public.organisations set role_word = 'kindred spirit' where id = %s", (town.organisation_id,)
    )
    await happen(module_database, owner, west.ada)
    seen = await (await pages.as_(west.bo)).open("/inbox")
    assert "Not well just now" in seen.text
    assert "kindred spirit" in seen.text


async def test_opening_an_entry_leads_to_the_person_and_makes_it_read(
    pages: Pages, module_database: Database, owner: Session, west: West
) -> None:
    await happen(module_database, owner, west.ada)
    his = await pages.as_(west.bo)
    (entry,) = set(entries(await his.open("/inbox")))
    opened = await his.send(f"/inbox/{entry}", follow=False, act="open")
    assert opened.answer.headers["location"] == f"/mentors/{west.ada.mentor_id}"
    assert entries(await his.open("/inbox")) == []
    assert "Read" in (await his.open("/inbox", show="all")).text

    hers = await pages.as_(west.ada)
    (entry,) = set(entries(await hers.open("/inbox")))
    opened = await hers.send(f"/inbox/{entry}", follow=False, act="open")
    assert opened.answer.headers["location"] == f"/me/{west.ada.mentor_id}"


async def test_an_entry_is_read_or_seen_to(
    pages: Pages, module_database: Database, owner: Session, west: West
) -> None:
    await happen(module_database, owner, west.ada, 2)
    his = await pages.as_(west.bo)
    newest, oldest = dict.fromkeys(entries(await his.open("/inbox")))
    after = await his.send(f"/inbox/{newest}", act="read", show="unread")
    assert "Marked as read." in after.text
    assert set(entries(after)) == {oldest}
    after = await his.send(f"/inbox/{oldest}", act="acknowledge", show="all")
    assert "Noted that you have seen to it." in after.text
    assert after.text.count("Seen to") == 1
    assert "0 unread messages" in after.text


async def test_all_that_was_shown_is_read_and_nothing_that_came_since(
    pages: Pages, module_database: Database, owner: Session, west: West
) -> None:
    await happen(module_database, owner, west.ada, 2)
    his = await pages.as_(west.bo)
    form = (await his.open("/inbox")).form("/inbox/all")
    with owner.transaction():
        set_status(owner, west.ada, "paused", reason="travel")
    async with Sessions(url=module_database.url) as sessions:
        await Outbox(sessions=sessions).tell_changes()
    after = await his.send("/inbox/all", **form, act="read")
    assert "1 unread message" in after.text
    assert len(set(entries(after))) == 1
    form = after.form("/inbox/all")
    after = await his.send("/inbox/all", **{**form, "show": "all"}, act="acknowledge")
    assert after.text.count("Seen to") == 3
    assert "Nothing new" in (await his.open("/inbox")).text


async def test_a_form_without_a_moment_marks_nothing(
    pages: Pages, module_database: Database, owner: Session, west: West
) -> None:
    await happen(module_database, owner, west.ada)
    his = await pages.as_(west.bo)
    for until in ("", "nonsense"):
        assert "1 unread message" in (await his.send("/inbox/all", until=until, act="read")).text


async def test_a_full_inbox_has_pages(
    pages: Pages, module_database: Database, owner: Session, west: West
) -> None:
    await happen(module_database, owner, west.ada, 28)
    his = await pages.as_(west.bo)
    first = await his.open("/inbox")
    (older,) = [link for link in first.links() if "cursor=" in link]
    shown = set(entries(first))
    last = await his.open(older)
    assert (len(shown), len(set(entries(last))), shown & set(entries(last))) == (25, 3, set())
    assert (await his.open("/inbox", cursor="W10")).status == 400
    assert (await his.open("/inbox", show="some")).status == 404


async def test_an_inbox_is_its_readers_alone(
    pages: Pages, module_database: Database, owner: Session, west: West, town: World
) -> None:
    await happen(module_database, owner, west.ada)
    (entry,) = set(entries(await (await pages.as_(west.bo)).open("/inbox")))
    for who in (town.cy, town.dag, town.eva, town.hal, town.finn):
        theirs = await pages.as_(who)
        assert entry not in entries(await theirs.open("/inbox", show="all"))
        assert (await theirs.send(f"/inbox/{entry}", act="read")).status == 404
    assert (await (await pages.as_(west.bo)).send(f"/inbox/{entry}", act="read", csrf="x")).status == 403
    assert "1 unread message" in (await (await pages.as_(west.bo)).open("/inbox")).text


async def test_an_entry_that_nobody_can_read_any_more_takes_nothing_else_away(
    pages: Pages, module_database: Database, owner: Session, west: West
) -> None:
    await happen(module_database, owner, west.ada, 2)
    owner.execute(
        "update public.notifications set payload = '{}' where recipient_id = %s and event = 'mentor_paused'",
        (west.bo.user_id,),
    )
    seen = await (await pages.as_(west.bo)).open("/inbox")
    assert seen.status == 200
    assert "A message that cannot be shown" in seen.text
    assert "Ada Hansen" in seen.text


async def test_the_link_of_a_summary_leads_to_the_inbox(pages: Pages, west: West) -> None:
    seen = await (await pages.as_(west.bo)).open("/notifications")
    assert (seen.answer.url.path, seen.heading) == ("/inbox", "Inbox")
