"""Sign-ins under way: what a browser was sent to the provider with, kept here until it comes back, and taken once."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from peerpause.database.session import Service, Sessions

LONGEST: Final = timedelta(minutes=15)
"""How long people may take at the provider: some have to find their phone first."""

_WORD: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sign-in. ``state`` comes back with the browser, ``nonce`` within the provider's token, ``verifier`` never leaves us
    before the provider's code is exchanged. ``next_path`` is where the person was going.
    """

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    next_path: str = "/"


class Attempts:
    """All sign-ins under way."""

    def __init__(self, *, sessions: Sessions) -> None:
        self._sessions = sessions

    async def begin(self, next_path: str) -> tuple[str, Attempt]:
        """Begin one; gives what the browser's cookie shall hold, and what the provider is asked with."""
        word = secrets.token_urlsafe(32)
        attempt = Attempt(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            next_path=next_path,
        )
        parameters = {
            "digest": _digest(word),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "verifier": attempt.verifier,
            "next_path": attempt.next_path,
        }
        await self._sessions.call(Service(), "begin_sign_in", parameters)
        return word, attempt

    async def take(self, word: str | None) -> Attempt | None:
        """The sign-in that this browser began, for the one time; None where there is none, or it took too long."""
        if word is None or not _WORD.fullmatch(word):
            return None
        rows = await self._sessions.call(
            Service(), "take_sign_in", {"digest": _digest(word), "longest": LONGEST}
        )
        return Attempt(**rows[0]) if rows else None


def _digest(word: str) -> bytes:
    return hashlib.sha256(word.encode()).digest()
