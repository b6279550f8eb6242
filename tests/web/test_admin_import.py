"""The import on the admins' page: looked through, then done wholly or not at all, and nothing beyond their organisation."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.rows import dict_row

from peerpause.web.admin_import import LARGEST_BODY
from tests.cast import Person, World, add_admin
from tests.web.pages import HTML, Browser, Page, Pages

_NAME = "Zebrafish Olsen"


@pytest.fixture
def code(town: World) -> str:
    return str(town.organisation_id)


@pytest.fixture
def rows(pages: Pages) -> Iterator[psycopg.Connection[dict[str, object]]]:
    with psycopg.connect(pages.database.url, row_factory=dict_row, autocommit=True) as connection:
        yield connection


def path(town: World) -> str:
    return f"/admin/{town.organisation_id}/import"


async def upload(browser: Browser, town: World, *contents: str | bytes, csrf: str | None = None) -> Page:
    files = [
        ("files", (f"{number}.csv", content if isinstance(content, bytes) else content.encode(), "text/csv"))
        for number, content in enumerate(contents)
    ]
    answer = await browser.client.post(
        path(town),
        data={"csrf": browser.csrf if csrf is None else csrf},
        files=files,
        headers={"Accept": "text/html"},
    )
    return Page(answer)


async def apply(browser: Browser, town: World, review: Page, **changed: str) -> Page:
    (form,) = [each for each in review.elements("form") if each.get("action") == f"{path(town)}/apply"]
    fields: dict[str, list[str]] = {}
    for each in form.iter(f"{HTML}input"):
        fields.setdefault(each.get("name"), []).append(each.get("value"))
    answer = await browser.client.post(
        f"{path(town)}/apply",
        data={**fields, **changed},
        files={"none": ("", b"")},
        headers={"Accept": "text/html"},
        follow_redirects=True,
    )
    return Page(answer)


def people(code: str, *lines: str) -> str:
    head = "organisation,person,role,first_name,display_name,email,chapters,user_id\n"
    return head + "".join(f"{code},{line}\n" for line in lines)


async def test_a_file_is_looked_through_and_then_imported_in_the_admins_name(
    pages: Pages, town: World, code: str, rows: psycopg.Connection[dict[str, object]]
) -> None:
    browser = await pages.as_(town.dag)
    chapters = f"organisation,chapter,name\n{code},west,West\n"
    review = await upload(
        browser,
        town,
        chapters,
        people(code, f"z1,mentor,Zeb,{_NAME},,west,", "z2,coordinator,Kim,Kim Koord,kim@example.org,west,"),
    )
    assert (review.status, review.heading) == (200, "Look through the import")
    assert "entries would be written. Nothing has been changed yet." in review.text
    assert rows.execute("select 1 from public.chapters where external_id = 'west'").fetchone() is None

    done = await apply(browser, town, review)
    assert "entries were written." in done.text
    begun = rows.execute(
        "select h.changed_by from public.peer_mentor_status_history as h"
        " join public.peer_mentors as m on m.id = h.mentor_id where m.external_id = 'z1'"
    ).fetchall()
    assert begun == [{"changed_by": town.dag.user_id}]
    given = rows.execute(
        "select c.kind, c.changed_by from public.organisation_changes as c"
        " join public.chapters as k on k.id = c.chapter_id where k.external_id = 'west'"
    ).fetchall()
    assert given == [{"kind": "coordinator_given", "changed_by": town.dag.user_id}]


async def test_sending_the_same_review_twice_imports_once(pages: Pages, town: World, code: str) -> None:
    browser = await pages.as_(town.dag)
    review = await upload(browser, town, people(code, f"twice,mentor,Zeb,{_NAME},,,"))
    await apply(browser, town, review)
    again = await apply(browser, town, review)
    assert again.status == 409
    assert "Somebody else changed this meanwhile." in again.text
    assert "there is nothing to import" in again.text


async def test_what_changed_meanwhile_is_shown_before_anything_is_done(
    pages: Pages, town: World, code: str, rows: psycopg.Connection[dict[str, object]]
) -> None:
    browser = await pages.as_(town.dag)
    file = people(code, f"late,mentor,Zeb,{_NAME},,,")
    review = await upload(browser, town, file)
    await apply(browser, town, await upload(browser, town, file.replace(_NAME, "Somebody Else")))
    seen = await apply(browser, town, review)
    assert seen.status == 409
    (row,) = rows.execute(
        "select display_name from public.peer_mentors where external_id = 'late'"
    ).fetchall()
    assert row["display_name"] == "Somebody Else"
    assert "entries were written" in (await apply(browser, town, seen)).text


async def test_what_is_wrong_is_named_and_nothing_can_be_imported(
    pages: Pages, town: World, code: str
) -> None:
    browser = await pages.as_(town.dag)
    review = await upload(
        browser,
        town,
        people(code, "bad,mentor,Zeb,=cmd(),not-an-address,nowhere,", f"ok,mentor,Zeb,{_NAME},,,"),
    )
    assert "3 things must be put right" in review.text
    for column in ("display_name", "email", "chapters"):
        assert column in review.text
    assert "Import all of this" not in review.text
    assert "cmd()" not in review.text
    refused = await apply(browser, town, review)
    assert (refused.status, "Nothing was imported" in refused.text) == (409, True)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x80\x81 name\n", "not UTF-8"),
        (b"PK\x03\x04xxxx", "workbook"),
        (b"", "empty"),
        (b"a,b,c\n1,2,3\n", "does not tell"),
        (b'organisation,chapter,name\n"x,y\n', "quotation marks"),
    ],
    ids=["encoding", "workbook", "empty", "unknown", "quotes"],
)
async def test_a_file_that_is_no_such_file_is_refused_with_advice(
    pages: Pages, town: World, content: bytes, words: str
) -> None:
    review = await upload(await pages.as_(town.dag), town, content)
    assert review.status == 200
    assert words in review.text
    assert "Import all of this" not in review.text


async def test_findings_are_in_the_readers_language(pages: Pages, town: World, code: str) -> None:
    review = await upload(await pages.as_(town.dag, language="nn"), town, people(code, "x,mentor,,Ingen,,,"))
    assert "Cella må fyllast ut." in review.text


async def test_no_file_and_files_too_large_are_said_on_the_form(pages: Pages, town: World) -> None:
    browser = await pages.as_(town.dag)
    none = await browser.send(path(town))
    assert (none.status, "Choose one or several CSV files." in none.text) == (422, True)
    large = await upload(browser, town, "x" * (2 * 1024 * 1024 + 1))
    assert (large.status, "larger than 2 MB" in large.text) == (422, True)
    huge = await upload(browser, town, "x" * LARGEST_BODY)
    assert huge.status == 413


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("z,admin,Zeb,Zeb Admin,,,", "role"),
        ("z,mentor,Zeb,Zeb Acc,,,6f1c5f0e-3f0b-4c57-9c2b-1d1f5a7f9b10", "user_id"),
    ],
    ids=["admin", "account"],
)
async def test_what_the_operator_decides_is_not_imported_here(
    pages: Pages, town: World, code: str, line: str, column: str
) -> None:
    review = await upload(await pages.as_(town.dag), town, people(code, line))
    assert "One thing must be put right" in review.text
    assert column in review.text


async def test_settings_are_not_imported_here(pages: Pages, town: World, code: str) -> None:
    review = await upload(await pages.as_(town.dag), town, f"organisation,name\n{code},Renamed\n")
    assert "change them on the page of settings" in review.text, review.text


async def test_another_organisation_is_neither_touched_nor_told_of(
    pages: Pages, town: World, rows: psycopg.Connection[dict[str, object]]
) -> None:
    rows.execute(
        "insert into public.chapters (organisation_id, external_id, name) values (%s, 'secret-lodge', 'Lodge')",
        (town.other_organisation_id,),
    )
    browser = await pages.as_(town.dag)
    other = str(town.other_organisation_id)
    review = await upload(browser, town, people(other, f"z,mentor,Zeb,{_NAME},,secret-lodg,"))
    assert "not the code of your organisation" in review.text
    assert "secret-lodge" not in review.text
    assert (await apply(browser, town, review)).status == 409
    assert rows.execute("select 1 from public.peer_mentors where external_id = 'z'").fetchone() is None


async def test_the_address_of_somebody_who_serves_elsewhere_too_stays(
    pages: Pages, town: World, code: str, rows: psycopg.Connection[dict[str, object]]
) -> None:
    """Else an admin here could have the mail, and the first sign-in, of a coordinator there."""
    with psycopg.connect(pages.database.url) as connection:
        both = add_admin(connection, "Siv", town.other_organisation_id)
        connection.execute(
            "insert into public.peer_mentors (organisation_id, user_id, external_id, display_name, first_name)"
            " values (%s, %s, 'siv', %s, 'Siv')",
            (town.organisation_id, both.user_id, both.display_name),
        )
    line = f"siv,mentor,{both.first_name},{both.display_name},attacker@example.org,,"
    browser = await pages.as_(town.dag)
    review = await upload(browser, town, people(code, line))
    assert "has a part in another organisation too" in review.text
    assert (await apply(browser, town, review)).status == 409
    (row,) = rows.execute("select email from public.people where user_id = %s", (both.user_id,)).fetchall()
    assert row["email"] != "attacker@example.org"


@pytest.mark.parametrize("who", ["ada", "bo", "eva"])
async def test_nobody_but_its_admins_imports(pages: Pages, town: World, code: str, who: str) -> None:
    person: Person = getattr(town, who)
    browser = await pages.as_(person)
    assert (await browser.open(path(town))).status == 404
    assert (await upload(browser, town, people(code, f"q,mentor,Zeb,{_NAME},,,"))).status == 404
    assert (await browser.send(f"{path(town)}/apply", name="x.csv", content="eA==")).status == 404


async def test_a_visitor_is_sent_to_sign_in_and_a_foreign_form_is_refused(
    pages: Pages, town: World, code: str
) -> None:
    file = {"files": ("x.csv", people(code, "q,mentor,Q,Q,,,").encode(), "text/csv")}
    visitor = await pages.as_visitor().post(path(town), files=file, headers={"Accept": "text/html"})
    assert (visitor.status_code, visitor.headers["location"]) == (303, "/sign-in?next=/")
    forged = await upload(await pages.as_(town.dag), town, people(code, "q,mentor,Q,Q,,,"), csrf="guessed")
    assert forged.status == 403


@pytest.mark.parametrize(
    "fields",
    [{"content": "not base64!"}, {"content": ""}, {"name": ""}],
    ids=["garbled", "empty", "nameless"],
)
async def test_a_garbled_second_form_changes_nothing(
    pages: Pages, town: World, code: str, fields: dict[str, str], rows: psycopg.Connection[dict[str, object]]
) -> None:
    browser = await pages.as_(town.dag)
    review = await upload(browser, town, people(code, f"garbled,mentor,Zeb,{_NAME},,,"))
    seen = await apply(browser, town, review, seen="other", **fields)
    assert seen.status in (200, 409)
    assert rows.execute("select 1 from public.peer_mentors where external_id = 'garbled'").fetchone() is None


async def test_other_pages_take_no_files_and_no_large_forms(pages: Pages, town: World) -> None:
    browser = await pages.as_(town.dag)
    settings = f"/admin/{town.organisation_id}/settings"
    file = {"files": ("x.csv", b"x", "text/csv")}
    answer = await browser.client.post(settings, data={"csrf": browser.csrf}, files=file)
    assert answer.status_code == 400
    answer = await browser.client.post(settings, data={"csrf": browser.csrf, "role_word": "x" * 300_000})
    assert answer.status_code == 413
