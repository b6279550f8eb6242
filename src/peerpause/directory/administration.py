"""An organisation as its admins look after it: what needs attention, its settings, its chapters and who coordinates them.

The database decides what the caller may do; an organisation that is not theirs is refused in the same words as one that is not there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from peerpause.database.session import Caller, Sessions
from peerpause.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class Attention:
    """What waits for an admin. Times are aware; ``incidents`` are the watchdog's codes and since when each holds."""

    chapters_without_coordinator: int
    failed_deliveries: int
    webhooks_gone: int
    mentors_without_account: int
    incidents: tuple[tuple[str, datetime], ...]
    last_check_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrganisationSettings:
    """The settings by their names, and the latest change of them: what to hand back with the next one."""

    values: Mapping[str, Any]
    change_id: UUID | None


@dataclass(frozen=True, slots=True)
class OrganisationChange:
    """One thing an admin changed. ``before`` and ``after`` are set for settings, the others for coordinators' roles."""

    id: UUID
    kind: str
    changed_at: datetime
    changed_by: UUID | None
    changed_by_name: str | None = field(repr=False)
    before: Mapping[str, Any] | None = field(repr=False)
    after: Mapping[str, Any] | None = field(repr=False)
    chapter_name: str | None
    person_name: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Coordinator:
    """Who coordinates a chapter. ``name`` is None for somebody who is not in the directory."""

    user_id: UUID
    name: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class AdministeredChapter:
    """A chapter with its mentors counted and its coordinators."""

    chapter_id: UUID
    name: str
    active: int
    paused: int
    coordinators: tuple[Coordinator, ...]


@dataclass(frozen=True, slots=True)
class OrganisationPerson:
    """Somebody with a part in the organisation."""

    user_id: UUID
    display_name: str = field(repr=False)
    email: str | None = field(repr=False)
    is_mentor: bool
    is_coordinator: bool
    is_admin: bool


class Administration:
    """What one caller does with one organisation. Everything raises ``PermissionDenied`` where it is not theirs."""

    def __init__(self, *, sessions: Sessions, caller: Caller, organisation_id: UUID) -> None:
        self._sessions = sessions
        self._caller = caller
        self._id = organisation_id

    async def attention(self) -> Attention:
        """What waits for an admin now."""
        (row,) = await self._ask("admin_attention")
        incidents = tuple(
            (each["code"], datetime.fromisoformat(each["opened_at"])) for each in row["incidents"]
        )
        return Attention(**{**row, "incidents": incidents})

    async def settings(self) -> OrganisationSettings:
        """The settings as they are. Raises ``NotFound`` for an organisation the caller may not see."""
        (row,) = await self._ask("organisation_settings")
        if row["settings"] is None:
            raise NotFound("There is no such organisation.", hint="Check the organisation's id.")
        return OrganisationSettings(row["settings"], row["change_id"])

    async def change_settings(
        self, values: Mapping[str, Any], *, seen_change: UUID | None
    ) -> OrganisationSettings:
        """Change these settings and leave the others.

        Raises ``Conflict`` where somebody else was faster, ``InvalidArgument`` for a value that cannot be kept.
        """
        rows = await self._ask(
            "change_organisation_settings", settings=json.dumps(values), seen_change=seen_change
        )
        if not rows:
            raise Conflict("Somebody else changed the settings meanwhile.", hint="Read them anew.")
        return OrganisationSettings(rows[0]["settings"], rows[0]["change_id"])

    async def changes(self, *, limit: int = 20) -> Sequence[OrganisationChange]:
        """The latest changes, the newest first."""
        return [OrganisationChange(**row) for row in await self._ask("organisation_changes", limit=limit)]

    async def chapters(self) -> Sequence[AdministeredChapter]:
        """All chapters by name."""
        return [_chapter(row) for row in await self._ask("admin_chapters", chapter_id=None)]

    async def chapter(self, chapter_id: UUID) -> AdministeredChapter:
        """One of the chapters. Raises ``NotFound``."""
        for row in await self._ask("admin_chapters", chapter_id=chapter_id):
            return _chapter(row)
        raise NotFound("There is no such chapter in this organisation.", hint="Look at the list of chapters.")

    async def people(self, search: str | None = None, *, limit: int = 50) -> Sequence[OrganisationPerson]:
        """The people of the organisation by name: all, or those whose name or address contains ``search``."""
        rows = await self._ask(
            "list_people_of_organisation", search=search, limit=limit, after_name=None, after_id=None
        )
        return [OrganisationPerson(**row) for row in rows]

    async def give_role(self, chapter_id: UUID, user_id: UUID) -> bool:
        """Let somebody coordinate a chapter; whether they did not before."""
        (row,) = await self._ask("give_coordinator_role", chapter_id=chapter_id, user_id=user_id)
        return bool(row["changed"])

    async def take_role(self, chapter_id: UUID, user_id: UUID) -> bool:
        """End somebody's coordinating of a chapter at once; whether they did until now."""
        (row,) = await self._ask("take_coordinator_role", chapter_id=chapter_id, user_id=user_id)
        return bool(row["changed"])

    async def _ask(self, query: str, **parameters: object) -> Sequence[Mapping[str, Any]]:
        return await self._sessions.call(self._caller, query, {"organisation_id": self._id, **parameters})


def _chapter(row: Mapping[str, Any]) -> AdministeredChapter:
    coordinators = tuple(Coordinator(UUID(each["user_id"]), each["name"]) for each in row["coordinators"])
    return AdministeredChapter(**{**row, "coordinators": coordinators})
