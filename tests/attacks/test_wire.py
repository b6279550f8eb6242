"""What comes over the wire and is meant to hurt: slow, deep, huge, compressed, or with lines of its own."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from tests.api.serving import Api, serving
from tests.cast import World, build_world
from tests.database.acting import owner_session, status_of
from tests.servers import Database

_MANY = 200


@pytest.fixture
def world(database: Database) -> World:
    return build_world(database.url)


@pytest.fixture
async def api(database: Database, world: World) -> AsyncIterator[Api]:
    async with serving(database) as opened:
        yield opened


def pause_of(world: World) -> str:
    return f"/v1/mentors/{world.ada.mentor_id}/pause"


BOMBS = {
    "deep arrays": b'{"reason":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"reason":' + b'{"a":' * 40_000 + b"1" + b"}" * 40_000 + b"}",
    "a number of many digits": b'{"reason": ' + b"9" * 200_000 + b"}",
    "a number without end": b'{"reason": "travel", "expected_return_on": 1e999999}',
    "not a number": b'{"reason": NaN}',
    "half a surrogate": b'{"reason": "travel", "note": "\\ud800"}',
    "a name a hundred times": b"{" + b'"note": "x",' * 100 + b'"reason": 7}',
    "nul": b'{"reason": "travel", "note": "\\u0000"}',
}


@pytest.mark.parametrize("body", BOMBS.values(), ids=BOMBS)
async def test_a_json_bomb_is_refused(api: Api, world: World, database: Database, body: bytes) -> None:
    answer = await api.as_(world.ada).post(
        pause_of(world), content=body, headers={"Content-Type": "application/json"}
    )
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["code"]
    with owner_session(database) as owner:
        assert status_of(owner, world.ada) == "active"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
async def test_a_compressed_body_is_not_unpacked(
    api: Api, world: World, database: Database, coding: str
) -> None:
    packed = gzip.compress(json.dumps({"reason": "travel", "note": " " * 1_000_000}).encode())
    answer = await api.as_(world.ada).post(
        pause_of(world),
        content=packed,
        headers={"Content-Type": "application/json", "Content-Encoding": coding},
    )
    assert 400 <= answer.status_code < 500
    with owner_session(database) as owner:
        assert status_of(owner, world.ada) == "active"


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"POST /v1/mentors HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST /v1/notifications/read HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",
    ],
    ids=["nothing", "headers", "body"],
)
async def test_slow_clients_hold_up_nobody(api: Api, world: World, beginning: bytes) -> None:
    address = urlsplit(api.url)
    slow = [await asyncio.open_connection(address.hostname, address.port) for _ in range(_MANY)]
    try:
        for _, writer in slow:
            writer.write(beginning)
            await writer.drain()
        answer = await api.as_(world.ada).get(f"/v1/mentors/{world.ada.mentor_id}/status")
        assert answer.status_code == 200
        assert (await api.as_(world.ada).post(pause_of(world), json={"reason": "travel"})).status_code == 200
    finally:
        for _, writer in slow:
            writer.close()


async def test_nothing_of_a_request_makes_a_line_of_its_own(
    api: Api, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither in a header of the answer nor in the log."""
    own = "a\r\nX-Own: 1"
    address = urlsplit(api.url)
    raw = (
        "GET /v1/mentors/%0d%0aX-Own:%201/status?x=%0a%0dforged-line HTTP/1.1\r\nHost: x\r\n"
        "X-Request-Id: a b%0d%0aX-Own: 1\r\nConnection: close\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(raw.encode())
    heard = (await reader.read()).decode()
    writer.close()
    head = heard.partition("\r\n\r\n")[0].lower()
    assert "\r\nx-own" not in head
    answer = await api.as_(world.ada).post(pause_of(world), json={"reason": own})
    assert 400 <= answer.status_code < 500
    assert "x-own" not in answer.headers
    said = capsys.readouterr()
    assert not any(line.startswith(("X-Own", "forged-line")) for line in (said.out + said.err).splitlines())
