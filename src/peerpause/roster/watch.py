"""Finds what changed on public rosters, whatever changed it, and writes down whom to tell.

The roster is compared with what webhooks were told last, in the database and in one transaction: so no path to a change can be
forgotten, a lapse at midnight needs no job, and a crash loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from peerpause.database.session import Service, Sessions, Step

LOOK_EVERY: Final = 15.0
"""Seconds between two looks at one organisation: a change reaches its website well within a minute."""

_ORGANISATIONS_AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True)
class Findings:
    """What one look found: counts."""

    organisations: int
    changes: int
    deliveries: int


class RosterWatch:
    """Looks at the rosters of organisations that have webhooks. Any number of them may work on one database."""

    def __init__(self, *, sessions: Sessions) -> None:
        self._sessions = sessions

    async def look(self, *, rest: float = LOOK_EVERY - 1) -> Findings:
        """Look at the organisations nobody has looked at for ``rest`` seconds, some at a time. Raises Unavailable."""
        _, (row,) = await self._sessions.call_all(
            Service(),
            Step("begin_roster_look", {"rest": rest, "at_most": _ORGANISATIONS_AT_ONCE}),
            Step("announce_roster_changes"),
        )
        return Findings(**row)
