"""What comes over the wire and is meant to hurt: slow, deep, huge, compressed, or with lines of its own."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import socket
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from peerpause.api.patience import Patience, PatientProtocol
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


@pytest.mark.parametrize(
    ("beginning", "status"),
    [
        (b"", b"408"),
        (b"POST /v1/mentors HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"408"),
        (b"POST /v1/notifications/read HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{", b"408"),
        # The first request is answered; the second one, on the same connection, does not come to an end.
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /heal", b"200"),
    ],
    ids=["nothing", "headers", "body", "second request"],
)
async def test_a_slow_client_is_let_go(
    api: Api, monkeypatch: pytest.MonkeyPatch, beginning: bytes, status: bytes
) -> None:
    monkeypatch.setattr(PatientProtocol, "patience", Patience(head=0.2, body=0.2))
    address = urlsplit(api.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(beginning)
    async with asyncio.timeout(30):
        heard = await reader.read()
    writer.close()
    assert heard.split()[1] == status
    assert heard.count(b"HTTP/1.1 ") == (2 if status == b"200" else 1)


async def test_a_client_that_comes_in_time_keeps_its_connection(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No time that ran for one request counts for the next, nor for the silence between them."""
    monkeypatch.setattr(PatientProtocol, "patience", Patience(head=0.3, body=0.3))
    address = urlsplit(api.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    async with asyncio.timeout(30):
        for _ in range(3):
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            length = int(re.search(rb"content-length: (\d+)", head.lower())[1])  # type: ignore[index]  # each answer has one
            await reader.readexactly(length)
            await asyncio.sleep(0.5)
    writer.close()


async def test_a_client_that_does_not_read_its_answers_is_let_go(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientProtocol, "patience", Patience(reading=0.2))
    address = urlsplit(api.url)
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect((address.hostname, address.port))
        deaf.setblocking(False)
        async with asyncio.timeout(30):
            with pytest.raises(ConnectionError):
                await _ask_without_end(deaf)


async def _ask_without_end(deaf: socket.socket) -> None:
    """Until what the server cannot get rid of has filled all that lies between."""
    while True:
        await asyncio.get_running_loop().sock_sendall(
            deaf, b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 10
        )


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
