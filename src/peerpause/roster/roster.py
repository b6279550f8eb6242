"""The public roster as data: read by anybody, and what a mentor shows of themselves, changed by those who may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from peerpause.database.session import Caller, Claims, Sessions


@dataclass(frozen=True, slots=True)
class ListedMentor:
    """A mentor as visitors see them; ``languages`` are BCP 47 tags, ``contact`` is what the mentor chose to give."""

    mentor_id: UUID
    display_name: str
    languages: tuple[str, ...]
    presentation: str | None
    contact: str | None


@dataclass(frozen=True, slots=True)
class ChapterRoster:
    """A chapter's roster as it was at the moment of reading.

    ``role_word`` is the organisation's own word for a mentor, None for the usual one; ``language`` is the organisation's.
    ``true_for`` is how many seconds the organisation's day still has: then certificates run out.
    """

    chapter_id: UUID
    chapter_name: str
    role_word: str | None
    language: str
    true_for: int
    mentors: tuple[ListedMentor, ...]


@dataclass(frozen=True, slots=True)
class PublicProfile:
    """What a mentor lets the roster show. ``listed`` is False where they want to be left out."""

    mentor_id: UUID
    listed: bool
    languages: tuple[str, ...] = ()
    presentation: str | None = None
    public_contact: str | None = None


class PublicRoster:
    """Reads rosters as a visitor without a token, so that nothing but the public can come out."""

    def __init__(self, *, sessions: Sessions) -> None:
        self._sessions = sessions

    async def of_chapter(self, chapter_id: UUID) -> ChapterRoster | None:
        """The chapter's roster at this moment, or None where there is no such chapter. Raises Unavailable."""
        rows = await self._sessions.call(Claims(), "public_roster_page", {"chapter_id": chapter_id})
        if not rows:
            return None
        first = rows[0]
        return ChapterRoster(
            chapter_id=chapter_id,
            chapter_name=first["chapter_name"],
            role_word=first["role_word"],
            language=first["language"],
            true_for=first["day_ends_in"],
            mentors=tuple(_mentor(row) for row in rows if row["mentor_id"] is not None),
        )

    async def update_profile(self, caller: Caller, profile: PublicProfile) -> PublicProfile:
        """Replace what the roster shows of a mentor, as the mentor, a coordinator or an admin; gives it as it is kept.

        Raises InvalidArgument for what a roster cannot show, PermissionDenied, MentorNotFound.
        """
        parameters = {
            "mentor_id": profile.mentor_id,
            "listed": profile.listed,
            "languages": list(profile.languages),
            "presentation": profile.presentation,
            "public_contact": profile.public_contact,
        }
        (row,) = await self._sessions.call(caller, "update_public_profile", parameters)
        return PublicProfile(**{**row, "languages": _languages(row["languages"])})


def _mentor(row: Mapping[str, Any]) -> ListedMentor:
    return ListedMentor(
        mentor_id=row["mentor_id"],
        display_name=row["display_name"],
        languages=_languages(row["languages"]),
        presentation=row["presentation"],
        contact=row["contact"],
    )


def _languages(tags: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(tag for tag in tags or () if tag)
