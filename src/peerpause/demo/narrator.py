"""How the demo shows what happens, and how it insists on having seen it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from peerpause.database.session import Claims, Sessions
from peerpause.demo.fcm_standin import Arrival


class StoryFailed(Exception):
    """A step did not work; the message says which."""


class Narrator:
    """Writes the story to a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def scene(self, number: int, title: str) -> None:
        """Begin a step."""
        self._console.print(f"\n[bold cyan]{number}.[/] [bold]{escape(title)}[/]")

    def show(self, arrival: Arrival) -> None:
        """Show a push as it arrived on the wire."""
        message = {key: arrival.message[key] for key in ("notification", "data") if key in arrival.message}
        self._console.print(Panel(escape(json.dumps(message, indent=2, ensure_ascii=False)), expand=False))

    async def is_listed(self, sessions: Sessions, cast: Mapping[str, Any]) -> bool:
        """Ask, as a visitor without a token, whether the mentor stands on the public roster of their chapter."""
        roster = await sessions.call(Claims(), "public_roster", {"chapter_id": cast["chapter_id"]})
        return any(row["mentor_id"] == cast["mentor_id"] for row in roster)


def require(seen: bool, promise: str) -> None:
    """End the story where a promise is not kept. Raises ``StoryFailed``."""
    if not seen:
        raise StoryFailed(f"not seen to work: {promise}")


async def until(arrivals: AsyncIterator[Arrival], seconds: float, promise: str) -> AsyncIterator[Arrival]:
    """Pass arrivals on, for so many seconds in all. Raises ``StoryFailed`` when they are over."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        try:
            # Not one time-out around the loop: it would go on counting while the caller has the arrival.
            yield await asyncio.wait_for(anext(arrivals), end - loop.time())
        except TimeoutError:
            raise StoryFailed(f"not seen to work: {promise}") from None
