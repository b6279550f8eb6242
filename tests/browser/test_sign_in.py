"""A person signs in and out by a real provider, in a real browser, with scripts and without."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser as Chromium
from playwright.async_api import expect

from tests.cast import World
from tests.conftest import not_run
from tests.servers import Database
from tests.web.real_provider import CLIENT_ID, CLIENT_SECRET, free_port, is_installed, real_provider
from tests.web.serving_at import serving_at

_ACCOUNTS = {"ada-login": {"email": "ada@example.org", "email_verified": True}}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(module_database: Database, town: World) -> AsyncIterator[str]:
    if not is_installed():
        not_run("the sign-in by a real OpenID Connect provider (Node.js and npm install)")
    with real_provider(f"http://127.0.0.1:{free_port()}", _ACCOUNTS) as provider:
        async with serving_at(
            module_database, provider, client_id=CLIENT_ID, client_secret=CLIENT_SECRET
        ) as url:
            yield url


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_ada_signs_in_and_out(chromium: Chromium, site: str, scripts: bool) -> None:
    context = await chromium.new_context(base_url=site, locale="en-GB", java_script_enabled=scripts)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    try:
        await page.goto("/account/sessions")
        await expect(page).to_have_url(f"{site}/sign-in?next=/account/sessions")
        await page.get_by_role("main").get_by_role("button", name="Sign in").click()
        await page.get_by_placeholder("Enter any login").fill("ada-login")
        await page.get_by_placeholder("and password").fill("x")
        await page.get_by_role("button", name="Sign-in").click()
        await page.get_by_role("button", name="Continue").click()
        await expect(page).to_have_url(f"{site}/account/sessions")
        await expect(page.get_by_role("main")).to_contain_text("This browser")
        (cookie,) = [each for each in await context.cookies(site) if each["name"] == "peerpause"]
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
        await page.locator("summary", has_text="Ada").click()
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_role("button", name="Yes").click()
        await expect(page).to_have_url(f"{site}/sign-in")
        await page.goto("/account/sessions")
        await expect(page).to_have_url(f"{site}/sign-in?next=/account/sessions")
        assert complaints == []
    finally:
        await context.close()
