"""PeerPause: peer mentors take a break and come back without resigning.

The names below are the library's public face; docs/library.md shows them at work. Each is loaded when first used, so that
`import peerpause` costs next to nothing and needs no extra that is not used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from peerpause.certifications.expiry import CertificationExpiryJob as CertificationExpiryJob
    from peerpause.certifications.expiry import ExpiryReport as ExpiryReport
    from peerpause.database.session import Claims as Claims
    from peerpause.database.session import Service as Service
    from peerpause.database.session import Sessions as Sessions
    from peerpause.errors import AlreadyActive as AlreadyActive
    from peerpause.errors import AlreadyPaused as AlreadyPaused
    from peerpause.errors import CertificationExpired as CertificationExpired
    from peerpause.errors import ConfigurationError as ConfigurationError
    from peerpause.errors import Conflict as Conflict
    from peerpause.errors import InvalidArgument as InvalidArgument
    from peerpause.errors import InvalidTransition as InvalidTransition
    from peerpause.errors import MentorNotFound as MentorNotFound
    from peerpause.errors import PeerPauseError as PeerPauseError
    from peerpause.errors import PermissionDenied as PermissionDenied
    from peerpause.errors import Unavailable as Unavailable
    from peerpause.notifications.outcomes import DispatchOutcome as DispatchOutcome
    from peerpause.notifications.outcomes import DispatchResult as DispatchResult
    from peerpause.notifications.outcomes import RecipientOutcome as RecipientOutcome
    from peerpause.notifications.payload import NotificationEvent as NotificationEvent
    from peerpause.notifications.payload import NotificationPayload as NotificationPayload
    from peerpause.notifications.service import (
        CoordinatorNotificationService as CoordinatorNotificationService,
    )
    from peerpause.settings import Settings as Settings
    from peerpause.settings import load_settings as load_settings
    from peerpause.status.records import ListedMentor as ListedMentor
    from peerpause.status.records import MentorCursor as MentorCursor
    from peerpause.status.records import MentorPage as MentorPage
    from peerpause.status.records import StatusHistoryEntry as StatusHistoryEntry
    from peerpause.status.repository import MentorStatusRepository as MentorStatusRepository
    from peerpause.status.repository import PostgresMentorStatusRepository as PostgresMentorStatusRepository
    from peerpause.status.rules import VALID_TRANSITIONS as VALID_TRANSITIONS
    from peerpause.status.rules import MentorStatus as MentorStatus
    from peerpause.status.rules import MentorStatusRecord as MentorStatusRecord
    from peerpause.status.rules import ReasonCode as ReasonCode
    from peerpause.status.rules import StatusTransition as StatusTransition
    from peerpause.status.rules import is_valid_transition as is_valid_transition
    from peerpause.status.service import MentorStatusService as MentorStatusService
    from peerpause.status.supabase import SupabaseMentorStatusRepository as SupabaseMentorStatusRepository
    from peerpause.wiring import Services as Services
    from peerpause.wiring import services as services

_WHERE: Final = {
    "CertificationExpiryJob": "peerpause.certifications.expiry",
    "ExpiryReport": "peerpause.certifications.expiry",
    "Claims": "peerpause.database.session",
    "Service": "peerpause.database.session",
    "Sessions": "peerpause.database.session",
    "AlreadyActive": "peerpause.errors",
    "AlreadyPaused": "peerpause.errors",
    "CertificationExpired": "peerpause.errors",
    "ConfigurationError": "peerpause.errors",
    "Conflict": "peerpause.errors",
    "InvalidArgument": "peerpause.errors",
    "InvalidTransition": "peerpause.errors",
    "MentorNotFound": "peerpause.errors",
    "PeerPauseError": "peerpause.errors",
    "PermissionDenied": "peerpause.errors",
    "Unavailable": "peerpause.errors",
    "DispatchOutcome": "peerpause.notifications.outcomes",
    "DispatchResult": "peerpause.notifications.outcomes",
    "RecipientOutcome": "peerpause.notifications.outcomes",
    "NotificationEvent": "peerpause.notifications.payload",
    "NotificationPayload": "peerpause.notifications.payload",
    "CoordinatorNotificationService": "peerpause.notifications.service",
    "Settings": "peerpause.settings",
    "load_settings": "peerpause.settings",
    "ListedMentor": "peerpause.status.records",
    "MentorCursor": "peerpause.status.records",
    "MentorPage": "peerpause.status.records",
    "StatusHistoryEntry": "peerpause.status.records",
    "MentorStatusRepository": "peerpause.status.repository",
    "PostgresMentorStatusRepository": "peerpause.status.repository",
    "MentorStatus": "peerpause.status.rules",
    "MentorStatusRecord": "peerpause.status.rules",
    "ReasonCode": "peerpause.status.rules",
    "StatusTransition": "peerpause.status.rules",
    "VALID_TRANSITIONS": "peerpause.status.rules",
    "is_valid_transition": "peerpause.status.rules",
    "MentorStatusService": "peerpause.status.service",
    "SupabaseMentorStatusRepository": "peerpause.status.supabase",
    "Services": "peerpause.wiring",
    "services": "peerpause.wiring",
}

__all__ = [
    "VALID_TRANSITIONS",
    "AlreadyActive",
    "AlreadyPaused",
    "CertificationExpired",
    "CertificationExpiryJob",
    "Claims",
    "ConfigurationError",
    "Conflict",
    "CoordinatorNotificationService",
    "DispatchOutcome",
    "DispatchResult",
    "ExpiryReport",
    "InvalidArgument",
    "InvalidTransition",
    "ListedMentor",
    "MentorCursor",
    "MentorNotFound",
    "MentorPage",
    "MentorStatus",
    "MentorStatusRecord",
    "MentorStatusRepository",
    "MentorStatusService",
    "NotificationEvent",
    "NotificationPayload",
    "PeerPauseError",
    "PermissionDenied",
    "PostgresMentorStatusRepository",
    "ReasonCode",
    "RecipientOutcome",
    "Service",
    "Services",
    "Sessions",
    "Settings",
    "StatusHistoryEntry",
    "StatusTransition",
    "SupabaseMentorStatusRepository",
    "Unavailable",
    "is_valid_transition",
    "load_settings",
    "services",
]


def __getattr__(name: str) -> object:
    """Load a public name from where it lives."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
