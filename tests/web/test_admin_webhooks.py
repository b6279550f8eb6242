"""Webhooks on the page: for the organisation's admins, each secret shown once, and nothing made twice by a form sent twice."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from peerpause.notifications.channels.webhook import WebhookChannel
from tests.cast import World
from tests.web.pages import Browser, Pages

_URL = "https://www.example.org/hooks"


@pytest.fixture(autouse=True)
def only_example_org(monkeypatch: pytest.MonkeyPatch) -> None:
    """One website is public, all others are not."""

    async def leads_to_the_public(channel: WebhookChannel, url: str) -> bool:
        return url.startswith("https://www.example.org/")

    monkeypatch.setattr(WebhookChannel, "leads_to_the_public", leads_to_the_public)


def _here(town: World) -> str:
    return f"/admin/{town.organisation_id}/webhooks"


async def _added(browser: Browser, town: World, url: str) -> dict[str, Any]:
    """A website is added; the form that did it."""
    form: dict[str, Any] = {**(await browser.open(_here(town))).form(_here(town)), "url": url}
    seen = await browser.send(_here(town), **form)
    assert seen.status == 200
    assert "Keep this secret now" in seen.text
    assert "whsec_" in seen.text
    return form


async def test_a_website_is_added_and_its_secret_shown_once(pages: Pages, town: World) -> None:
    browser = await pages.as_(town.dag)
    form = await _added(browser, town, f"{_URL}/once")
    later = await browser.open(_here(town))
    assert f"{_URL}/once" in later.text
    assert "whsec_" not in later.answer.text
    again = await browser.send(_here(town), **{**form, "url": f"{_URL}/once-more"})
    assert "This form was sent before." in again.text
    assert f"{_URL}/once-more" not in again.text


@pytest.mark.parametrize("url", ["", "https://10.0.0.1/hooks", "http://www.example.org/hooks", "no address"])
async def test_what_is_no_public_website_is_refused_and_stays_in_the_field(
    pages: Pages, town: World, url: str
) -> None:
    browser = await pages.as_(town.dag)
    form: dict[str, Any] = {**(await browser.open(_here(town))).form(_here(town))}
    seen = await browser.send(_here(town), **{**form, "url": url})
    assert seen.status == 422
    assert seen.form(_here(town))["url"] == url


async def test_a_secret_is_renewed_and_a_website_switched_off(pages: Pages, town: World) -> None:
    browser = await pages.as_(town.dag)
    await _added(browser, town, f"{_URL}/renewed")
    with psycopg.connect(pages.database.url) as connection:
        row = connection.execute(
            "select id from public.webhook_endpoints where url = %s", (f"{_URL}/renewed",)
        ).fetchone()
    assert row is not None
    one = f"{_here(town)}/{row[0]}"
    key = (await browser.open(_here(town))).form(f"{one}/secret")["key"]
    assert "whsec_" in (await browser.send(f"{one}/secret", key=key)).text
    assert "whsec_" not in (await browser.send(f"{one}/secret", key=key)).text
    assert (await (await pages.as_(town.eva)).send(f"{one}/disable")).status == 404
    theirs = f"/admin/{town.other_organisation_id}/webhooks/{row[0]}/disable"
    assert (await (await pages.as_(town.eva)).send(theirs)).status == 404
    off = await browser.send(f"{one}/disable")
    assert "This website is told nothing more." in off.text
    assert "Switched off" in off.text


async def test_the_door_for_certificate_updates_is_opened_and_closed(pages: Pages, town: World) -> None:
    browser = await pages.as_(town.dag)
    inbound = f"{_here(town)}/inbound"
    key = (await browser.open(_here(town))).form(inbound)["key"]
    assert "whsec_" in (await browser.send(inbound, key=key)).text
    assert "no longer taken" in (await browser.send(f"{inbound}/revoke")).text
    assert "not taken before" in (await browser.send(f"{inbound}/revoke")).text
    assert (await (await pages.as_(town.bo)).send(inbound, key="x")).status == 404
