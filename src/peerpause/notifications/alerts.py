"""What an admin's inbox holds of the watchdog: an alert when something is wrong, and the all-clear. Pure; about no one person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from peerpause.notifications.texts import InboxText

ALERT_EVENTS: Final = frozenset({"watchdog_alert", "watchdog_clear"})
"""The inbox entries whose payload is an ``AlertPayload``; all others carry a ``NotificationPayload``."""


@dataclass(frozen=True, slots=True)
class AlertPayload:
    """A problem the watchdog saw in one organisation. Times are aware; ``cleared_at`` is ``None`` while it lasts.

    ``mentors`` counts who is active without a valid certificate, where that is the problem.
    """

    event: Literal["watchdog_alert", "watchdog_clear"]
    code: str
    organisation_id: UUID
    incident_id: UUID
    opened_at: datetime
    cleared_at: datetime | None
    mentors: int | None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> AlertPayload:
        """Read what the database keeps in the inbox.

        Raises ``ValueError`` for another event and for a problem without words, ``KeyError`` for a missing key.
        """
        if data["event"] not in ALERT_EVENTS or data["code"] not in _PROBLEMS["en"]:
            raise ValueError("event or code: not the watchdog's")
        cleared_at = data["cleared_at"]
        return cls(
            event=data["event"],
            code=data["code"],
            organisation_id=UUID(data["organisation_id"]),
            incident_id=UUID(data["incident_id"]),
            opened_at=datetime.fromisoformat(data["opened_at"]),
            cleared_at=None if cleared_at is None else datetime.fromisoformat(cleared_at),
            mentors=data["mentors"],
        )


def alert_text(payload: AlertPayload, language: str | None) -> InboxText:
    """Word an alert or an all-clear for the inbox; bokmål for a language we do not speak."""
    spoken = (language or "").replace("_", "-").split("-", 1)[0].lower()
    spoken = spoken if spoken in _PROBLEMS else "nb"
    problem, what_to_do = _PROBLEMS[spoken][payload.code]
    title = problem.format(mentors=payload.mentors)
    if payload.event == "watchdog_clear":
        return InboxText(f"{_OVER[spoken]}: {title}", _NOTHING_TO_DO[spoken])
    return InboxText(title, what_to_do)


_OVER: Final[Mapping[str, str]] = {"nb": "I orden igjen", "nn": "I orden att", "en": "Fine again"}
_NOTHING_TO_DO: Final[Mapping[str, str]] = {
    "nb": "Du trenger ikke gjøre noe.",
    "nn": "Du treng ikkje gjere noko.",
    "en": "There is nothing for you to do.",
}
_PROBLEMS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "nb": {
        "expired_but_active": (
            "Aktive uten gyldig sertifisering: {mentors}",
            "De vises ikke på nettsiden, men er ikke satt på pause. Kjør sertifiseringskontrollen for hånd.",
        ),
        "run_missing": (
            "Nattens sertifiseringskontroll har ikke gått",
            "Kjør kontrollen for hånd, og be den som drifter systemet om å se på tidsplanen.",
        ),
        "run_failed": (
            "Sertifiseringskontrollen stoppet med en feil",
            "Kjør kontrollen igjen; den fortsetter der den stoppet.",
        ),
        "run_stuck": (
            "Sertifiseringskontrollen blir ikke ferdig",
            "Kjør kontrollen igjen; den tar over etter en som har stanset.",
        ),
        "outbox_stuck": (
            "Varsler blir ikke sendt ut",
            "Be den som drifter systemet om å se om bakgrunnsjobben går.",
        ),
    },
    "nn": {
        "expired_but_active": (
            "Aktive utan gyldig sertifisering: {mentors}",
            "Dei blir ikkje viste på nettsida, men er ikkje sette på pause. Køyr sertifiseringskontrollen for hand.",
        ),
        "run_missing": (
            "Sertifiseringskontrollen i natt har ikkje gått",
            "Køyr kontrollen for hand, og be den som driftar systemet om å sjå på tidsplanen.",
        ),
        "run_failed": (
            "Sertifiseringskontrollen stoppa med ein feil",
            "Køyr kontrollen igjen; han held fram der han stoppa.",
        ),
        "run_stuck": (
            "Sertifiseringskontrollen blir ikkje ferdig",
            "Køyr kontrollen igjen; han tek over etter ein som har stansa.",
        ),
        "outbox_stuck": (
            "Varsel blir ikkje sende ut",
            "Be den som driftar systemet om å sjå om bakgrunnsjobben går.",
        ),
    },
    "en": {
        "expired_but_active": (
            "Active without a valid certificate: {mentors}",
            "They are not shown on the web page, but they have not been paused. Run the certificate check by hand.",
        ),
        "run_missing": (
            "Last night’s certificate check did not run",
            "Run the check by hand, and ask whoever operates the system to look at the schedule.",
        ),
        "run_failed": (
            "The certificate check stopped with an error",
            "Run the check again; it goes on where it stopped.",
        ),
        "run_stuck": (
            "The certificate check does not finish",
            "Run the check again; it takes over from one that has died.",
        ),
        "outbox_stuck": (
            "Notices are not going out",
            "Ask whoever operates the system to see whether the worker is running.",
        ),
    },
}
