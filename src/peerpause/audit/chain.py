"""How the links of an audit chain follow from each other, so that an exported chain is checked without the database.

The database makes the links the same way (`peerpause.audit_hash`); docs/audit.md describes it for whoever writes a checker of their own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from peerpause.errors import InvalidArgument

BEGINNING: Final = "00" * 32
"""The hash before the first link."""

FIELDS: Final = (
    "organisation_id", "place", "kind", "entry_id", "chained_at", "adopted", "facts", "person_id", "person_salt", "person_digest",
    "note", "note_salt", "note_digest", "pseudonym", "cleared_because", "hash",
)  # fmt: skip
"""What a line of an export says, in the order of a CSV file."""

_RECORDS: Final = frozenset({"history", "renewal", "override"})


@dataclass(frozen=True, slots=True)
class ChainFinding:
    """Something in an exported chain that does not agree: a ``code`` and where."""

    code: str
    organisation_id: str
    place: int
    kind: str | None = None
    entry_id: str | None = None


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What checking an export found. ``ends`` is place and hash of each organisation's last link."""

    links: int
    ends: Mapping[str, tuple[int, str]]
    findings: tuple[ChainFinding, ...]


def link_hash(before: str, link: Mapping[str, Any]) -> str:
    """The hash a link must have, as hex: of the hash before it and its own text."""
    text = json.dumps(
        [
            link["organisation_id"],
            link["place"],
            link["kind"],
            link["entry_id"],
            link["chained_at"],
            link["adopted"],
            link["facts"],
            link["person_digest"],
            link["note_digest"],
            link["pseudonym"],
            link["cleared_because"],
        ],
        ensure_ascii=False,
    )
    return hashlib.sha256(bytes.fromhex(before) + text.encode()).hexdigest()


def part_digest(salt: str, value: str) -> str:
    """The digest by which the chain vouches for a person or a note, as hex."""
    return hashlib.sha256(UUID(salt).bytes + value.encode()).hexdigest()


def check_chain(
    links: Iterable[Mapping[str, Any]], *, ends: Mapping[str, tuple[int, str]] | None = None
) -> ChainReport:
    """Check exported links, each organisation's in order from its first.

    ``ends`` are ends of chains that were written down earlier: a chain that does not lead through them was cut off or made anew.
    Raises InvalidArgument, naming the line, for what is no link.
    """
    checker = _Checker()
    for number, link in enumerate(links, start=1):
        try:
            checker.take(link)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise InvalidArgument(
                f"Line {number} is not a link of an audit chain.",
                hint="Check a file that `peerpause audit export` has written.",
            ) from None
    return checker.report(ends or {})


class _Checker:
    def __init__(self) -> None:
        self._count = 0
        self._last: dict[str, tuple[int, str]] = {}
        self._hashes: dict[tuple[str, int], str] = {}
        self._pseudonyms: dict[str, str] = {}
        self._to_settle: list[Mapping[str, Any]] = []
        self._findings: list[ChainFinding] = []

    def take(self, link: Mapping[str, Any]) -> None:
        # Without this, any object at all would count as a link behind a missing one.
        UUID(link["organisation_id"])
        self._count += 1
        place, before = self._last.get(link["organisation_id"], (0, BEGINNING))
        if link["place"] != place + 1:
            self._find("link_missing", link)
        elif link_hash(before, link) != link["hash"] or not self._parts_agree(link):
            self._find("altered", link)
        if link["kind"] in _RECORDS and link["facts"] is None:
            self._find("missing", link)
        self._last[link["organisation_id"]] = (link["place"], link["hash"])
        self._hashes[link["organisation_id"], link["place"]] = link["hash"]
        if link["kind"] == "person_cleared":
            self._pseudonyms[link["entry_id"]] = link["pseudonym"]

    def report(self, ends: Mapping[str, tuple[int, str]]) -> ChainReport:
        for link in self._to_settle:
            if self._pseudonyms.get(link["entry_id"]) != link["person_id"]:
                self._find("altered", link)
        for organisation_id, (place, known) in ends.items():
            if place > 0 and self._hashes.get((organisation_id, place)) != known:
                self._findings.append(ChainFinding("truncated", organisation_id, place))
        return ChainReport(links=self._count, ends=self._last, findings=tuple(self._findings))

    def _parts_agree(self, link: Mapping[str, Any]) -> bool:
        if link["person_salt"] is not None:
            if part_digest(link["person_salt"], str(link["person_id"])) != link["person_digest"]:
                return False
        elif link["person_digest"] is not None:
            self._to_settle.append(link)  # cleared further on, if it is as it should be
        elif link["person_id"] is not None:
            return False
        if link["note_salt"] is not None:
            return part_digest(link["note_salt"], str(link["note"])) == str(link["note_digest"])
        return True

    def _find(self, code: str, link: Mapping[str, Any]) -> None:
        self._findings.append(
            ChainFinding(code, link["organisation_id"], link["place"], link["kind"], link["entry_id"])
        )
