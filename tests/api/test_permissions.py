"""Every endpoint × every role × own and others' mentors, chapters and organisations: one table, and nothing outside it.

The columns are: nobody; Ada herself; Finn, another mentor; Bo, her coordinator; Cy, another chapter's; Dag, her organisation's admin; Eva,
another organisation's; Hal, everybody's; the service. The rows are about Ada and her chapter, north.
"""

from __future__ import annotations

from typing import Any, Final

import httpx
import pytest

from tests.api.serving import SERVICE_KEY, Api, serving, token
from tests.cast import World, build_world
from tests.servers import Database

WHO: Final = ("nobody", "ada", "finn", "bo", "cy", "dag", "eva", "hal", "service")

# 401 sign in first; 403 not yours; 404 none that you may see; 400 a refusal of the state, which only who may ask gets to hear.
TABLE: Final[dict[tuple[str, str], tuple[int, ...]]] = {
    #                                                       nobody ada finn bo   cy   dag  eva  hal  service
    ("GET", "/v1/mentors/{mentor_id}/status"):              (401, 200, 404, 200, 404, 200, 404, 200, 200),
    ("GET", "/v1/mentors/{mentor_id}/history"):             (401, 200, 404, 200, 404, 200, 404, 200, 200),
    ("POST", "/v1/mentors/{mentor_id}/reactivate"):         (401, 400, 403, 400, 403, 400, 403, 400, 400),
    ("DELETE", "/v1/mentors/{mentor_id}/planned-pause"):    (401, 200, 403, 200, 403, 200, 403, 200, 200),
    ("POST", "/v1/mentors/{mentor_id}/pause"):              (401, 400, 403, 400, 403, 400, 403, 400, 400),
    ("POST", "/v1/mentors/{mentor_id}/deactivate"):         (401, 400, 403, 400, 403, 400, 403, 400, 200),
    ("GET", "/v1/chapters/{chapter_id}/mentors"):           (401, 403, 403, 200, 403, 200, 403, 200, 200),
    ("POST", "/v1/mentors/pause"):                          (401, 200, 200, 200, 200, 200, 200, 200, 200),
    ("POST", "/v1/mentors/reactivate"):                     (401, 200, 200, 200, 200, 200, 200, 200, 200),
    ("GET", "/v1/events"):                                  (401, 200, 200, 200, 200, 200, 200, 200, 200),
    ("GET", "/v1/notifications"):                           (401, 200, 200, 200, 200, 200, 200, 200, 403),
    ("POST", "/v1/notifications/{notification_id}/read"):   (401, 404, 404, 404, 404, 404, 404, 404, 403),
    ("POST", "/v1/notifications/{notification_id}/acknowledge"): (401, 404, 404, 404, 404, 404, 404, 404, 403),
    ("PUT", "/v1/device-tokens/{token}"):                   (401, 204, 204, 204, 204, 204, 204, 204, 403),
    ("DELETE", "/v1/device-tokens/{token}"):                (401, 204, 204, 204, 204, 204, 204, 204, 403),
    ("POST", "/v1/certifications/{mentor_id}/renewals"):    (401, 403, 403, 400, 403, 400, 403, 400, 400),
    ("POST", "/v1/expiry-runs"):                            (401, 403, 403, 200, 403, 200, 403, 200, 200),
    ("GET", "/v1/expiry-runs"):                             (401, 200, 200, 200, 200, 200, 200, 200, 200),
    ("PUT", "/v1/mentors/{mentor_id}/public-profile"):      (401, 200, 403, 200, 403, 200, 403, 200, 200),
    ("GET", "/v1/organisations/{organisation_id}/webhook-endpoints"):  (401, 403, 403, 403, 403, 200, 403, 200, 200),
    ("POST", "/v1/organisations/{organisation_id}/webhook-endpoints"): (401, 403, 403, 403, 403, 400, 403, 400, 400),
    ("POST", "/v1/webhook-endpoints/{endpoint_id}/secret"): (401, 403, 403, 403, 403, 403, 403, 403, 403),
    ("DELETE", "/v1/webhook-endpoints/{endpoint_id}"):      (401, 403, 403, 403, 403, 403, 403, 403, 403),
    ("POST", "/v1/organisations/{organisation_id}/inbound-secret"):    (401, 403, 403, 403, 403, 200, 403, 200, 200),
    ("DELETE", "/v1/organisations/{organisation_id}/inbound-secret"):  (401, 403, 403, 403, 403, 204, 403, 204, 204),
    ("POST", "/rest/v1/rpc/{function}"):                    (401, 200, 404, 200, 404, 200, 404, 200, 200),
    ("GET", "/rest/v1/rpc/{function}"):                     (401, 200, 404, 200, 404, 200, 404, 200, 200),
    ("HEAD", "/rest/v1/rpc/{function}"):                    (401, 200, 404, 200, 404, 200, 404, 200, 200),
    ("POST", "/functions/v1/send-push-notifications"):      (401, 401, 401, 401, 401, 401, 401, 401, 200),
    ("POST", "/functions/v1/certification-expiry-job"):     (401, 401, 401, 401, 401, 401, 401, 401, 200),
    ("GET", "/metrics"):                                    (401, 401, 401, 401, 401, 401, 401, 401, 200),
    ("GET", "/healthz"):                                    (200,) * 9,
    ("GET", "/readyz"):                                     (200,) * 9,
    ("GET", "/docs"):                                       (200,) * 9,
}  # fmt: skip

