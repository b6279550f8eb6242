"""PostgreSQL itself stopped and started under the API: 503 meanwhile, and everything goes on by itself, open streams included."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from tests.api.serving import Api, serving
from tests.cast import World, build_world
from tests.reliability.serving import migrated
from tests.servers import Server, halt_server, resume_server

DATABASE = "restarted"


@pytest.fixture
async def world(own_server: Server) -> World:
    return build_world((await migrated(own_server, DATABASE)).url)


async def events(client: httpx.AsyncClient) -> AsyncIterator[str]:
    """The kinds of events, as a browser's EventSource hears them: it comes back when a stream ends, and says what it saw last."""
    last: dict[str, str] = {}
    while True:
        async with client.stream("GET", "/v1/events", headers=last, timeout=None) as stream:
            if stream.status_code == 200:
                async for line in stream.aiter_lines():
                    name, _, value = line.partition(": ")
                    if name == "id":
                        last = {"Last-Event-ID": value}
                    elif name == "event":
                        yield value
                    elif name == "retry":
                        yield "open"
        await asyncio.sleep(0.1)


async def heard(stream: AsyncIterator[str], kind: str) -> None:
    async with asyncio.timeout(120):
        while await anext(stream) != kind:
            pass


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(120):
        while not await holds():  # noqa: ASYNC110  nobody tells when a server is back
            await asyncio.sleep(0.1)


@pytest.mark.timeout(300)
async def test_a_restart_of_the_server_is_survived(own_server: Server, world: World) -> None:
    url = own_server.url(DATABASE, user="authenticator")
    # The worker has a login of its own, as an operator gives it one.
    async with serving(own_server.url(DATABASE), with_worker=True) as api, serving(url) as bare:
        for each in (api, bare):
            await until(lambda each=each: answers(each, world))  # type: ignore[misc]  # mypy does not know lambdas with defaults
        bo = api.as_(world.bo)
        stream = events(bo)
        await heard(stream, "open")

        await asyncio.to_thread(halt_server, own_server)
        try:
            await asyncio.gather(*(_says_that_the_database_is_away(each, world) for each in (api, bare)))
        finally:
            await asyncio.to_thread(resume_server, own_server)

        for each in (api, bare):
            await until(lambda each=each: answers(each, world))  # type: ignore[misc]  # as above
            await until(lambda each=each: is_ready(each))  # type: ignore[misc]  # as above
        await heard(stream, "reset")  # something may have been missed meanwhile: the page loads anew
        paused = await bare.as_(world.ada).post(
            f"/v1/mentors/{world.ada.mentor_id}/pause", json={"reason": "other"}
        )
        assert paused.status_code == 200
        await heard(stream, "status")
        inbox = (await bo.get("/v1/notifications")).json()
        assert inbox["unread"] == 1


async def _says_that_the_database_is_away(api: Api, world: World) -> None:
    ada = api.as_(world.ada)
    path = f"/v1/mentors/{world.ada.mentor_id}"
    # At once, for each waits some seconds for the database to come back.
    *away, ready = await asyncio.gather(
        ada.get(f"{path}/status"),
        ada.post(f"{path}/pause", json={"reason": "travel"}),
        ada.post("/v1/expiry-runs", headers={"Idempotency-Key": "k"}),
        ada.post("/rest/v1/rpc/get_mentor_status", json={"p_mentor_id": str(world.ada.mentor_id)}),
        api.as_visitor().get("/readyz"),
    )
    assert [(answer.status_code, answer.headers["Retry-After"]) for answer in away] == [(503, "2")] * 4
    assert (ready.status_code, ready.json()["problems"][0]["check"]) == (503, "database")
    assert (await api.as_visitor().get("/healthz")).status_code == 200


async def answers(api: Api, world: World) -> bool:
    return (await api.as_(world.ada).get(f"/v1/mentors/{world.ada.mentor_id}/status")).status_code == 200


async def is_ready(api: Api) -> bool:
    return (await api.as_visitor().get("/readyz")).status_code == 200
