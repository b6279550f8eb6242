"""The frame of the pages: who is let in, what the menu offers whom, the language, the headers, and pages for what goes wrong."""

from __future__ import annotations

from urllib.parse import quote

import psycopg
import pytest

from peerpause.web.asking import local_path
from tests.cast import World, add_person
from tests.web.pages import Page, Pages


async def test_a_visitor_is_sent_to_sign_in_and_told_where_to_come_back_to(pages: Pages) -> None:
    answer = await pages.as_visitor().get("/?a=1")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/sign-in?next={quote('/?a=1', safe='/')}"


async def test_a_part_of_a_page_sends_the_whole_browser_to_sign_in(pages: Pages) -> None:
    answer = await pages.as_visitor(**{"HX-Request": "true"}).get("/")
    assert answer.status_code == 204
    assert answer.headers["hx-redirect"].startswith("/sign-in")


async def test_each_role_comes_to_its_own_first_page(pages: Pages, town: World) -> None:
    for person, first in ((town.ada, "/me"), (town.bo, "/mentors"), (town.dag, "/mentors")):
        answer = await (await pages.as_(person)).client.get("/")
        assert (answer.status_code, answer.headers["location"]) == (303, first)


async def test_somebody_without_a_part_is_told_whom_to_ask(pages: Pages, town: World) -> None:
    with psycopg.connect(pages.database.url) as connection:
        nobody = add_person(connection, "Nils")
    seen = await (await pages.as_(nobody)).open("/")
    assert seen.status == 200
    assert "Ask your coordinator" in seen.text


async def test_the_menu_offers_what_the_reader_s_parts_allow(pages: Pages, town: World) -> None:
    expected = {
        town.ada: {"/me"},
        town.bo: {"/mentors", "/certificates", "/figures"},
        town.dag: {"/mentors", "/certificates", "/figures", "/admin"},
    }
    everything = {"/me", "/mentors", "/certificates", "/figures", "/admin"}
    for person, links in expected.items():
        seen = await (await pages.as_(person)).open("/accessibility")
        assert everything.intersection(seen.links()) == links


async def test_a_language_is_chosen_for_this_browser(pages: Pages) -> None:
    client = pages.as_visitor()
    answer = await client.post("/language", data={"language": "nn", "next": "/accessibility"})
    assert answer.headers["location"] == "/accessibility"
    seen = Page(await client.get("/accessibility", headers={"Accept-Language": "en"}))
    assert seen.heading == "Tilgjengeerklæring"
    assert seen.tree.get("lang") == "nn"


async def test_a_language_is_remembered_for_whoever_is_signed_in(pages: Pages, town: World) -> None:
    at_home = await pages.as_(town.finn)
    await at_home.send("/language", follow=False, language="nb", next="/")
    with psycopg.connect(pages.database.url) as connection:
        row = connection.execute(
            "select language, push_enabled from public.people where user_id = %s", (town.finn.user_id,)
        ).fetchone()
    assert row == ("nb", True)


async def test_a_language_is_not_remembered_for_a_form_from_elsewhere(pages: Pages, town: World) -> None:
    victim = await pages.as_(town.greta)
    await victim.send("/language", follow=False, csrf="guessed", language="nb")
    with psycopg.connect(pages.database.url) as connection:
        row = connection.execute(
            "select language from public.people where user_id = %s", (town.greta.user_id,)
        ).fetchone()
    assert row == (None,)


async def test_a_page_lets_the_browser_run_nothing_but_our_own_files(pages: Pages) -> None:
    policy = (await pages.as_visitor().get("/accessibility")).headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert (
        rules["script-src"] == rules["style-src"] == rules["connect-src"] == rules["form-action"] == "'self'"
    )
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"


async def test_the_browser_keeps_no_page(pages: Pages, town: World) -> None:
    answer = (await (await pages.as_(town.ada)).open("/accessibility")).answer
    assert answer.headers["cache-control"] == "no-store"


async def test_people_meet_a_page_where_nothing_is_and_programs_a_problem(pages: Pages) -> None:
    person = await pages.as_visitor().get(
        "/nowhere", headers={"Accept": "text/html,*/*", "Accept-Language": "en"}
    )
    assert person.status_code == 404
    assert Page(person).heading == "Not found"
    program = await pages.as_visitor().get("/nowhere")
    assert program.json()["code"] == "not_found"


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "",
        "evil",
        "/a\nb",
    ],
)
def test_nobody_is_led_away(path: str) -> None:
    assert local_path(path) == "/"


@pytest.mark.parametrize("path", ["/", "/mentors?status=paused&q=a%2Fb", "/me#top"])
def test_our_own_pages_are_led_to(path: str) -> None:
    assert local_path(path) == path
