"""Every way PeerPause can refuse, in one tree.

Each kind carries a stable ``code`` that programs may rely on, the HTTP status a face answers with, and a sentence for the
person in front of the screen. The sentence says what happened and what to do next; it never holds a name, a note or a token.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class PeerPauseError(Exception):
    """Anything this package raises on purpose.

    ``detail`` holds machine-readable facts (ids, allowed values); ``hint`` says what to do next.
    """

    code: ClassVar[str] = "peerpause_error"
    http_status: ClassVar[int] = 500

    def __init__(
        self, message: str, *, detail: Mapping[str, Any] | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.detail: Mapping[str, Any] = detail or {}
        self.hint = hint


class InvalidTransition(PeerPauseError):
    """The state machine has no such move; ``detail`` names ``from``, ``to`` and ``allowed``."""

    code = "invalid_transition"
    http_status = 400


class Conflict(PeerPauseError):
    """Somebody else was faster: the row has moved on since the caller read it; nothing was changed."""

    code = "conflict"
    http_status = 409


class PreconditionFailed(Conflict):
    """The request was made on the condition (`If-Match`) that nothing has moved, and something has; nothing was changed."""

    code = "precondition_failed"
    http_status = 412


class AlreadyPaused(InvalidTransition, Conflict):
    """The mentor is paused already: somebody else was faster, or the request was sent twice."""

    code = "already_paused"


class AlreadyActive(InvalidTransition, Conflict):
    """The mentor is active already: somebody else was faster, or the request was sent twice."""

    code = "already_active"


class CertificationExpired(PeerPauseError):
    """A required certificate has run out, so the mentor may not become active before it is renewed."""

    code = "certification_expired"
    http_status = 400


class InvalidArgument(PeerPauseError):
    """An argument is wrong by itself: unknown status, missing reason, return date in the past.

    ``field`` names the argument, where it is one; ``header.…`` or ``query.…`` where it is not part of a body.
    """

    code = "invalid_argument"
    http_status = 400

    def __init__(
        self,
        message: str,
        *,
        detail: Mapping[str, Any] | None = None,
        hint: str | None = None,
        field: str | None = None,
    ) -> None:
        super().__init__(message, detail=detail, hint=hint)
        self.field = field


class IdempotencyKeyReused(InvalidArgument):
    """The idempotency key belongs to an earlier, different request; nothing was changed."""

    code = "idempotency_key_reused"
    http_status = 422


class RequestInProgress(PeerPauseError):
    """The first request with this idempotency key still runs; ``detail["retry_after"]`` is how many seconds to wait."""

    code = "request_in_progress"
    http_status = 409


class PermissionDenied(PeerPauseError):
    """The caller may not do this, or names somebody else as the actor."""

    code = "permission_denied"
    http_status = 403


class NotSignedIn(PermissionDenied):
    """Nobody is signed in, or the sign-in is not valid: forged, expired, or for another service."""

    code = "not_signed_in"
    http_status = 401


class TooManyRequests(PeerPauseError):
    """The caller asks more often than agreed; ``detail["retry_after"]`` is how many seconds to wait."""

    code = "too_many_requests"
    http_status = 429


class NotFound(PeerPauseError):
    """There is no such thing, or none that the caller may see."""

    code = "not_found"
    http_status = 404


class MentorNotFound(NotFound):
    """No such mentor, or none that the caller may see."""

    code = "mentor_not_found"


class Unavailable(PeerPauseError):
    """The database cannot be reached just now; nothing is known to have changed. Try again."""

    code = "unavailable"
    http_status = 503


class DatabaseFault(PeerPauseError):
    """The database refused for a reason we have no word for: a defect of ours, kept out of sight of the user."""

    code = "database_fault"
    http_status = 500


class ConfigurationError(PeerPauseError):
    """A setting is missing or wrong; the message names it and says what to do."""

    code = "configuration_error"
    http_status = 500


class MigrationError(PeerPauseError):
    """The database's ledger of migrations and this program's do not fit together."""

    code = "migration_error"
    http_status = 500


class ImportRejected(PeerPauseError):
    """A CSV file has lines that cannot be imported; ``detail["findings"]`` lists them, nothing was changed."""

    code = "import_rejected"
    http_status = 400
