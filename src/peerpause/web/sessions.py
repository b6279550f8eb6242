"""Who is signed in to the web pages: one session a browser, kept in the database, ended at once for whoever asks.

The browser holds a random word and nothing else; the database holds its SHA-256, so that neither a backup nor a reader of the
table can be anybody.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from peerpause.database.session import Service, Sessions
from peerpause.errors import PermissionDenied

IDLE: Final = timedelta(hours=2)
"""How long a session lasts without being used."""

LONGEST: Final = timedelta(hours=12)
"""How long a session lasts at most, however much it is used."""

_WORD_BYTES: Final = 32
_WORD: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class WebSession:
    """One browser in which a person is signed in.

    ``issuer`` is who said who they are, None where nobody outside did. ``csrf`` is what the forms of this session carry. Times
    are aware; ``last_seen_at`` is right to the minute.
    """

    session_id: UUID
    user_id: UUID
    csrf: str = field(repr=False)
    issuer: str | None
    created_at: datetime
    expires_at: datetime
    last_seen_at: datetime


class WebSessions:
    """All sessions there are. What a cookie holds leaves this class once, from ``begin``, and is never kept."""

    def __init__(self, *, sessions: Sessions) -> None:
        self._sessions = sessions

    async def begin(self, user_id: UUID, issuer: str | None) -> tuple[str, WebSession]:
        """Sign a person in; gives what their cookie shall hold, and the session.

        Raises PermissionDenied for somebody who is not in the directory.
        """
        word = secrets.token_urlsafe(_WORD_BYTES)
        parameters = {
            "digest": _digest(word),
            "user_id": user_id,
            "issuer": issuer,
            "csrf": secrets.token_urlsafe(_WORD_BYTES),
            "idle": IDLE,
        }
        rows = await self._sessions.call(Service(), "begin_web_session", parameters)
        if not rows:
            raise PermissionDenied(
                "You are not in the directory of PeerPause.",
                hint="Ask your coordinator or an admin of your organisation to add you.",
            )
        return word, _session(rows[0])

    async def find(self, cookie_value: str) -> WebSession | None:
        """The session a cookie stands for; None where it has ended, has expired, never was, or its person is gone."""
        if not _WORD.fullmatch(cookie_value):
            return None
        parameters = {"digest": _digest(cookie_value), "idle": IDLE, "longest": LONGEST}
        rows = await self._sessions.call(Service(), "find_web_session", parameters)
        return _session(rows[0]) if rows else None

    async def end(self, session_id: UUID, *, of: UUID | None = None) -> bool:
        """End a session at once; ``of`` names the person it must belong to. Whether there was one to end."""
        parameters = {"session_id": session_id, "user_id": of}
        return bool(await self._sessions.call(Service(), "end_web_session", parameters))

    async def end_all(self, user_id: UUID) -> int:
        """End all sessions of a person at once; how many there were."""
        return len(await self._sessions.call(Service(), "end_web_sessions_of", {"user_id": user_id}))

    async def list(self, user_id: UUID) -> Sequence[WebSession]:
        """The sessions of a person that count now, the last used first."""
        rows = await self._sessions.call(Service(), "list_web_sessions", {"user_id": user_id})
        return [_session(row) for row in rows]


def _digest(word: str) -> bytes:
    return hashlib.sha256(word.encode()).digest()


def _session(row: dict[str, Any]) -> WebSession:
    return WebSession(**row)
