"""SQLSTATE to our errors, in one table, for whatever way the refusal came: the driver, or JSON from PostgREST.

Only what our own functions say is passed on. The server's own sentences may quote data, so they are replaced by ours.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from peerpause.errors import (
    AlreadyActive,
    AlreadyPaused,
    CertificationExpired,
    DatabaseFault,
    IdempotencyKeyReused,
    InvalidArgument,
    InvalidTransition,
    MentorNotFound,
    PeerPauseError,
    PermissionDenied,
    Unavailable,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a server said. ``raised`` tells that a function of ours said it in its own words."""

    sqlstate: str | None
    message: str | None = None
    detail: str | None = None
    hint: str | None = None
    raised: bool = True


def to_error(refusal: Refusal) -> PeerPauseError:
    """The error that a refusal stands for; DatabaseFault for a SQLSTATE we have no word for."""
    sqlstate = refusal.sqlstate or ""
    make = _BY_STATE.get(sqlstate) or _BY_CLASS.get(sqlstate[:2]) or _fault
    return make(refusal)


@contextmanager
def refusals_translated() -> Iterator[None]:
    """Whatever the driver raises inside comes out as one of our errors, without the driver's text."""
    try:
        yield
    except psycopg.Error as error:
        raise from_driver(error) from None


def from_driver(error: psycopg.Error) -> PeerPauseError:
    """The error that the driver's error stands for."""
    if error.sqlstate is None:
        return _without_state(error)
    translated = to_error(_refusal(error))
    if isinstance(translated, DatabaseFault):
        places = {"table": error.diag.table_name, "constraint": error.diag.constraint_name}
        translated.detail = {**translated.detail, **{key: value for key, value in places.items() if value}}
    return translated


def _refusal(error: psycopg.Error) -> Refusal:
    diagnosis = error.diag
    return Refusal(
        sqlstate=error.sqlstate,
        message=diagnosis.message_primary,
        detail=diagnosis.message_detail,
        hint=diagnosis.message_hint,
        # PL/pgSQL's `raise` leaves the name of the C function that carries it out.
        raised=diagnosis.source_function == "exec_stmt_raise",
    )


def refusal_behind(error: PeerPauseError) -> Refusal | None:
    """What the server said when the driver's error was translated into this one; None where no server was asked."""
    said = error.__context__
    if not isinstance(said, psycopg.Error) or said.sqlstate is None:
        return None
    return _refusal(said)


def _without_state(error: psycopg.Error) -> PeerPauseError:
    """The driver's own words, before the server was asked or after it fell silent."""
    if isinstance(error, psycopg.OperationalError):
        return _away()
    if isinstance(error, psycopg.DataError):
        return InvalidArgument(
            "A value cannot be stored: text may not hold the character NUL, and numbers and dates have limits.",
            hint="Check the values and send them again.",
        )
    return DatabaseFault(
        f"The database was asked in a way it does not know ({type(error).__name__}).",
        hint="This is a defect of the program; please report it.",
    )


def _transition(refusal: Refusal) -> PeerPauseError:
    if refusal.hint == "certification_expired":
        return CertificationExpired(
            refusal.message or "The required certificate has expired.",
            detail=_facts(refusal.detail),
            hint=refusal.hint,
        )
    facts = _facts(refusal.detail)
    if not {"from", "to", "allowed"} <= facts.keys():
        return _fault(refusal)
    kind = _STAYING_PUT.get((facts["from"], facts["to"]), InvalidTransition)
    return kind(refusal.message or "There is no such move.", detail=facts, hint=refusal.hint)


def _in_its_own_words(
    kind: type[PeerPauseError], otherwise: str, hint: str
) -> Callable[[Refusal], PeerPauseError]:
    def make(refusal: Refusal) -> PeerPauseError:
        if refusal.raised and refusal.message:
            return kind(refusal.message, hint=refusal.hint or hint)
        return kind(otherwise, hint=hint)

    return make


def _argument(refusal: Refusal) -> PeerPauseError:
    kind = IdempotencyKeyReused if refusal.raised and refusal.message == _KEY_REUSED else InvalidArgument
    error = _in_its_own_words(
        kind, "A value is not one of those allowed.", "Check the values and send them again."
    )(refusal)
    if refusal.raised and isinstance(error, InvalidArgument):
        error.field = _field(refusal.message or "")
    return error


