"""What a roster's address says: whom to list, how sorted, how many on a page and where it begins. Read leniently, written tersely."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from peerpause.directory.mentors import SERVING, CertificateFilter, OwnedChapter, RosterFilter, Scope, Sort
from peerpause.errors import NotFound
from peerpause.status.rules import MentorStatus
from peerpause.web.reader import Reader

SIZES: Final = (25, 50, 100)
"""How many may be on a page."""

DAYS: Final = (7, 30, 60, 90)
"""Within how many days an expiring certificate may be asked to end."""

_STATUSES: Final[Mapping[str, tuple[MentorStatus, ...]]] = {
    "": SERVING,
    "active": (MentorStatus.ACTIVE,),
    "paused": (MentorStatus.PAUSED,),
    "inactive": (MentorStatus.INACTIVE,),
    "all": tuple(MentorStatus),
}
_CERTIFICATES: Final = {each.value: each for each in CertificateFilter}
_SORTS: Final = {each.value: each for each in Sort}
_USUAL_SIZE: Final = 50
_USUAL_DAYS: Final = 60
_LONGEST_TEXT: Final = 100
_LONGEST_CURSOR: Final = 2000


@dataclass(frozen=True, slots=True)
class RosterAddress:
    """The choices of one address; what it does not say, or says in a way we do not know, is as usual.

    ``where`` is an organisation or a chapter; None is all that the reader answers for.
    """

    text: str = field(default="", repr=False)
    status: str = ""
    certificate: CertificateFilter | None = None
    days: int = _USUAL_DAYS
    where: UUID | None = None
    is_overdue: bool = False
    sort: Sort = Sort.NAME
    is_descending: bool = False
    size: int = _USUAL_SIZE
    cursor: str | None = None

    @property
    def wanted(self) -> RosterFilter:
        """Whom to list, and in which order."""
        return RosterFilter(
            statuses=_STATUSES[self.status],
            certificate=self.certificate,
            days=self.days,
            text=self.text or None,
            is_overdue=self.is_overdue,
            sort=self.sort,
            is_descending=self.is_descending,
        )

    @property
    def sort_word(self) -> str:
        """The order as the address says it."""
        return f"-{self.sort}" if self.is_descending else self.sort.value

    @property
    def query(self) -> str:
        """The address's part behind the path, with its question mark; what is as usual is left out."""
        said = {
            "q": self.text,
            "status": self.status,
            "certificate": "" if self.certificate is None else self.certificate.value,
            "days": "" if self.days == _USUAL_DAYS else str(self.days),
            "where": "" if self.where is None else str(self.where),
            "overdue": "yes" if self.is_overdue else "",
            "sort": "" if self.sort_word == Sort.NAME else self.sort_word,
            "size": "" if self.size == _USUAL_SIZE else str(self.size),
            "cursor": self.cursor or "",
        }
        return "?" + urlencode({name: value for name, value in said.items() if value})

    def filtered(self, **changes: Any) -> RosterAddress:
        """The same with other choices, from its first page on."""
        return replace(self, **{"cursor": None, **changes})

    def sorted_by(self, word: str) -> RosterAddress:
        """The same in this order; where it is so already, the other way round."""
        sort = _SORTS[word]
        return self.filtered(sort=sort, is_descending=sort is self.sort and not self.is_descending)


def read_address(given: Mapping[str, str]) -> RosterAddress:
    """What an address says; empty and unknown words are as if they were not there."""
    sort = _SORTS.get(given.get("sort", "").removeprefix("-"))
    cursor = given.get("cursor", "")
    return RosterAddress(
        text=" ".join(given.get("q", "").replace("\0", " ").split())[:_LONGEST_TEXT],
        status=given.get("status", "") if given.get("status") in _STATUSES else "",
        certificate=_CERTIFICATES.get(given.get("certificate", "")),
        days=_number(given.get("days"), DAYS, _USUAL_DAYS),
        where=_id(given.get("where")),
        is_overdue=given.get("overdue") == "yes",
        sort=sort or Sort.NAME,
        is_descending=sort is not None and given.get("sort", "").startswith("-"),
        size=_number(given.get("size"), SIZES, _USUAL_SIZE),
        cursor=cursor if 0 < len(cursor) <= _LONGEST_CURSOR else None,
    )


def everywhere(reader: Reader) -> Scope:
    """All that somebody answers for."""
    whole = tuple(each.organisation_id for each in reader.administers)
    others = (each.organisation.organisation_id for each in reader.chapters)
    return Scope(
        organisations=tuple(dict.fromkeys([*whole, *others])),
        whole=whole,
        chapters=tuple(each.chapter_id for each in reader.chapters),
    )


def narrowed(scope: Scope, where: UUID | None, chapters: Iterable[OwnedChapter]) -> Scope:
    """Only ``where``, an organisation or a chapter of the scope; all of it for None. Raises ``NotFound`` for any other place.

    ``chapters`` are all chapters of the scope.
    """
    if where is None:
        return scope
    if where in scope.organisations:
        return replace(
            scope, organisations=(where,), whole=tuple(each for each in scope.whole if each == where)
        )
    chapter = next((each for each in chapters if each.chapter_id == where), None)
    if chapter is None:
        raise NotFound("There is no such chapter, or none that you answer for.")
    return Scope(organisations=(chapter.organisation_id,), chapters=(where,))


def _number(text: str | None, known: Iterable[int], usual: int) -> int:
    return next((number for number in known if str(number) == text), usual)


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
