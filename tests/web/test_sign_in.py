"""Signing in by a real provider, from the first click to the way out, and what becomes of those who try to cheat."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import structlog

from peerpause.database.session import Sessions
from peerpause.errors import ConfigurationError
from peerpause.settings import load_settings
from peerpause.web.gate import require_whole_settings, subject_is_user_id
from peerpause.web.sessions import WebSessions
from tests.api.serving import settings
from tests.cast import World
from tests.conftest import not_run
from tests.database.acting import Session, count
from tests.servers import Database
from tests.web.real_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    PUBLIC_CLIENT_ID,
    RealProvider,
    free_port,
    is_installed,
    real_provider,
)
from tests.web.serving_at import serving_at

ACCOUNTS: Mapping[str, Mapping[str, Any]] = {
    "ada-login": {"email": "ada@example.org", "email_verified": True},
    "bo-login": {"email": "BO@example.org", "email_verified": True},
    "unverified": {"email": "ada@example.org", "email_verified": False},
    "stranger": {"email": "stranger@example.org", "email_verified": True},
    "nameless": {},
}


@pytest.fixture(scope="module")
def provider() -> Iterator[RealProvider]:
    if not is_installed():
        not_run("the sign-in by a real OpenID Connect provider (Node.js and npm install)")
    with real_provider(f"http://127.0.0.1:{free_port()}", ACCOUNTS) as running:
        yield running


@pytest.fixture
async def site(database: Database, world: World, provider: RealProvider) -> AsyncIterator[str]:
    async with serving_at(database, provider, client_id=CLIENT_ID, client_secret=CLIENT_SECRET) as url:
        yield url


@pytest.fixture
async def browser(site: str) -> AsyncIterator[httpx.AsyncClient]:
    async with new_browser(site) as opened:
        yield opened


def new_browser(site: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=site, headers={"Accept": "text/html", "Accept-Language": "en"}, timeout=30
    )


async def begin(browser: httpx.AsyncClient, next_path: str = "/account/sessions") -> str:
    """Click the button; the address at the provider that the browser is sent to."""
    answer = await browser.post(
        "/sign-in/start", data={"next": next_path}, headers={"Origin": str(browser.base_url).rstrip("/")}
    )
    assert answer.status_code == 200, answer.text
    refresh: str = answer.headers["refresh"]
    return refresh.removeprefix("0; url=")


async def at_the_provider(browser: httpx.AsyncClient, address: str, login: str) -> str:
    """Log in there and consent; the address here that the browser is sent back to."""
    where = str(browser.base_url).rstrip("/")
    page = await browser.get(address)
    for _ in range(20):
        if page.is_redirect:
            onward = str(page.next_request.url) if page.next_request else ""
            if onward.startswith(f"{where}/"):
                return onward
            page = await browser.get(onward)
            continue
        action = re.search(r'action="([^"]+)"', page.text)
        assert action is not None, page.text
        prompt = "login" if 'value="login"' in page.text else "consent"
        page = await browser.post(action[1], data={"prompt": prompt, "login": login, "password": "x"})
    raise AssertionError("the provider never sent the browser back")


async def sign_in(
    browser: httpx.AsyncClient, login: str, next_path: str = "/account/sessions"
) -> httpx.Response:
    back = await at_the_provider(browser, await begin(browser, next_path), login)
    return await browser.get(back)


def form_secret(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


async def test_ada_signs_in_and_comes_to_where_she_was_going(
    browser: httpx.AsyncClient, world: World, owner: Session
) -> None:
    refused = await browser.get("/account/sessions")
    assert refused.headers["location"] == "/sign-in?next=/account/sessions"
    page = await browser.get(refused.headers["location"])
    assert 'name="next" value="/account/sessions"' in page.text
    answer = await sign_in(browser, "ada-login")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account/sessions")
    sessions = await browser.get("/account/sessions")
    assert sessions.status_code == 200
    assert "This browser" in sessions.text
    assert (
        count(owner, "select count(*) from peerpause.web_sessions where user_id = %s", world.ada.user_id) == 1
    )


async def test_the_session_cookie_is_for_this_site_and_no_script(browser: httpx.AsyncClient) -> None:
    answer = await sign_in(browser, "ada-login")
    (cookie,) = [each for each in answer.headers.get_list("set-cookie") if each.startswith("peerpause=")]
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert attributes == {"httponly", "path=/", "samesite=lax"}
    assert "peerpause-signing-in" not in browser.cookies


async def test_a_public_client_signs_in_without_a_secret(
    database: Database, world: World, provider: RealProvider
) -> None:
    options: dict[str, Any] = {"client_id": PUBLIC_CLIENT_ID, "client_secret": None}
    async with serving_at(database, provider, **options) as site, new_browser(site) as browser:
        assert (await sign_in(browser, "bo-login")).status_code == 303
        assert (await browser.get("/account/sessions")).status_code == 200


@pytest.mark.parametrize(
    "login, said",
    [
        ("unverified", "did not tell us an e-mail address that it has checked"),
        ("nameless", "did not tell us an e-mail address that it has checked"),
        ("stranger", "Nobody in the directory"),
    ],
)
async def test_whoever_is_nobody_here_is_told_what_to_do_and_no_account_is_made_up(
    browser: httpx.AsyncClient, owner: Session, login: str, said: str
) -> None:
    answer = await sign_in(browser, login)
    assert answer.status_code == 403
    assert said in answer.text
    assert "Ask your coordinator" in answer.text
    assert count(owner, "select count(*) from peerpause.web_sessions") == 0
    assert count(owner, "select count(*) from peerpause.sign_in_identities") == 0


async def test_whoever_is_erased_cannot_sign_in_again(
    browser: httpx.AsyncClient, world: World, owner: Session
) -> None:
    await sign_in(browser, "ada-login")
    owner.execute("delete from public.people where user_id = %s", (world.ada.user_id,))
    assert (await browser.get("/account/sessions")).status_code == 303
    answer = await sign_in(browser, "ada-login")
    assert answer.status_code == 403
    assert "not in the directory" in answer.text


async def test_an_answer_counts_once(browser: httpx.AsyncClient, site: str) -> None:
    back = await at_the_provider(browser, await begin(browser), "ada-login")
    held = browser.cookies["peerpause-signing-in"]
    assert (await browser.get(back)).status_code == 303
    async with new_browser(site) as thief:
        thief.cookies.set("peerpause-signing-in", held)
        again = await thief.get(back)
        assert again.status_code == 403
        assert "took too long" in again.text
        assert "peerpause" not in thief.cookies


async def test_a_code_counts_once_at_the_provider_too(browser: httpx.AsyncClient, site: str) -> None:
    back = await at_the_provider(browser, await begin(browser), "ada-login")
    code = parse_qs(urlsplit(back).query)["code"][0]
    assert (await browser.get(back)).status_code == 303
    async with new_browser(site) as thief:
        own = parse_qs(urlsplit(await begin(thief)).query)["state"][0]
        answer = await thief.get("/sign-in/callback", params={"code": code, "state": own})
        assert answer.status_code == 403
        assert "peerpause" not in thief.cookies


async def test_a_code_put_under_somebody_elses_sign_in_is_refused(
    browser: httpx.AsyncClient, site: str, provider: RealProvider
) -> None:
    stolen = parse_qs(urlsplit(await at_the_provider(browser, await begin(browser), "ada-login")).query)
    async with new_browser(site) as thief:
        own = parse_qs(urlsplit(await begin(thief)).query)["state"][0]
        given = {"code": stolen["code"][0], "state": own, "iss": provider.issuer}
        answer = await thief.get("/sign-in/callback", params=given)
        assert answer.status_code == 403
        assert "does not prove who you are" in answer.text
        assert "peerpause" not in thief.cookies


async def test_an_answer_in_a_browser_that_did_not_ask_is_refused(
    browser: httpx.AsyncClient, site: str
) -> None:
    back = await at_the_provider(browser, await begin(browser), "bo-login")
    async with new_browser(site) as victim:
        answer = await victim.get(back)
        assert answer.status_code == 403
        assert "peerpause" not in victim.cookies


@pytest.mark.parametrize("state", ["", "forged", "ø", None])
async def test_an_answer_with_a_forged_state_is_refused(
    browser: httpx.AsyncClient, state: str | None
) -> None:
    back = await at_the_provider(browser, await begin(browser), "ada-login")
    given = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    forged = {**given, "state": state} if state is not None else {**given}
    if state is None:
        del forged["state"]
    answer = await browser.get("/sign-in/callback", params=forged)
    assert answer.status_code == 403
    assert (await browser.get(back)).status_code == 403, "it was taken, so that nobody may guess on"


@pytest.mark.parametrize(
    "error, said",
    [
        ("access_denied", "The sign-in was cancelled"),
        ("server_error", "sent you back without signing you in"),
        ("<script>alert(1)</script>", "sent you back without signing you in"),
    ],
)
async def test_what_the_provider_says_no_with_is_told_in_plain_words(
    browser: httpx.AsyncClient, error: str, said: str
) -> None:
    state = parse_qs(urlsplit(await begin(browser)).query)["state"][0]
    given = {"error": error, "error_description": "<b>Details</b>", "state": state}
    with structlog.testing.capture_logs() as logged:
        answer = await browser.get("/sign-in/callback", params=given)
    assert answer.status_code == 403
    assert said in answer.text
    assert "alert" not in answer.text
    assert "Details" not in answer.text
    assert "alert" not in str(logged)


async def test_cancelling_at_the_provider_leads_back_here(browser: httpx.AsyncClient) -> None:
    page = await browser.get(await begin(browser), follow_redirects=True)
    abort = re.search(r'href="([^"]+/abort)"', page.text)
    assert abort is not None
    answer = await browser.get(abort[1], follow_redirects=True)
    assert answer.status_code == 403
    assert "The sign-in was cancelled" in answer.text


async def test_a_session_from_before_the_sign_in_does_not_survive_it(
    browser: httpx.AsyncClient, sessions: Sessions, world: World
) -> None:
    planted, _ = await WebSessions(sessions=sessions).begin(world.cy.user_id, None)
    browser.cookies.set("peerpause", planted)
    await sign_in(browser, "ada-login")
    word = next(
        cookie.value
        for cookie in browser.cookies.jar
        if cookie.name == "peerpause" and cookie.value != planted
    )
    assert word is not None
    assert await WebSessions(sessions=sessions).find(planted) is None
    found = await WebSessions(sessions=sessions).find(word)
    assert found is not None
    assert found.user_id == world.ada.user_id


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "/sign-in/start"],
)
async def test_nobody_is_led_away_after_signing_in(browser: httpx.AsyncClient, target: str) -> None:
    answer = await sign_in(browser, "ada-login", next_path=target)
    assert answer.headers["location"] == "/"
    signed_in = await browser.get("/sign-in", params={"next": target})
    assert signed_in.headers["location"] == "/"


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}]
)
async def test_no_other_site_begins_a_sign_in_here(
    browser: httpx.AsyncClient, owner: Session, headers: dict[str, str]
) -> None:
    answer = await browser.post("/sign-in/start", data={"next": "/"}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert count(owner, "select count(*) from peerpause.sign_in_attempts") == 0


async def test_signing_out_ends_the_session_here_and_at_the_provider(
    browser: httpx.AsyncClient, sessions: Sessions, provider: RealProvider
) -> None:
    await sign_in(browser, "ada-login")
    word = browser.cookies["peerpause"]
    proof = form_secret(await browser.get("/account/sessions"))
    answer = await browser.post("/sign-out", data={"csrf": proof})
    onward = answer.headers["refresh"].removeprefix("0; url=")
    assert onward.startswith(f"{provider.issuer}/session/end?")
    assert "peerpause" not in browser.cookies
    assert await WebSessions(sessions=sessions).find(word) is None
    asked = await browser.get(onward)
    assert "sign" in asked.text.lower()
    xsrf = re.search(r'name="xsrf" value="([^"]+)"', asked.text)
    action = re.search(r'action="([^"]+)"', asked.text)
    assert xsrf is not None
    assert action is not None
    out = await browser.post(action[1], data={"xsrf": xsrf[1], "logout": "yes"})
    assert out.headers["location"] == f"{str(browser.base_url).rstrip('/')}/sign-in"
    assert 'name="login"' in (await browser.get(await begin(browser), follow_redirects=True)).text


async def test_no_other_site_signs_ada_out(browser: httpx.AsyncClient, sessions: Sessions) -> None:
    await sign_in(browser, "ada-login")
    for fields in ({}, {"csrf": "forged"}):
        assert (await browser.post("/sign-out", data=fields)).status_code == 403
    assert await WebSessions(sessions=sessions).find(browser.cookies["peerpause"]) is not None


async def test_ada_ends_her_other_browsers_and_not_bos(
    browser: httpx.AsyncClient, site: str, sessions: Sessions, world: World
) -> None:
    web = WebSessions(sessions=sessions)
    await sign_in(browser, "ada-login")
    elsewhere, other = await web.begin(world.ada.user_id, None)
    third, _ = await web.begin(world.ada.user_id, None)
    bos, bos_session = await web.begin(world.bo.user_id, None)
    page = await browser.get("/account/sessions")
    proof = form_secret(page)
    assert page.text.count("Another browser") == 2
    assert str(bos_session.session_id) not in page.text
    for session_id in (other.session_id, bos_session.session_id):
        fields = {"csrf": proof, "session": str(session_id)}
        assert (await browser.post("/account/sessions/end", data=fields)).status_code == 303
    assert await web.find(elsewhere) is None
    assert await web.find(bos) is not None
    await browser.post("/account/sessions/end", data={"csrf": proof, "all": "yes"})
    assert await web.find(third) is None
    assert (await browser.get("/account/sessions")).status_code == 200
    async with new_browser(site) as ended:
        ended.cookies.set("peerpause", elsewhere)
        assert (await ended.get("/account/sessions")).status_code == 303


async def test_too_many_sign_ins_from_one_address_have_to_wait(
    database: Database, world: World, provider: RealProvider
) -> None:
    options: dict[str, Any] = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "sign_ins_per_minute": 2,
    }
    async with serving_at(database, provider, **options) as site, new_browser(site) as browser:
        for _ in range(2):
            await begin(browser)
        answer = await browser.post("/sign-in/start", data={}, headers={"Origin": site})
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0


async def test_without_a_provider_the_page_says_so(database: Database, world: World) -> None:
    async with serving_at(database, None) as site, new_browser(site) as browser:
        page = await browser.get("/sign-in")
        assert page.status_code == 200
        assert "Nobody can sign in here yet" in page.text
        answer = await browser.post("/sign-in/start", data={}, headers={"Origin": site})
        assert answer.status_code == 503
        assert (await browser.get("/demo/choose")).status_code == 404
        assert (await browser.post("/demo/choose", data={}, headers={"Origin": site})).status_code in (
            404,
            405,
        )


@pytest.mark.parametrize("left_out", ["oidc_client_id", "public_url"])
def test_half_the_settings_are_refused_at_start(left_out: str) -> None:
    whole = {"oidc_issuer": "https://a.example", "oidc_client_id": "x", "public_url": "https://b.example"}
    require_whole_settings(settings(**whole))
    with pytest.raises(ConfigurationError, match=f"PEERPAUSE_{left_out.upper()}"):
        require_whole_settings(settings(**{**whole, left_out: None}))


@pytest.mark.parametrize(
    "issuer", ["http://login.example.org", "login.example.org", "ftp://a.example", "https://"]
)
def test_an_issuer_that_could_be_forged_on_the_way_is_refused(
    monkeypatch: pytest.MonkeyPatch, issuer: str
) -> None:
    monkeypatch.setenv("PEERPAUSE_OIDC_ISSUER", issuer)
    with pytest.raises(ConfigurationError, match="PEERPAUSE_OIDC_ISSUER"):
        load_settings()


def test_subjects_are_trusted_as_user_ids_only_where_the_issuer_issues_the_tokens_too_or_it_is_said() -> None:
    issuer = "https://a.example/auth/v1"
    assert subject_is_user_id(settings(oidc_issuer=issuer, jwt_issuer=issuer))
    assert not subject_is_user_id(settings(oidc_issuer=issuer, jwt_issuer="https://other.example"))
    assert not subject_is_user_id(settings(oidc_issuer=issuer))
    assert not subject_is_user_id(settings())
    assert subject_is_user_id(settings(oidc_issuer=issuer, oidc_subject_is_user_id=True))
    assert not subject_is_user_id(
        settings(oidc_issuer=issuer, jwt_issuer=issuer, oidc_subject_is_user_id=False)
    )
