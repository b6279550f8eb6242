"""What happened to a mentor, for people to read: changes of the status and of the expected return in one line, with the names behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeAlias
from uuid import UUID

from peerpause.database.session import Caller, Sessions, Step
from peerpause.status.records import StatusHistoryEntry, read_entry


@dataclass(frozen=True, slots=True)
class ReturnChange:
    """The expected return was moved while the pause went on; None stands for no day in sight."""

    id: UUID
    previous_return_on: date | None
    expected_return_on: date | None
    changed_by: UUID | None
    changed_at: datetime


TimelineEntry: TypeAlias = StatusHistoryEntry | ReturnChange


@dataclass(frozen=True, slots=True)
class Timeline:
    """Some of it, newest first. ``names`` has those who changed something and are in the directory; ``next`` leads on to older
    entries, None where there are none.
    """

    entries: tuple[TimelineEntry, ...]
    names: Mapping[UUID, str] = field(repr=False)
    next: datetime | None


async def read_timeline(
    sessions: Sessions, caller: Caller, mentor_id: UUID, *, limit: int = 50, before: datetime | None = None
) -> Timeline:
    """At most ``limit`` entries (1 to 500) from before a moment; page on with ``next``.

    For those who may change the mentor. Raises MentorNotFound, PermissionDenied, InvalidArgument, Unavailable.
    """
    asked = {"mentor_id": mentor_id, "limit": limit, "before": before}
    history, returns, actors = await sessions.call_all(
        caller,
        Step("read_mentor_history", asked),
        Step("read_return_changes", asked),
        Step("read_mentor_actors", {"mentor_id": mentor_id}),
    )
    found: list[TimelineEntry] = [*map(read_entry, history), *map(_return_change, returns)]
    found.sort(key=lambda entry: entry.changed_at, reverse=True)
    is_last = len(found) <= limit and len(history) < limit and len(returns) < limit
    entries = tuple(found[:limit])
    return Timeline(
        entries=entries,
        names={row["user_id"]: row["display_name"] for row in actors},
        next=None if is_last or not entries else entries[-1].changed_at,
    )


def _return_change(row: Mapping[str, Any]) -> ReturnChange:
    return ReturnChange(
        id=row["id"],
        previous_return_on=row["previous_return_on"],
        expected_return_on=row["expected_return_on"],
        changed_by=row["changed_by"],
        changed_at=row["changed_at"],
    )
