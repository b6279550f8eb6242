"""Question 9: the list a coordinator opens first, however many mentors they see and however many pages follow along."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Final
from uuid import UUID

import aiohttp
import psycopg

from benchmarks import server as servers
from benchmarks.population import Population, chapter_id, coordinator_id, mentor_id, mentor_user_id
from benchmarks.question import Question, Report, Run, Table, ask, verify
from benchmarks.serving import SECRET, peerpause
from benchmarks.spread import Rounds, Spread, digits, percentile
from peerpause.auth.tokens import issue_token
from peerpause.worker.schema import ensure_schema
from tests.servers import Server

QUESTION: Final = Question(
    number=9,
    module="bench_09_roster_page",
    title="The coordinator's list, and pages that follow along",
    method=(
        "A coordinator opens the first 50 of the mentors of their chapter (`GET /v1/chapters/{id}/mentors`) over a kept connection, one process of `peerpause serve`, token checked, "
        "row-level security on. Once the chapter has 1,000 mentors and once 100,000, alternating between two databases on one server; then with 200 open "
        "event streams (`GET /v1/events`) beside it, and a mentor pauses. Verified: each page holds 50 mentors; each stream tells of the "
        "pause once."
    ),
    no_budget="the query behind it has one, in question 4.",
)

_SIZES: Final = (1_000, 100_000)
_STREAMS: Final = 200


def measure(run: Run) -> Report:
    """The list at both sizes, then the streams."""
    with servers.durable_server() as server:
        urls = {}
        for size in _SIZES:
            run.say(f"{size:,} mentors in one chapter …")
            urls[size] = _filled(server, size)
        return asyncio.run(_measure(run, server, urls))


def _filled(server: Server, size: int) -> str:
    name = f"roster_{size}"
    url = servers.migrated_database(server, name)
    with psycopg.connect(url) as connection:
        Population(mentors=size, chapters=1, organisations=1).fill(connection)
    asyncio.run(ensure_schema(url))
    return url


async def _measure(run: Run, server: Server, urls: dict[int, str]) -> Report:
    report = Report(remarks=[f"{servers.version(server)}."])
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        )
        served = {size: stack.enter_context(peerpause(url)) for size, url in urls.items()}
        pages = {size: _Page(session, server_.url) for size, server_ in served.items()}
        run.say("the list …")
        for page in pages.values():
            await page.times(20)
        readings: dict[str, list[float]] = {str(size): [] for size in _SIZES}
        for number in range(7 if run.full else 3):
            for size in _SIZES if number % 2 == 0 else _SIZES[::-1]:
                readings[str(size)].append(percentile(await pages[size].times(60), 0.5))
        small, large = (str(size) for size in _SIZES)
        ratio = Rounds(readings).ratio(large, to=small)
        rows: list[Sequence[object]] = []
        for size, page in pages.items():
            times = await page.times(100)
            rows.append([f"{size:,} mentors", *_figures(times), page.weight, page.compressed])
        run.say(f"{_STREAMS} streams …")
        page = pages[_SIZES[-1]]
        heard = await _followed(session, served[_SIZES[-1]].url, page, rows)
        report.tables.append(
            Table(
                ["", "first byte p50, ms", "first byte p95, ms", "bytes", "of which gzip leaves"],
                rows,
                caption="The list:",
            )
        )
        report.tables.append(
            Table(
                ["", "first", "median", "last"],
                [
                    [
                        "ms from the answer to the pause until a stream tells of it",
                        digits(heard.low),
                        digits(heard.median),
                        digits(heard.high),
                    ]
                ],
                caption=f"{_STREAMS} open streams:",
            )
        )
        report.remarks.append(f"First byte at 100,000 mentors, of that at 1,000: {ratio} ×.")
    return report


class _Page:
    """The list as one coordinator asks for it."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = f"{url}/v1/chapters/{chapter_id(1)}/mentors?limit=50"
        self.weight = self.compressed = 0

    async def times(self, number: int) -> list[float]:
        """Milliseconds to the first byte of so many requests, one after the other."""
        found, body = [], b""
        for _ in range(number):
            began = time.perf_counter()
            async with self._session.get(self._url, headers=_signed_in(coordinator_id(1))) as answer:
                found.append((time.perf_counter() - began) * 1000)
                body = await answer.read()
                verify("mentors on the page", len((await answer.json())["items"]), 50)
        self.weight, self.compressed = len(body), len(gzip.compress(body))
        return found


async def _followed(
    session: aiohttp.ClientSession, url: str, page: _Page, rows: list[Sequence[object]]
) -> Spread:
    """Open the streams, open the list beside them, then pause somebody and see when each stream tells of it."""
    async with AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(
                session.get(
                    f"{url}/v1/events",
                    headers=_signed_in(coordinator_id(1)),
                    timeout=aiohttp.ClientTimeout(sock_read=60),
                )
            )
            for _ in range(_STREAMS)
        ]
        verify("streams open", [stream.status for stream in streams], [200] * _STREAMS)
        times = await page.times(60)
        rows.append(
            [
                f"{_SIZES[-1]:,} mentors, {_STREAMS} streams open",
                *_figures(times),
                page.weight,
                page.compressed,
            ]
        )
        mentor = 7
        listening = [asyncio.create_task(_told_of(stream, mentor_id(mentor))) for stream in streams]
        async with session.post(
            f"{url}/v1/mentors/{mentor_id(mentor)}/pause",
            headers=_signed_in(mentor_user_id(mentor)),
            json={"reason": "travel"},
        ) as answer:
            verify("the pause", answer.status, 200)
        paused_at = time.perf_counter()
        return Spread.of([(at - paused_at) * 1000 for at in await asyncio.gather(*listening)])


async def _told_of(stream: aiohttp.ClientResponse, mentor: UUID) -> float:
    async for line in stream.content:
        if line.startswith(b"data: ") and str(mentor).encode() in line:
            return time.perf_counter()
    raise ConnectionError("the stream ended before it told of the pause")


def _signed_in(person: UUID) -> dict[str, str]:
    token = issue_token(secret=SECRET, sub=person, expires_in=timedelta(days=1))
    return {"Authorization": f"Bearer {token}"}


def _figures(times: Sequence[float]) -> tuple[str, str]:
    return digits(percentile(times, 0.5)), digits(percentile(times, 0.95))


if __name__ == "__main__":
    ask(QUESTION, measure)
