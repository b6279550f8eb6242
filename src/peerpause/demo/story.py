"""The story the demo plays: every step is done for real, shown, and checked. A step that cannot be seen to work ends it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Mapping
from datetime import date, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from peerpause.database.session import Claims, Service
from peerpause.demo.fcm_standin import Arrival
from peerpause.demo.narrator import Narrator, StoryFailed, require, until
from peerpause.demo.stage import Stage
from peerpause.errors import AlreadyPaused, PeerPauseError, PermissionDenied
from peerpause.notifications.recipients import resolve_coordinators_for_mentor
from peerpause.status.service import MentorStatusService

_PATIENCE: Final = 60.0
_NOTE: Final = "Hospital stay: nobody but my coordinators needs to know."

ErrorT = TypeVar("ErrorT", bound=PeerPauseError)


class Story:
    """A mentor pauses, the coordinators hear of it, a stranger is refused, a coordinator brings the mentor back."""

    def __init__(self, stage: Stage, *, console: Console) -> None:
        self._services = stage.services
        self._standin = stage.standin
        self._console = console
        self._narrator = Narrator(console)

    async def play(self) -> None:
        """Play all of it.

        1. a mentor of several chapters pauses, with a reason, a return date and a private note;
        2. every coordinator's phone gets the push, once, and it does not hold the note;
        3. the coordinator's inbox and the history show the change; the public roster no longer lists the mentor;
        4. a second pause is refused, and so is a coordinator of another chapter;
        5. a coordinator reactivates the mentor; the mentor's phone and the roster show it.

        Raises ``StoryFailed`` at the first step that does not do what it should.
        """
        cast = await self._cast()
        arrivals = self._standin.on_arrival()
        await self._pause(cast)
        await self._pushes_arrive(cast, arrivals)
        await self._records(cast)
        await self._refusals(cast)
        await self._return(cast, arrivals)

    async def _cast(self) -> Mapping[str, Any]:
        rows = await self._services.sessions.call(Service(), "demo_cast")
        require(bool(rows), "the example organisations hold nobody to play the parts; start with --fresh")
        cast = rows[0]
        table = Table(title="Who is who", show_header=False, title_justify="left")
        table.add_row("mentor", cast["mentor_name"])
        table.add_row("coordinates the mentor's chapter", cast["coordinator_name"])
        table.add_row("coordinates another chapter", cast["stranger_name"])
        table.add_row("organisation", cast["organisation_name"])
        self._console.print(table)
        return cast

    async def _pause(self, cast: Mapping[str, Any]) -> None:
        self._narrator.scene(1, f"{cast['mentor_first_name']} needs a break and pauses.")
        require(await self._is_listed(cast), "the mentor is on the public roster before the pause")
        record = await self._as(cast["mentor_user_id"]).pause_mentor(
            cast["mentor_id"],
            "self_pause",
            expected_return_on=date.today() + timedelta(days=30),
            note=_NOTE,
            idempotency_key=str(uuid4()),
        )
        require(record.status == "paused", "the mentor is paused")
        self._console.print(
            f"  status [bold]{record.status}[/] since {record.changed_at:%Y-%m-%d %H:%M:%S} UTC, "
            f"expected back {record.expected_return_on}"
        )

    async def _pushes_arrive(self, cast: Mapping[str, Any], arrivals: AsyncIterator[Arrival]) -> None:
        coordinators = await resolve_coordinators_for_mentor(self._services.sessions, cast["mentor_id"])
        expected = {device.token for each in coordinators for device in each.devices}
        self._narrator.scene(2, f"The phones of {len(expected)} coordinators, as it arrived on the wire:")
        seen = await self._wait_for(expected, arrivals)
        text = json.dumps([arrival.message for arrival in seen], ensure_ascii=False)
        require(_NOTE not in text, "no push holds the note")
        require(cast["mentor_name"] not in text, "no push holds the full name")
        self._narrator.show(seen[0])
        self._console.print(f"  … and {len(seen) - 1} more like it, one to each coordinator.")

    async def _records(self, cast: Mapping[str, Any]) -> None:
        self._narrator.scene(3, "What is on record, as the coordinator sees it:")
        inbox = await self._services.sessions.call(
            Claims(cast["coordinator_id"]), "inbox", {"limit": 1, "before": None}
        )
        require(
            bool(inbox) and inbox[0]["payload"]["mentor_id"] == str(cast["mentor_id"]),
            "the coordinator's inbox has the entry",
        )
        await self._history(cast)
        require(not await self._is_listed(cast), "a paused mentor is off the public roster")
        self._console.print("  The public page of the chapter no longer lists the mentor.")

    async def _refusals(self, cast: Mapping[str, Any]) -> None:
        self._narrator.scene(4, "What the database refuses:")
        again = self._as(cast["mentor_user_id"]).pause_mentor(cast["mentor_id"], "self_pause")
        error: PeerPauseError = await _refused(again, AlreadyPaused, "a second pause is refused")
        self._console.print(f"  pausing again      → [yellow]{error.code}[/]: {escape(_words(error))}")
        foreign = self._as(cast["stranger_id"]).reactivate_mentor(cast["mentor_id"])
        error = await _refused(foreign, PermissionDenied, "another chapter's coordinator is refused")
        self._console.print(f"  a stranger's try   → [yellow]{error.code}[/]: {escape(_words(error))}")

    async def _return(self, cast: Mapping[str, Any], arrivals: AsyncIterator[Arrival]) -> None:
        self._narrator.scene(5, f"{cast['coordinator_name']} reactivates {cast['mentor_first_name']}.")
        record = await self._as(cast["coordinator_id"]).reactivate_mentor(cast["mentor_id"])
        require(record.status == "active", "the mentor is active again")
        (arrival,) = await self._wait_for({f"demo-phone-{cast['mentor_user_id']}"}, arrivals)
        self._narrator.show(arrival)
        await self._history(cast)
        require(await self._is_listed(cast), "an active mentor is back on the public roster")
        self._console.print("  The public page lists the mentor again.")

    async def _history(self, cast: Mapping[str, Any]) -> None:
        entries = await self._as(cast["coordinator_id"]).history(cast["mentor_id"], limit=5)
        require(len(entries) >= 2, "the history has the change")
        names = {
            cast["mentor_user_id"]: cast["mentor_name"],
            cast["coordinator_id"]: cast["coordinator_name"],
        }
        table = Table("when (UTC)", "from", "to", "who", "reason", title="History", title_justify="left")
        for entry in entries:
            who = "the system" if entry.changed_by is None else names.get(entry.changed_by, "somebody else")
            table.add_row(
                f"{entry.changed_at:%Y-%m-%d %H:%M:%S}",
                entry.previous_status or "–",
                entry.new_status,
                who,
                entry.reason or "–",
            )
        self._console.print(table)

    def _as(self, user_id: UUID) -> MentorStatusService:
        return self._services.status(Claims(user_id))

    async def _is_listed(self, cast: Mapping[str, Any]) -> bool:
        return await self._narrator.is_listed(self._services.sessions, cast)

    async def _wait_for(self, targets: set[str], arrivals: AsyncIterator[Arrival]) -> list[Arrival]:
        """Collect the accepted push to each of these devices."""
        seen: dict[str, Arrival] = {}
        async for arrival in until(arrivals, _PATIENCE, f"the push to {len(targets)} phones arrives"):
            if not arrival.accepted:
                self._console.print(f"  [dim](a push failed: {escape(arrival.outcome)}; tried again)[/]")
            elif arrival.target in targets:
                require(arrival.target not in seen, "each phone gets the push once")
                seen[arrival.target] = arrival
            if targets <= seen.keys():
                break
        return list(seen.values())


async def _refused(attempt: Awaitable[object], kind: type[ErrorT], promise: str) -> ErrorT:
    try:
        await attempt
    except kind as error:
        return error
    except PeerPauseError as error:
        raise StoryFailed(f"not seen to work: {promise} (got {error.code})") from error
    raise StoryFailed(f"not seen to work: {promise}")


def _words(error: PeerPauseError) -> str:
    return ". ".join(filter(None, [error.message.rstrip("."), error.hint]))
