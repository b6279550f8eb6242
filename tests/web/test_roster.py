"""The coordinator's list: whom it shows, how it is narrowed and sorted, that its address says all of it, and its file for a spreadsheet."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

from peerpause.web.spreadsheet import harmless
from tests.cast import (
    Person,
    World,
    add_certificate,
    add_chapter,
    add_coordinator,
    add_mentor,
    add_organisation,
    require_certificate,
    set_status,
)
from tests.servers import Database
from tests.web.pages import Browser, Page, Pages

# Where the cast is; elsewhere it may be another day.
_TODAY = datetime.now(ZoneInfo("Europe/Oslo")).date()


@pytest.fixture(scope="module")
def people(module_database: Database, town: World) -> dict[str, str]:
    """Besides the cast, in north: Ida on pause and overdue, Jo on pause without a date, Kim who left; certificates of each kind."""
    with psycopg.connect(module_database.url) as connection:
        require_certificate(connection, town.organisation_id)
        ida, jo, kim = (add_mentor(connection, name, chapters=[town.north]) for name in ("Ida", "Jo", "Kim"))
        set_status(connection, ida, "paused", reason="travel")
        set_status(connection, jo, "paused", reason="illness")
        set_status(connection, kim, "inactive", reason="resigned")
        connection.execute(
            "update public.peer_mentors set expected_return_on = %s, pause_note = 'a note about health' where id = %s",
            (_TODAY - timedelta(days=3), ida.mentor_id),
        )
        for mentor, days in ((town.ada, 10), (town.finn, 400), (ida, -5)):
            add_certificate(
                connection,
                mentor,
                issued_on=_TODAY - timedelta(days=500),
                expires_on=_TODAY + timedelta(days=days),
            )
    return {each.first_name: str(each.mentor_id) for each in (town.ada, town.finn, ida, jo, kim)}


@pytest.fixture
async def bo(pages: Pages, town: World, people: dict[str, str]) -> Browser:
    return await pages.as_(town.bo)


def listed(seen: Page) -> list[str]:
    """The first names in the table, in order."""
    assert seen.status == 200
    heads = [each for each in seen.tree.iter() if each.get("role") == "rowheader"]
    return ["".join(each.itertext()).split()[0] for each in heads]


async def test_it_lists_everybody_who_has_not_left_once_each_by_name(bo: Browser) -> None:
    assert listed(await bo.open("/mentors")) == ["Ada", "Finn", "Ida", "Jo"]


async def test_it_hides_ada_from_south(pages: Pages, town: World, people: dict[str, str]) -> None:
    cy = await pages.as_(town.cy)
    assert listed(await cy.open("/mentors")) == ["Finn"]
    assert (await cy.open("/mentors", where=str(town.north.chapter_id))).status == 404


async def test_an_admin_sees_the_whole_organisation_and_a_mentor_of_two_chapters_once(
    pages: Pages, town: World, people: dict[str, str]
) -> None:
    dag = await pages.as_(town.dag)
    assert listed(await dag.open("/mentors")) == ["Ada", "Finn", "Ida", "Jo"]
    assert listed(await dag.open("/mentors", where=str(town.south.chapter_id))) == ["Finn"]


async def test_a_mentor_has_no_list(pages: Pages, town: World) -> None:
    ada = await pages.as_(town.ada)
    assert (await ada.open("/mentors")).status == 403
    assert (await ada.open("/mentors.csv")).status == 403


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "paused"}, ["Ida", "Jo"]),
        ({"status": "inactive"}, ["Kim"]),
        ({"status": "all"}, ["Ada", "Finn", "Ida", "Jo", "Kim"]),
        ({"status": "nonsense"}, ["Ada", "Finn", "Ida", "Jo"]),
        ({"overdue": "yes"}, ["Ida"]),
        ({"certificate": "valid"}, ["Ada", "Finn"]),
        ({"certificate": "expiring", "days": "30"}, ["Ada"]),
        ({"certificate": "expiring", "days": "7"}, []),
        ({"certificate": "expired"}, ["Ida"]),
        ({"certificate": "none"}, ["Jo"]),
        ({"q": "hansen ID"}, ["Ida"]),
        ({"q": "%"}, []),
        ({"sort": "-name"}, ["Jo", "Ida", "Finn", "Ada"]),
        ({"sort": "status"}, ["Ada", "Finn", "Ida", "Jo"]),
        ({"sort": "-status"}, ["Ida", "Jo", "Ada", "Finn"]),
        ({"sort": "since"}, ["Ida", "Jo", "Ada", "Finn"]),
        ({"sort": "return"}, ["Ida", "Ada", "Finn", "Jo"]),
        ({"sort": "certificate"}, ["Jo", "Ida", "Ada", "Finn"]),
        ({"sort": "-certificate"}, ["Finn", "Ada", "Ida", "Jo"]),
    ],
)
async def test_it_is_narrowed_and_sorted_by_its_address(
    bo: Browser, query: dict[str, str], expected: list[str]
) -> None:
    assert listed(await bo.open("/mentors", **query)) == expected


@pytest.fixture(scope="module")
def max_(module_database: Database, town: World) -> Person:
    """Who coordinates sixty, some of them with the same name, on pause, or with a certificate."""
    with psycopg.connect(module_database.url) as connection:
        organisation_id = add_organisation(connection, "Many Friends", required_kinds=["peer_mentor"])
        chapter = add_chapter(connection, organisation_id, "crowd")
        for number in range(60):
            mentor = add_mentor(connection, f"Mentor{number % 7}", chapters=[chapter])
            if number % 4 == 0:
                set_status(connection, mentor, "paused", reason="travel")
            if number % 8 == 0:
                connection.execute(
                    "update public.peer_mentors set expected_return_on = %s where id = %s",
                    (_TODAY + timedelta(days=number % 3), mentor.mentor_id),
                )
            if number % 3:
                add_certificate(
                    connection,
                    mentor,
                    issued_on=_TODAY,
                    expires_on=None if number % 5 == 0 else _TODAY + timedelta(days=number % 10),
                )
        return add_coordinator(connection, "Max", chapters=[chapter])


@pytest.mark.parametrize(
    "sort", ["name", "-name", "status", "-status", "since", "-since", "return", "certificate", "-certificate"]
)
async def test_its_pages_hold_everybody_once_in_every_order(pages: Pages, max_: Person, sort: str) -> None:
    reader = await pages.as_(max_)
    whole = mentors_on(await reader.open("/mentors", sort=sort, size="100"))
    assert len(whole) == len(set(whole)) == 60
    page = await reader.open("/mentors", sort=sort, size="25")
    in_pages = mentors_on(page)
    while following := [link for link in page.links() if "cursor=" in link]:
        assert "size=25" in following[0]
        page = await reader.open(f"/mentors{following[0]}")
        in_pages += mentors_on(page)
    assert in_pages == whole


def mentors_on(seen: Page) -> list[str]:
    """Whose boxes the table has, in order."""
    return [each.get("value") for each in seen.tree.iter() if each.get("name") == "mentor"]


async def test_a_cursor_that_is_none_of_ours_leads_to_the_first_page(bo: Browser) -> None:
    assert listed(await bo.open("/mentors", cursor="made-up", status="paused")) == ["Ida", "Jo"]


async def test_it_counts_where_everybody_is_and_names_who_is_back_soon(
    pages: Pages, bo: Browser, town: World, max_: Person
) -> None:
    seen = (await bo.open("/mentors", q="nobody")).text
    for counted in ("2 active", "2 on pause", "1 should have been back", "1 have left"):
        assert counted in seen
    assert "Nobody fits these filters" in seen
    crowd = (await (await pages.as_(max_)).open("/mentors")).text
    assert "Back within two weeks:" in crowd
    assert "and 3 more" in crowd


async def test_it_never_shows_a_note(bo: Browser) -> None:
    for path in ("/mentors", "/mentors.csv"):
        assert "about health" not in (await bo.client.get(path)).text


async def test_the_file_holds_the_filtered_list_as_a_spreadsheet_reads_it(bo: Browser) -> None:
    answer = await bo.client.get("/mentors.csv", params={"status": "paused"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    text = answer.content.decode("utf-8")
    assert text.startswith("\ufeffName,Status,Reason")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["Name"].split()[0] for row in rows] == ["Ida", "Jo"]
    assert rows[0]["Expected back"] == (_TODAY - timedelta(days=3)).isoformat()
    assert rows[0]["Certificate"] == "Has run out"
    assert rows[0]["Chapters"] == "north"


async def test_norwegian_files_have_semicolons(pages: Pages, town: World, people: dict[str, str]) -> None:
    norwegian = await pages.as_(town.bo, language="nb")
    assert (await norwegian.client.get("/mentors.csv")).text.startswith("\ufeffNavn;Status;Grunn")


async def test_a_file_of_more_than_one_reading_holds_all_of_them(
    pages: Pages, max_: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("peerpause.directory.mentors.MOST_ON_A_PAGE", 7)
    answer = await (await pages.as_(max_)).client.get("/mentors.csv")
    assert len(list(csv.reader(io.StringIO(answer.text)))) == 61


@pytest.mark.parametrize("cell", ["=1+1", "+47", "-1", "@sum", "\t=1", "\r=1", " =1", "\n=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


def test_other_cells_stay_as_they_are() -> None:
    assert harmless("Anne-Marie O'Brian") == "Anne-Marie O'Brian"
