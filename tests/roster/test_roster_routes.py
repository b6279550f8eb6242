"""The roster over HTTP: the right form, kept by caches no longer than it is true, and open to every website."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import uuid4

import httpx
import pytest

from tests.cast import World
from tests.certifications.time_travel import set_clock
from tests.database.acting import Session, pause, person_session
from tests.servers import Database

NOON = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 6, 30, 22, 0, tzinfo=UTC)
FORMS = ("mentors", "mentors.json", "mentors.html")


def address(world: World, form: str = "mentors") -> str:
    return f"/public/chapters/{world.north.chapter_id}/{form}"


def longest_age(answer: httpx.Response) -> int:
    found = re.search(r"max-age=(\d+)", answer.headers["cache-control"])
    assert found is not None
    return int(found[1])


async def test_it_answers_in_the_form_that_is_asked_for(http: httpx.AsyncClient, world: World) -> None:
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "accept-language": "nn"}
    page = await http.get(address(world), headers=browser)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert '<html lang="nn">' in page.text
    assert "Ada Hansen" in page.text
    plain = await http.get(address(world))
    assert plain.headers["content-type"] == "application/json"
    assert [mentor["display_name"] for mentor in plain.json()["mentors"]] == ["Ada Hansen", "Finn Hansen"]
    for answer in (page, plain):
        assert answer.headers["vary"] == "Accept, Accept-Language"


async def test_an_address_with_a_suffix_always_answers_in_that_form(
    http: httpx.AsyncClient, world: World
) -> None:
    json_answer = await http.get(address(world, "mentors.json"), headers={"accept": "text/html"})
    assert json_answer.headers["content-type"] == "application/json"
    page = await http.get(
        address(world, "mentors.html"), params={"lang": "en"}, headers={"accept": "application/json"}
    )
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert '<html lang="en">' in page.text


async def test_the_page_speaks_the_organisations_language_to_whoever_asks_for_none(
    http: httpx.AsyncClient, world: World, owner: Session
) -> None:
    owner.execute("update public.organisations set language = 'nn' where id = %s", (world.organisation_id,))
    page = await http.get(address(world, "mentors.html"))
    assert '<html lang="nn">' in page.text


async def test_the_page_may_be_embedded_and_runs_nothing(http: httpx.AsyncClient, world: World) -> None:
    page = await http.get(address(world, "mentors.html"))
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors *" in policy
    assert "x-frame-options" not in page.headers
    assert page.headers["cross-origin-resource-policy"] == "cross-origin"


@pytest.mark.parametrize("form", FORMS)
async def test_who_holds_it_already_is_not_sent_it_again(
    http: httpx.AsyncClient, world: World, form: str
) -> None:
    first = await http.get(address(world, form))
    tag = first.headers["etag"]
    again = await http.get(address(world, form), headers={"if-none-match": tag})
    assert again.status_code == 304
    assert again.content == b""
    for name in ("etag", "cache-control", "access-control-allow-origin"):
        assert again.headers[name] == first.headers[name]


@pytest.mark.parametrize("form", FORMS)
async def test_a_change_makes_what_is_held_old_at_once(
    http: httpx.AsyncClient, world: World, database: Database, form: str
) -> None:
    tag = (await http.get(address(world, form))).headers["etag"]
    with person_session(database, world.ada) as ada:
        pause(ada, world.ada)
    answer = await http.get(address(world, form), headers={"if-none-match": tag})
    assert answer.status_code == 200
    assert "Ada" not in answer.text


@pytest.mark.parametrize(
    ("moment", "age"),
    [
        (NOON, 60),
        (MIDNIGHT - timedelta(seconds=60), 60),
        (MIDNIGHT - timedelta(seconds=7), 7),
        (MIDNIGHT, 60),
    ],
    ids=["noon", "a minute to", "seconds to", "midnight"],
)
async def test_a_cache_keeps_it_no_longer_than_a_minute_nor_than_the_day(
    http: httpx.AsyncClient, world: World, owner: Session, moment: datetime, age: int
) -> None:
    set_clock(owner, moment)
    for form in FORMS:
        answer = await http.get(address(world, form))
        assert longest_age(answer) == age
        rules = answer.headers["cache-control"].split(", ")
        assert {"must-revalidate", "stale-while-revalidate=0", "stale-if-error=0"} <= set(rules)


NO_IDS = (
    *("1", "x", "%00", "null", "{1}", "00000000000000000000000000000001"),
    "urn:uuid:00000000-0000-0000-0000-000000000001",
)


async def test_what_is_no_id_is_not_found(http: httpx.AsyncClient) -> None:
    for chapter, form in product(NO_IDS, FORMS):
        answer = await http.get(f"/public/chapters/{chapter}/{form}")
        assert answer.status_code == 404, chapter
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["code"] == "not_found"


async def test_an_unknown_chapter_is_not_found_and_a_script_may_read_that(
    http: httpx.AsyncClient, world: World
) -> None:
    answer = await http.get(f"/public/chapters/{uuid4()}/mentors")
    assert answer.status_code == 404
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("form", FORMS)
async def test_scripts_of_any_website_may_read_it_and_do_nothing_else(
    http: httpx.AsyncClient, world: World, form: str
) -> None:
    asked = {"origin": "https://example.org", "access-control-request-method": "GET"}
    leave = await http.options(address(world, form), headers=asked)
    assert leave.status_code == 204
    assert leave.headers["access-control-allow-origin"] == "*"
    assert leave.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
    assert "access-control-allow-credentials" not in leave.headers
    assert (await http.get(address(world, form))).headers["access-control-allow-origin"] == "*"
    assert (await http.post(address(world, form))).status_code == 405


async def test_a_head_request_gets_the_same_headers(http: httpx.AsyncClient, world: World) -> None:
    head = await http.head(address(world))
    get = await http.get(address(world))
    assert head.status_code == 200
    assert head.headers["etag"] == get.headers["etag"]


async def test_certificate_updates_are_not_open_to_other_websites(
    http: httpx.AsyncClient, world: World
) -> None:
    answer = await http.options(
        f"/webhooks/certifications/{world.organisation_id}", headers={"origin": "https://example.org"}
    )
    assert "access-control-allow-origin" not in answer.headers
