"""The audit as files: for a spreadsheet, for a program, and with its chain of hashes for whoever checks it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from peerpause.directory.records import RecordedChange
from peerpause.web import admin_words
from peerpause.web.languages import Words
from peerpause.web.spreadsheet import harmless

_MARK: Final = "\ufeff"


async def spreadsheet(
    changes: AsyncIterator[RecordedChange], words: Words, *, reasons: Mapping[str, str], zone: str
) -> AsyncIterator[bytes]:
    """A line for each change in the reader's language, times on the organisation's clock; no cell is taken for a formula."""
    _ = words.gettext
    statuses = admin_words.statuses(words)
    head = [
        _("When"),
        _("Name"),
        _("From status"),
        _("To status"),
        _("Reason"),
        _("By"),
        _("Expected back"),
        _("Certificate's last day"),
    ]
    yield _MARK.encode() + _line(words, head)
    async for each in changes:
        who = _("the system") if each.changed_by is None else (each.changed_by_name or "")
        yield _line(
            words,
            [
                each.changed_at.astimezone(ZoneInfo(zone)).isoformat(sep=" ", timespec="seconds"),
                each.mentor_name,
                statuses.get(each.previous_status or "", ""),
                statuses[each.new_status],
                reasons.get(each.reason or "", each.reason or ""),
                who,
                _day(each.expected_return_on),
                _day(each.certification_expires_at),
            ],
        )


async def json_lines(changes: AsyncIterator[RecordedChange]) -> AsyncIterator[bytes]:
    """One JSON object for each change: ids, codes, and times in UTC."""
    async for each in changes:
        yield _json({name: _plain(value) for name, value in asdict(each).items()})


async def chain_lines(links: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[bytes]:
    """One JSON object for each link of the audit chain."""
    async for link in links:
        yield _json(link)


def _line(words: Words, cells: Iterable[str]) -> bytes:
    out = io.StringIO()
    separator = "," if words.language == "en" else ";"
    csv.writer(out, delimiter=separator).writerow([harmless(cell) for cell in cells])
    return out.getvalue().encode()


def _json(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, ensure_ascii=False) + "\n").encode()


def _plain(value: object) -> object:
    match value:
        case None | bool() | int() | str():
            return value
        case datetime():
            return value.astimezone(ZoneInfo("UTC")).isoformat()
        case _:
            return str(value)


def _day(day: date | None) -> str:
    return "" if day is None or day == date.max else day.isoformat()