# Asked for by anybody, and in tests of their own.
PUBLIC: Final = ("/public/", "/webhooks/")

BODIES: Final[dict[str, Any]] = {
    # A pause that began long ago, a reason that only the system gives, an address inside: refused, but only after asking who it is.
    "/v1/mentors/{mentor_id}/pause": {"reason": "other", "pause_at": "2001-01-01T00:00:00Z"},
    "/v1/mentors/{mentor_id}/deactivate": {"reason": "certification_expired"},
    "/v1/mentors/pause": {"mentor_ids": ["00000000-0000-0000-0000-000000000000"], "reason": "other"},
    "/v1/mentors/reactivate": {"mentor_ids": ["00000000-0000-0000-0000-000000000000"]},
    "/v1/device-tokens/{token}": {"platform": "web"},
    "/v1/mentors/{mentor_id}/public-profile": {"listed": True},
    "/v1/organisations/{organisation_id}/webhook-endpoints": {"url": "https://127.0.0.1/hooks"},
    "/v1/certifications/{mentor_id}/renewals": {"issued_on": "2001-01-01", "expires_on": "2001-12-31"},
    "/functions/v1/send-push-notifications": {"tokens": ["t"], "notification": {"title": "x"}},
}


@pytest.fixture
def world(database: Database) -> World:
    return build_world(database.url)


async def test_everybody_gets_what_the_table_says(database: Database, world: World) -> None:
    found: dict[tuple[str, str], tuple[int, ...]] = {}
    body_of = {**BODIES, "/v1/expiry-runs": {"chapter_ids": [str(world.north.chapter_id)]}}
    body_of["/rest/v1/rpc/{function}"] = {"p_mentor_id": str(world.ada.mentor_id)}
    async with serving(database) as api:
        clients = [client_of(api, world, who) for who in WHO]
        for method, pattern in TABLE:
            path = pattern.format(
                mentor_id=world.ada.mentor_id,
                chapter_id=world.north.chapter_id,
                organisation_id=world.organisation_id,
                endpoint_id=world.stranger_id,
                notification_id=world.stranger_id,
                token="a-device-of-somebody",
                function="get_mentor_status",
            )
            body = body_of.get(pattern)
            found[method, pattern] = tuple([await ask(client, method, path, body) for client in clients])
    assert found == TABLE


async def test_the_table_names_every_endpoint(database: Database, world: World) -> None:
    async with serving(database) as api:
        description = (await api.as_visitor().get("/openapi.json")).json()
    offered = {
        (method.upper(), path)
        for path, operations in description["paths"].items()
        for method in operations
        if not path.startswith(PUBLIC)
    }
    assert offered == set(TABLE)


async def test_the_figures_are_for_the_service_alone(api: Api, world: World) -> None:
    """Not even for this very machine without the key: a proxy on it may pass on what it is asked, and need not say so."""
    for client in (api.as_visitor(), api.as_(world.hal), api.with_headers(apikey="sb_publishable_x")):
        refused = await client.get("/metrics")
        assert (refused.status_code, refused.json()["code"]) == (401, "not_signed_in")
        assert b"# HELP" not in refused.content
    figures = await api.as_service().get("/metrics")
    assert figures.headers["Content-Type"].startswith("text/plain")
    assert b"# HELP" in figures.content


async def ask(client: httpx.AsyncClient, method: str, path: str, body: Any) -> int:
    if method in ("GET", "HEAD"):
        async with client.stream(method, path, params=body) as answer:  # a stream of events has no end
            return answer.status_code
    return (await client.request(method, path, json=body)).status_code


def client_of(api: Api, world: World, who: str) -> httpx.AsyncClient:
    if who == "nobody":
        return api.as_visitor()
    if who == "service":
        return api.with_headers(Authorization=f"Bearer {SERVICE_KEY}")
    return api.with_headers(Authorization=f"Bearer {token(getattr(world, who))}")
