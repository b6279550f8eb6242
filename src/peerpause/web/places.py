"""Where somebody answers for mentors: everywhere they do, one organisation of theirs, or one chapter. Kept in addresses as `where`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request

from peerpause.database.session import Sessions
from peerpause.errors import NotFound, PermissionDenied
from peerpause.web.pages import words_of
from peerpause.web.reader import Organisation, Reader


@dataclass(frozen=True, slots=True)
class Place:
    """Whole organisations and single chapters. ``word`` stands for it in an address; ``chapter_ids`` None leaves nobody out."""

    word: str
    label: str
    whole: Sequence[UUID]
    chapters: Sequence[UUID]
    chapter_ids: Sequence[UUID] | None
    organisations: Sequence[Organisation]

    @property
    def requires_certificates(self) -> bool:
        """Whether anybody there needs a certificate."""
        return any(each.certificates_required for each in self.organisations)


@dataclass(frozen=True, slots=True)
class Places:
    """All of somebody's places by their words, the widest first."""

    by_word: Mapping[str, Place]

    @property
    def choices(self) -> Mapping[str, str]:
        """What can be chosen from."""
        return {word: place.label for word, place in self.by_word.items()}

    @property
    def has_choice(self) -> bool:
        """Whether there is more than one place: a single chapter is all there is."""
        return len(self.by_word) > 2

    @property
    def everywhere(self) -> Place:
        """All that the reader answers for."""
        return self.by_word[""]

    def find(self, word: str | None) -> Place:
        """The place that an address names. Raises ``NotFound`` for one that is not the reader's."""
        place = self.by_word.get(word or "")
        if place is None:
            raise NotFound("There is no such chapter, or none that you answer for.")
        return place


async def places_of(request: Request, reader: Reader) -> Places:
    """Where the reader answers for mentors. Raises ``PermissionDenied`` for somebody who does nowhere."""
    if not reader.is_coordinator:
        raise PermissionDenied("This page is for coordinators and admins.")
    sessions: Sessions = request.app.state.services.sessions
    chapters = await sessions.call(reader.claims, "chapters_answered_for")
    words = words_of(request, reader)
    administered = {each.organisation_id: each for each in reader.administers}
    own = {each.chapter_id: each.organisation for each in reader.chapters}
    organisations = {**{each.organisation_id: each for each in own.values()}, **administered}
    everywhere = Place(
        word="",
        label=chapters[0]["name"]
        if len(chapters) == 1 and not administered
        else words.gettext("All chapters"),
        whole=list(administered),
        chapters=[each for each, at in own.items() if at.organisation_id not in administered],
        chapter_ids=None,
        organisations=list(organisations.values()),
    )
    found = {"": everywhere}
    for organisation in administered.values() if len(organisations) > 1 else ():
        word = str(organisation.organisation_id)
        inside = [
            row["chapter_id"] for row in chapters if row["organisation_id"] == organisation.organisation_id
        ]
        found[word] = Place(
            word, organisation.name, [organisation.organisation_id], [], inside, [organisation]
        )
    for row in chapters:
        at = organisations.get(row["organisation_id"])
        if at is None:
            continue  # made a coordinator there between two questions: the next page has it
        label = row["name"] if len(organisations) == 1 else f"{row['name']} ({at.name})"
        found[str(row["chapter_id"])] = Place(
            str(row["chapter_id"]), label, [], [row["chapter_id"]], [row["chapter_id"]], [at]
        )
    return Places(found)
