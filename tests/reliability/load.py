"""People who change statuses while things break, and a ledger of what they were answered.

Each change has a key, and whoever hears nothing, or that the database is away, sends it again with the same key, as a patient app does.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import httpx

from tests.api.serving import token
from tests.cast import Mentor, Person

_PATIENCE = 90.0


@dataclass(slots=True)
class Ledger:
    """How many changes of each mentor were acknowledged, and how often a request had to be sent again."""

    acknowledged: Counter[UUID] = field(default_factory=Counter)
    repeated: int = 0

    @property
    def count(self) -> int:
        return self.acknowledged.total()


@asynccontextmanager
async def load(
    url: str, admin: Person, mentors: Sequence[Mentor], *, at_once: int = 6
) -> AsyncIterator[Ledger]:
    """Pause and bring back mentors, each by one person at a time, for as long as the block lasts; then until each change was answered."""
    ledger, stop = Ledger(), asyncio.Event()
    headers = {"Authorization": f"Bearer {token(admin)}", "Connection": "close"}
    async with (
        httpx.AsyncClient(base_url=url, headers=headers, timeout=15) as client,
        asyncio.TaskGroup() as people,
    ):
        for number in range(at_once):
            people.create_task(_toggle(client, mentors[number::at_once], ledger, stop))
        try:
            yield ledger
        finally:
            stop.set()


async def acknowledged(ledger: Ledger, *, more: int) -> None:
    """Wait until so many more changes were answered."""
    goal = ledger.count + more
    async with asyncio.timeout(_PATIENCE):
        while ledger.count < goal:  # noqa: ASYNC110  a counter tells nobody
            await asyncio.sleep(0.02)


async def _toggle(
    client: httpx.AsyncClient, mentors: Sequence[Mentor], ledger: Ledger, stop: asyncio.Event
) -> None:
    move = "pause"
    while True:
        for mentor in mentors:
            if stop.is_set():
                return
            await _change(client, mentor, move, ledger)
        move = "reactivate" if move == "pause" else "pause"


async def _change(client: httpx.AsyncClient, mentor: Mentor, move: str, ledger: Ledger) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    body = {"reason": "travel"} if move == "pause" else {}
    async with asyncio.timeout(_PATIENCE):
        while True:
            try:
                answer = await client.post(f"/v1/mentors/{mentor.mentor_id}/{move}", json=body, headers=key)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == 200:
                ledger.acknowledged[mentor.mentor_id] += 1
                return
            assert answer is None or answer.status_code == 503, answer.text
            ledger.repeated += 1
            await asyncio.sleep(0.1)
