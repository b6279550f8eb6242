"""The roster as a file for a spreadsheet.

What Excel needs: a byte-order mark, or it takes UTF-8 for something else, and semicolons where the comma stands in numbers, as in
Norway. A cell that begins like a formula gets an apostrophe in front: a name must not do anything when the file is opened.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import date
from typing import Final
from uuid import UUID

from peerpause.directory.mentors import RosterMentor
from peerpause.status.rules import MentorStatus
from peerpause.web.languages import Words
from peerpause.web.reader import Organisation
from peerpause.web.roster_words import told_by_certificate
from peerpause.web.times import day_there

_MARK: Final = "\ufeff"
_BEGINS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_AT_ONCE: Final = 200


class Spreadsheet:
    """The lines of one file, in one language."""

    def __init__(
        self,
        *,
        words: Words,
        organisations: Iterable[Organisation],
        reasons: Mapping[UUID, Mapping[str, str]],
        with_certificates: bool,
    ) -> None:
        self._words = words
        self._organisations = {each.organisation_id: each for each in organisations}
        self._reasons = reasons
        self._with_certificates = with_certificates
        self._statuses = {
            MentorStatus.ACTIVE: words.gettext("Active"),
            MentorStatus.PAUSED: words.gettext("On pause"),
            MentorStatus.INACTIVE: words.gettext("Has left"),
        }
        self._certificates = told_by_certificate(words)

    async def lines(self, mentors: AsyncIterator[RosterMentor]) -> AsyncIterator[bytes]:
        """The file, a piece at a time; the first has the names of the columns and the first people."""
        mark = _MARK
        waiting = [self._head()]
        async for mentor in mentors:
            waiting.append(self._row(mentor))
            if len(waiting) == _AT_ONCE:
                yield self._written(waiting, first=mark)
                mark, waiting = "", []
        yield self._written(waiting, first=mark)

    def _head(self) -> list[str]:
        _ = self._words.gettext
        return [
            _("Name"),
            _("Status"),
            _("Reason"),
            _("Since"),
            _("Planned pause from"),
            _("Expected back"),
            *([_("Certificate"), _("Last valid day")] if self._with_certificates else []),
            _("Chapters"),
            *([_("Organisation")] if len(self._organisations) > 1 else []),
        ]

    def _row(self, mentor: RosterMentor) -> list[str]:
        zone = self._organisations[mentor.organisation_id].time_zone
        reasons = self._reasons.get(mentor.organisation_id, {})
        since = None if mentor.since is None else day_there(mentor.since, zone)
        planned = None if mentor.scheduled_pause_at is None else day_there(mentor.scheduled_pause_at, zone)
        return [
            mentor.display_name,
            self._statuses[mentor.status],
            reasons.get(mentor.pause_reason or "", ""),
            _day(since),
            _day(planned),
            _day(mentor.expected_return_on),
            *(
                [self._certificates[mentor.certificate], _day(mentor.certified_until)]
                if self._with_certificates
                else []
            ),
            ", ".join(mentor.chapters),
            *([mentor.organisation_name] if len(self._organisations) > 1 else []),
        ]

    def _written(self, rows: Iterable[Iterable[str]], *, first: str = "") -> bytes:
        out = io.StringIO(first)
        out.seek(0, io.SEEK_END)
        separator = "," if self._words.language == "en" else ";"
        csv.writer(out, delimiter=separator).writerows([[harmless(cell) for cell in row] for row in rows])
        return out.getvalue().encode()


def harmless(cell: str) -> str:
    """The cell as text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_BEGINS_A_FORMULA) else cell


def _day(day: date | None) -> str:
    return "" if day is None or day == date.max else day.isoformat()
