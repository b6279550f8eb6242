"""The ids that rows get when they come in from a file: always the same for the same codes.

So a second import of the same file finds what the first one made, on any machine.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid5

_NAMESPACE: Final = UUID("7b0ac0de-7d1c-5f2e-9a53-0f6f1c1f8a11")


def organisation_id(organisation: str) -> UUID:
    """The id of an organisation that an import creates."""
    return _id("organisation", organisation)


def chapter_id(organisation: str, chapter: str) -> UUID:
    """The id of a chapter that an import creates."""
    return _id("chapter", organisation, chapter)


def mentor_id(organisation: str, person: str) -> UUID:
    """The id of a mentor that an import creates."""
    return _id("mentor", organisation, person)


def stand_in_user_id(organisation: str, person: str) -> UUID:
    """The user id of somebody who has no account yet; version 5, so never mistaken for an account's random one."""
    return _id("person", organisation, person)


def certificate_id(mentor: UUID, kind: str, issued_on: str) -> UUID:
    """The id of a certificate that an import creates; ``issued_on`` as 2026-11-20."""
    return _id("certificate", str(mentor), kind, issued_on)


def is_stand_in(user_id: UUID) -> bool:
    """Tell whether this may be the id of somebody without an account."""
    return user_id.version == 5


def _id(*parts: str) -> UUID:
    # The unit separator cannot stand in a code, so no two lists of codes join to the same text.
    return uuid5(_NAMESPACE, "\x1f".join(parts))
