"""An API on a database that only reads, as a hot standby does: public pages are served, changes are refused, nothing breaks."""

from __future__ import annotations

import pytest

from tests.api.serving import serving
from tests.cast import World, build_world
from tests.servers import Database


@pytest.fixture
def world(database: Database) -> World:
    return build_world(database.url)


async def test_public_pages_are_served_and_changes_refused(database: Database, world: World) -> None:
    address = database.server.url(database.name, user="authenticator")
    async with serving(f"{address}?options=-c%20default_transaction_read_only%3Don") as api:
        page = await api.as_visitor().get(f"/public/chapters/{world.north.chapter_id}/mentors.html")
        assert (page.status_code, "Ada" in page.text) == (200, True)
        status = await api.as_(world.ada).get(f"/v1/mentors/{world.ada.mentor_id}/status")
        assert status.status_code == 200
        refused = await api.as_(world.ada).post(
            f"/v1/mentors/{world.ada.mentor_id}/pause", json={"reason": "travel"}
        )
        assert refused.status_code == 503
        assert "Retry-After" in refused.headers
