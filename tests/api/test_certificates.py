"""Certificates over HTTP: renewals, the check started by hand, and its runs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from tests.api.serving import Api
from tests.cast import World, add_certificate, require_certificate, set_status
from tests.servers import Database


@pytest.fixture
def lapsed(database: Database, world: World) -> None:
    """Certificates are required in the first organisation; Ada's has lapsed, Finn's has not."""
    with psycopg.connect(database.url) as connection:
        require_certificate(connection, world.organisation_id)
        add_certificate(connection, world.ada, issued_on=date(2020, 1, 1), expires_on=date(2022, 12, 31))
        add_certificate(connection, world.finn, issued_on=date(2020, 1, 1), expires_on=None)


@pytest.mark.usefixtures("lapsed")
async def test_bo_runs_the_check_for_his_chapters(api: Api, world: World) -> None:
    bo = api.as_(world.bo)
    ran = (await bo.post("/v1/expiry-runs", json={"chapter_ids": [str(world.north.chapter_id)]})).json()
    assert (ran["status"], ran["paused"]) == ("succeeded", 1)
    assert (await bo.post("/v1/expiry-runs")).json()["paused"] == 0
    status = (await bo.get(f"/v1/mentors/{world.ada.mentor_id}/status")).json()
    assert (status["status"], status["reason"]) == ("paused", "certification_expired")

    seen, query = [], {"limit": "1"}
    while True:
        page = (await bo.get("/v1/expiry-runs", params=query)).json()
        seen += page["items"]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert [(run["status"], run["started_by"]) for run in seen] == [("succeeded", str(world.bo.user_id))] * 2
    assert (await api.as_(world.cy).get("/v1/expiry-runs")).json()["items"] == []


@pytest.mark.usefixtures("lapsed")
async def test_the_service_runs_it_for_everybody(api: Api) -> None:
    ran = (await api.as_service().post("/v1/expiry-runs")).json()
    assert (ran["status"], ran["paused"]) == ("succeeded", 1)


async def test_anothers_chapter_is_not_checked(api: Api, world: World) -> None:
    refused = await api.as_(world.bo).post(
        "/v1/expiry-runs", json={"chapter_ids": [str(world.south.chapter_id)]}
    )
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")


@pytest.mark.usefixtures("lapsed")
async def test_a_renewal_brings_ada_back(api: Api, world: World, database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        set_status(connection, world.ada, "paused", reason="certification_expired")
    today = datetime.now(UTC).date()
    body = {
        "issued_on": (today - timedelta(days=1)).isoformat(),
        "expires_on": (today + timedelta(days=700)).isoformat(),
    }
    path = f"/v1/certifications/{world.ada.mentor_id}/renewals"
    for person in (world.ada, world.cy, world.eva):
        assert (await api.as_(person).post(path, json=body)).status_code == 403
    key = {"Idempotency-Key": "renewal-1"}
    renewed = await api.as_(world.bo).post(path, json=body, headers=key)
    answer = renewed.json()
    assert (renewed.status_code, answer["reactivated"], answer["status"]) == (201, True, "active")
    assert (await api.as_(world.bo).post(path, json=body, headers=key)).json() == answer
