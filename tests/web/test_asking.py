"""Pages know who asks; visitors are sent to sign in and nowhere else; a form counts only when its session's own page sent it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from peerpause.api.problems import answer_refusals
from peerpause.database.session import Sessions
from peerpause.web.asking import CsrfChecked, MaybeSignedIn, SignedIn, local_path
from peerpause.web.cookies import SESSION, SIGNING_IN, drop_cookie, set_cookie
from peerpause.web.sessions import WebSession, WebSessions
from tests.cast import World

HERE = "http://127.0.0.1:8000"


def pages(sessions: Sessions, public_url: str) -> FastAPI:
    """A page, a page for everybody and a form."""
    app = FastAPI()
    answer_refusals(app)
    app.state.services = SimpleNamespace(sessions=sessions)
    app.state.public_url = public_url

    @app.get("/me")
    async def me(person: SignedIn) -> str:
        return str(person.claims.user_id)

    @app.get("/open")
    async def everybody(person: MaybeSignedIn) -> str:
        return "nobody" if person is None else str(person.claims.user_id)

    @app.post("/form")
    async def form(person: CsrfChecked) -> str:
        return str(person.claims.user_id)

    @app.get("/cookies")
    async def cookies(request: Request) -> Response:
        answer = Response()
        set_cookie(request, answer, SESSION, "word")
        drop_cookie(request, answer, SIGNING_IN)
        return answer

    return app


@pytest.fixture
async def visitor(sessions: Sessions, world: World) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(pages(sessions, HERE))
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
        yield client


@pytest.fixture
async def ada(
    visitor: httpx.AsyncClient, sessions: Sessions, world: World
) -> tuple[httpx.AsyncClient, WebSession]:
    """Ada's browser, signed in."""
    word, session = await WebSessions(sessions=sessions).begin(world.ada.user_id, None)
    visitor.cookies.set("peerpause", word)
    return visitor, session


def next_page(answer: httpx.Response) -> str:
    where = urlsplit(answer.headers["location"])
    assert where.path == "/sign-in"
    return parse_qs(where.query)["next"][0]


