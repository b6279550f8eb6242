"""Profiles and webhooks over HTTP: the people who may, and what they are told."""

from __future__ import annotations

from typing import Any

import httpx

from tests.api.serving import token
from tests.cast import Person, World

URL = "https://www.example.org/hooks/peerpause"


def as_(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(person)}"}


async def test_a_mentor_changes_what_the_page_shows(http: httpx.AsyncClient, world: World) -> None:
    address = f"/v1/mentors/{world.ada.mentor_id}/public-profile"
    wanted: dict[str, Any] = {
        "listed": True,
        "languages": ["nb"],
        "presentation": "Likes <boats> & bikes.",
        "public_contact": "ada@example.org",
    }
    answer = await http.put(address, json=wanted, headers=as_(world.ada))
    assert answer.status_code == 200
    assert answer.json() == {"mentor_id": str(world.ada.mentor_id), **wanted}
    page = await http.get(f"/public/chapters/{world.north.chapter_id}/mentors.html")
    assert "Likes &lt;boats&gt; &amp; bikes." in page.text
    assert (await http.put(address, json=wanted, headers=as_(world.finn))).status_code == 403
    assert (await http.put(address, json=wanted)).status_code == 401
    refused = await http.put(
        address, json={**wanted, "public_contact": "javascript:x"}, headers=as_(world.ada)
    )
    assert refused.status_code == 400


async def test_an_admin_manages_endpoints_from_first_to_last(http: httpx.AsyncClient, world: World) -> None:
    dag = as_(world.dag)
    all_of_them = f"/v1/organisations/{world.organisation_id}/webhook-endpoints"
    made = (await http.post(all_of_them, json={"url": URL}, headers=dag)).json()
    assert made["secret"].startswith("whsec_")
    one = f"/v1/webhook-endpoints/{made['endpoint_id']}"
    fresh = (await http.post(f"{one}/secret", headers=dag)).json()["secret"]
    assert fresh != made["secret"]
    assert (await http.delete(one, headers=dag)).status_code == 204
    listed = await http.get(all_of_them, headers=dag)
    assert [(each["url"], each["active"]) for each in listed.json()] == [(URL, False)]
    assert "whsec_" not in listed.text


async def test_an_address_inside_is_refused(http: httpx.AsyncClient, world: World) -> None:
    answer = await http.post(
        f"/v1/organisations/{world.organisation_id}/webhook-endpoints",
        json={"url": "https://inside.example.com/"},
        headers=as_(world.dag),
    )
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_argument"


async def test_an_admin_opens_and_closes_the_door_for_certificate_updates(
    http: httpx.AsyncClient, world: World
) -> None:
    address = f"/v1/organisations/{world.organisation_id}/inbound-secret"
    assert (await http.post(address, headers=as_(world.dag))).json()["secret"].startswith("whsec_")
    assert (await http.delete(address, headers=as_(world.dag))).status_code == 204


async def test_everybody_else_is_refused_everywhere(http: httpx.AsyncClient, world: World) -> None:
    dag, organisation = as_(world.dag), f"/v1/organisations/{world.organisation_id}"
    made = (await http.post(f"{organisation}/webhook-endpoints", json={"url": URL}, headers=dag)).json()
    one = f"/v1/webhook-endpoints/{made['endpoint_id']}"
    for person, status in ((world.bo, 403), (world.ada, 403), (world.eva, 403), (None, 401)):
        headers = as_(person) if person else {}
        answers = [
            await http.get(f"{organisation}/webhook-endpoints", headers=headers),
            await http.post(f"{organisation}/webhook-endpoints", json={"url": URL}, headers=headers),
            await http.post(f"{one}/secret", headers=headers),
            await http.delete(one, headers=headers),
            await http.post(f"{organisation}/inbound-secret", headers=headers),
            await http.delete(f"{organisation}/inbound-secret", headers=headers),
        ]
        assert {answer.status_code for answer in answers} == {status}
