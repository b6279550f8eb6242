"""How a person wants to be told, and on which devices: theirs to read and to change, nobody else's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time

from peerpause.database.session import Claims, Sessions, Step
from peerpause.errors import NotFound


@dataclass(frozen=True, slots=True)
class Preferences:
    """How a person wants to be told. ``language`` and ``time_zone`` None mean the organisation's; the quiet hours are times of day
    in that zone, both or none, and may span midnight.
    """

    push_enabled: bool = True
    email_preferred: bool = False
    language: str | None = None
    time_zone: str | None = None
    quiet_from: time | None = None
    quiet_until: time | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A device that gets the person's pushes. ``device_id`` stands for its token; a retired one gets none any more."""

    device_id: str
    platform: str
    registered_at: datetime
    last_seen_at: datetime
    is_retired: bool


@dataclass(frozen=True, slots=True)
class OwnSettings:
    """What the page of settings shows. ``preferences`` is None for somebody who is not in the directory."""

    preferences: Preferences | None
    email: str | None = field(repr=False)
    devices: tuple[Device, ...]


class OwnPreferences:
    """The settings of one person."""

    def __init__(self, *, sessions: Sessions, caller: Claims) -> None:
        self._sessions = sessions
        self._caller = caller

    async def read(self) -> OwnSettings:
        """As they are. Raises Unavailable."""
        people, devices = await self._sessions.call_all(
            self._caller, Step("read_preferences"), Step("read_own_devices")
        )
        email = None
        preferences = None
        if people:
            kept = dict(people[0])
            email = kept.pop("email")
            preferences = Preferences(**kept)
        return OwnSettings(preferences, email, tuple(Device(**row) for row in devices))

    async def save(self, wanted: Preferences) -> Preferences:
        """From now on; gives them as they are kept. Raises InvalidArgument, MentorNotFound for somebody not in the directory."""
        (row,) = await self._sessions.call(
            self._caller,
            "set_preferences",
            {
                "push_enabled": wanted.push_enabled,
                "email_preferred": wanted.email_preferred,
                "language": wanted.language,
                "time_zone": wanted.time_zone,
                "quiet_from": wanted.quiet_from,
                "quiet_until": wanted.quiet_until,
            },
        )
        return Preferences(**row)

    async def release(self, device_id: str) -> None:
        """The device gets no more pushes of theirs. Raises NotFound for one that is not theirs."""
        if not await self._sessions.call(self._caller, "release_own_device", {"device_id": device_id}):
            raise NotFound("There is no such device among yours.", hint="Load the settings again.")