async def test_a_visitor_is_sent_to_sign_in_and_back(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/me?tab=history&name=%C3%85sa%26")
    assert answer.status_code == 303
    assert next_page(answer) == "/me?tab=history&name=%C3%85sa%26"


async def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(visitor: httpx.AsyncClient) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": f"{HERE}/mentors?page=2"}
    answer = await visitor.get("/me", headers=headers)
    assert answer.status_code == 204
    assert "location" not in answer.headers
    assert answer.headers["hx-redirect"] == "/sign-in?next=/mentors%3Fpage%3D2"


@pytest.mark.parametrize(
    "came_from, back",
    [
        (f"{HERE}/mentors", "/mentors"),
        (HERE, "/"),
        ("https://evil.example/mentors", "/"),
        (f"{HERE}.evil.example/mentors", "/"),
        (f"{HERE}//evil.example", "/"),
        ("http://[", "/"),
        ("", "/"),
    ],
)
async def test_a_form_of_a_visitor_leads_back_to_the_page_it_stood_on(
    visitor: httpx.AsyncClient, came_from: str, back: str
) -> None:
    answer = await visitor.post("/form", headers={"Referer": came_from})
    assert answer.status_code == 303
    assert next_page(answer) == back


async def test_whoever_is_signed_in_sees_their_page(
    ada: tuple[httpx.AsyncClient, WebSession], world: World
) -> None:
    browser, _ = ada
    assert (await browser.get("/me")).json() == str(world.ada.user_id)
    assert (await browser.get("/open")).json() == str(world.ada.user_id)


async def test_a_session_that_is_ended_elsewhere_is_refused_with_the_next_click(
    ada: tuple[httpx.AsyncClient, WebSession], sessions: Sessions
) -> None:
    browser, session = ada
    await WebSessions(sessions=sessions).end(session.session_id)
    assert (await browser.get("/me")).status_code == 303
    assert (await browser.post("/form", data={"csrf": session.csrf})).status_code == 303
    assert (await browser.get("/open")).json() == "nobody"


async def test_a_form_with_its_sessions_secret_is_taken(
    ada: tuple[httpx.AsyncClient, WebSession], world: World
) -> None:
    browser, session = ada
    for headers in ({}, {"Origin": HERE}, {"Sec-Fetch-Site": "same-origin", "Origin": "null"}):
        answer = await browser.post("/form", data={"csrf": session.csrf}, headers=headers)
        assert answer.json() == str(world.ada.user_id)


@pytest.mark.parametrize("proof", [None, "", "x", "ø", "x" * 5000])
async def test_a_form_without_it_is_refused(
    ada: tuple[httpx.AsyncClient, WebSession], proof: str | None
) -> None:
    browser, session = ada
    fields = {} if proof is None else {"csrf": proof}
    answer = await browser.post("/form", data=fields, headers={"Origin": HERE})
    assert answer.status_code == 403
    assert session.csrf not in answer.text
    in_address = await browser.post("/form", params={"csrf": session.csrf})
    assert in_address.status_code == 403


async def test_a_form_with_the_secret_of_another_session_is_refused(
    ada: tuple[httpx.AsyncClient, WebSession], sessions: Sessions, world: World
) -> None:
    browser, _ = ada
    for person in (world.bo, world.ada):
        _, other = await WebSessions(sessions=sessions).begin(person.user_id, None)
        answer = await browser.post("/form", data={"csrf": other.csrf})
        assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"{HERE}.evil.example"},
        {"Origin": "https://127.0.0.1:8000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": HERE},
    ],
)
async def test_a_form_from_elsewhere_is_refused_even_with_the_secret(
    ada: tuple[httpx.AsyncClient, WebSession], headers: dict[str, str]
) -> None:
    browser, session = ada
    answer = await browser.post("/form", data={"csrf": session.csrf}, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "path", ["/", "/me", "/mentors?status=paused&page=2", "/a/b#c", "/%2f%2fevil", "/@x"]
)
def test_a_path_of_ours_is_followed(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        *(
            None,
            "",
            "me",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/a\\b",
        ),
        *("https://evil.example", "https:evil.example", "javascript:alert(1)", "data:text/html,x"),
        *(
            "/\t/evil.example",
            "/\n/evil.example",
            "\t//evil.example",
            " //evil.example",
            "/\r\nSet-Cookie: a=b",
        ),
        *(
            "/\x00",
            "/å",
            "/\u2028",
            "/" + "x" * 2000,
            "/sign-in",
            "/sign-in?next=/me",
            "/sign-in/start",
            "/sign-out",
        ),
    ],
)
def test_nothing_else_is_followed(path: str | None) -> None:
    assert local_path(path) == "/"


async def test_by_https_the_cookies_travel_by_https_alone_and_no_neighbour_can_set_them(
    sessions: Sessions, world: World
) -> None:
    transport = httpx.ASGITransport(pages(sessions, "https://pause.example.org"))
    async with httpx.AsyncClient(transport=transport, base_url="https://pause.example.org") as browser:
        answer = await browser.get("/cookies")
        begun, dropped = answer.headers.get_list("set-cookie")
        assert begun == "__Host-peerpause=word; HttpOnly; Path=/; SameSite=lax; Secure"
        assert dropped.startswith('__Host-peerpause-signing-in=""; ')
        assert "Max-Age=0" in dropped
        word, _ = await WebSessions(sessions=sessions).begin(world.ada.user_id, None)
        unmarked = await browser.get("/open", headers={"Cookie": f"peerpause={word}"})
        marked = await browser.get("/open", headers={"Cookie": f"__Host-peerpause={word}"})
        assert (unmarked.json(), marked.json()) == ("nobody", str(world.ada.user_id))


async def test_on_this_very_machine_the_cookies_work_by_plain_http(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/cookies")
    assert answer.headers.get_list("set-cookie")[0] == "peerpause=word; HttpOnly; Path=/; SameSite=lax"
