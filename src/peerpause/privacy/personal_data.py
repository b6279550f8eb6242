"""A person's data: everything about them, its erasure, and the list of erasures that outlives a restored backup."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from peerpause.database.session import Caller, Row, Service, Sessions
from peerpause.errors import InvalidArgument, NotFound

_NOBODY = "There is no such person, or none whose data you may see."


@dataclass(frozen=True, slots=True)
class PersonExport:
    """Everything kept about a person. ``content`` is JSON values: who, when, and ``sections`` with rows by table."""

    content: Mapping[str, Any] = field(repr=False)

    @property
    def sections(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """The rows about the person, by table."""
        sections: Mapping[str, Sequence[Mapping[str, Any]]] = self.content["sections"]
        return sections

    @property
    def language(self) -> str:
        """The language the person reads: their own choice, else their organisation's, else bokmål."""
        own = [row.get("language") for row in self.sections["people"]]
        organisations = [row.get("language") for row in self.content["organisations"]]
        return next((str(language) for language in (*own, *organisations) if language), "nb")


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure did, or without ``applied`` would do: how many rows, by what they hold.

    ``repeated`` says that the person had been erased before, so that these are what came in since. ``pseudonym`` stands for the
    person from now on; it is None where nothing was done.
    """

    pseudonym: UUID | None
    applied: bool
    repeated: bool
    mentors: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ListedErasure:
    """An entry of the list of erasures. It finds the person again in an old backup and does not say who they are."""

    pseudonym: UUID
    organisation_id: UUID | None
    mentor_ids: tuple[UUID, ...]
    person_digest: str | None
    erased_at: datetime
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class MentorRead:
    """Somebody read a mentor's notes or history. ``reader_id`` is None for the operator; ``read_at`` the first time in its hour."""

    reader_id: UUID | None
    reader_name: str | None = field(repr=False)
    what: str
    read_at: datetime


class PersonalData:
    """The data of persons, as far as the caller may handle it: people their own, admins their organisation's, the service all."""

    def __init__(self, *, sessions: Sessions) -> None:
        self._sessions = sessions

    async def export(
        self, caller: Caller, person_id: UUID, *, organisation_id: UUID | None = None
    ) -> PersonExport:
        """Give everything kept about a person; ``person_id`` is the id of a user or of a mentor.

        An admin names one of their organisations and gets what it holds. The export itself is recorded as a reading.
        Raises NotFound, PermissionDenied.
        """
        row = await self._ask(caller, "export_person", person_id, organisation_id)
        return PersonExport(content=row["answer"])

    async def erase(
        self, caller: Caller, person_id: UUID, *, organisation_id: UUID | None = None, apply: bool = False
    ) -> Erasure:
        """Erase a person, in one organisation or, for the service, everywhere; without ``apply`` only say what that would do.

        It cannot be undone. Erasing again is safe. Raises NotFound, PermissionDenied.
        """
        row = await self._ask(caller, "erase_person", person_id, organisation_id, apply=apply)
        return _erasure(row["answer"])

    async def erasures(
        self, caller: Caller, *, organisation_id: UUID | None = None
    ) -> tuple[ListedErasure, ...]:
        """The list of erasures, oldest first: of one organisation or, for the service, all. Raises PermissionDenied."""
        rows = await self._sessions.call(caller, "list_erasures", {"organisation_id": organisation_id})
        return tuple(ListedErasure(**{**row, "mentor_ids": tuple(row["mentor_ids"])}) for row in rows)

    async def reapply(self, erasures: Iterable[ListedErasure], *, apply: bool = False) -> tuple[Erasure, ...]:
        """Erase again, under the same pseudonyms, whoever of the list came back with an old backup; as the service."""
        done = []
        for each in erasures:
            parameters = {
                "pseudonym": each.pseudonym,
                "organisation_id": each.organisation_id,
                "mentor_ids": [*each.mentor_ids],
                "person_digest": each.person_digest,
                "apply": apply,
            }
            (row,) = await self._sessions.call(Service(), "reapply_erasure", parameters)
            done.append(_erasure(row["answer"]))
        return tuple(done)

    async def reads(
        self, caller: Caller, mentor_id: UUID, *, at_most: int = 50, before: datetime | None = None
    ) -> tuple[MentorRead, ...]:
        """Who read a mentor's notes or history, newest first: for the mentor and for admins.

        Raises MentorNotFound, PermissionDenied.
        """
        parameters = {"mentor_id": mentor_id, "limit": at_most, "before": before}
        rows = await self._sessions.call(caller, "list_mentor_reads", parameters)
        return tuple(MentorRead(**row) for row in rows)

    async def _ask(
        self, caller: Caller, query: str, person_id: UUID, organisation_id: UUID | None, **more: object
    ) -> Row:
        parameters = {"person_id": person_id, "organisation_id": organisation_id, **more}
        try:
            (row,) = await self._sessions.call(caller, query, parameters)
        except NotFound:
            raise NotFound(_NOBODY, hint="Give the id of a user or of a mentor.") from None
        return row


def read_erasure(entry: object) -> ListedErasure:
    """Read one entry of a list of erasures from JSON values. Raises InvalidArgument for anything else."""
    try:
        if not isinstance(entry, Mapping):
            raise TypeError("an entry is an object")  # noqa: TRY301 - refused below, in the same words
        digest = entry["person_digest"]
        organisation_id = entry["organisation_id"]
        return ListedErasure(
            pseudonym=UUID(entry["pseudonym"]),
            organisation_id=None if organisation_id is None else UUID(organisation_id),
            mentor_ids=tuple(UUID(each) for each in entry["mentor_ids"]),
            person_digest=None if digest is None else bytes.fromhex(digest).hex(),
            erased_at=datetime.fromisoformat(entry["erased_at"]),
            counts=dict(entry["counts"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InvalidArgument(
            "This is not an entry of a list of erasures.",
            hint="Pass a file that `peerpause person erasures --out FILE` has written.",
        ) from None


def _erasure(answer: Mapping[str, Any]) -> Erasure:
    pseudonym = answer["pseudonym"]
    return Erasure(
        pseudonym=None if pseudonym is None else UUID(pseudonym),
        applied=answer["applied"],
        repeated=answer["repeated"],
        mentors=answer["mentors"],
        counts=answer["counts"],
    )


@asynccontextmanager
async def personal_data(database_url: str) -> AsyncIterator[PersonalData]:
    """The data of persons in the database at this address, for a command that needs nothing else."""
    async with Sessions(url=database_url, size=1) as sessions:
        yield PersonalData(sessions=sessions)