def _field(message: str) -> str | None:
    return next((name for name, words in ARGUMENTS.items() if message.startswith(words)), None)


def _unreadable(_refusal: Refusal) -> PeerPauseError:
    return InvalidArgument(
        "A value cannot be read as the number, date, time or identifier it should be.",
        hint="Check the values and send them again.",
    )


def _busy(_refusal: Refusal) -> PeerPauseError:
    return Unavailable(
        "Somebody else is changing the same rows; nothing was changed.", hint="Try again in a moment."
    )


def _away(_refusal: Refusal | None = None) -> PeerPauseError:
    return Unavailable("The database cannot be reached just now.", hint="Try again in a moment.")


def _fault(refusal: Refusal) -> PeerPauseError:
    return DatabaseFault(
        f"The database refused unexpectedly (SQLSTATE {refusal.sqlstate or 'unknown'}).",
        detail={"sqlstate": refusal.sqlstate},
        hint="This is a defect of the program or of the database's set-up; please report it.",
    )


def _facts(detail: str | None) -> Mapping[str, Any]:
    try:
        facts = json.loads(detail or "")
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


# What the function first_answer says; a test holds the two together.
_KEY_REUSED: Final = "this idempotency key was used for another request"

ARGUMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "reason": (
        "a reason is required", "unknown reason", "the reason ", "a pause needs a reason", "a deactivation needs a reason",
    ),
    "note": ("the note is longer",),
    "pause_at": ("p_pause_at lies in the past", "pause_at lies in the"),
    "expected_return_on": ("the expected return date lies",),
    "status": ("unknown status",),
    "sort": ("unknown order",),
    "limit": ("a page has 1 to 500 rows",),
    "platform": ("unknown platform",),
    "kind": ("unknown kind of device token",),
    "token": ("this is not a device token",),
    "language": ("unknown language",),
    "time_zone": ("unknown time zone",),
    "quiet_until": ("quiet hours have a beginning",),
    "push_enabled": ("it is not said whether pushes",),
    "chapter_ids": ("no such chapter",),
    "issued_on": ("a certificate is issued today",),
    "expires_on": ("the certificate would have run out",),
    "justification": ("an override needs a justification",),
    "valid_until": ("an override ends on a day",),
    "url": ("this is not the https address",),
    "presentation": ("the presentation ",),
    "public_contact": ("the contact is neither",),
    "languages": ("the languages are not",),
    "listed": ("it is not said whether the mentor",),
    "header.Idempotency-Key": ("an idempotency key has", "this idempotency key"),
}  # fmt: skip
"""Which argument our functions mean when they refuse one (22023), by how the sentence begins; a test holds the two together."""

_STAYING_PUT: Final[Mapping[tuple[object, object], type[PeerPauseError]]] = {
    ("paused", "paused"): AlreadyPaused,
    ("active", "active"): AlreadyActive,
}

_BY_STATE: Final[Mapping[str, Callable[[Refusal], PeerPauseError]]] = {
    "P0001": _transition,
    "PT404": _in_its_own_words(MentorNotFound, "There is no such mentor.", "Check the mentor id."),
    "42501": _in_its_own_words(
        PermissionDenied, "You may not do this.", "Ask an admin of the organisation for the role it takes."
    ),
    "22023": _argument,
    "22001": _unreadable,  # text too long
    "22003": _unreadable,  # number out of range
    "22007": _unreadable,  # not a date or time
    "22008": _unreadable,  # date or time out of range
    "22021": _unreadable,  # not in the character set
    "22P02": _unreadable,  # not a uuid, number or word of an enum
    "22P05": _unreadable,  # a character that cannot be stored
    "40001": _busy,  # serialization failure
    "40P01": _busy,  # deadlock
    "55P03": _busy,  # waited too long for a lock
    "57014": _busy,  # cancelled, or the statement took too long
    "25P02": _fault,
    "25P03": _away,  # idle in a transaction for too long
    "25P04": _away,  # the transaction took too long
    "25006": _away,  # a replica, after a failover
    "57P01": _away,  # the server is shutting down
    "57P02": _away,  # … or has crashed
    "57P03": _away,  # … or is starting
    "57P05": _away,  # the session was idle for too long
}

_BY_CLASS: Final[Mapping[str, Callable[[Refusal], PeerPauseError]]] = {
    "08": _away,  # the connection
    "53": _away,  # too many connections, memory or disk full
}
