"""`/checks`: runs of the certificate check, whether the watchdog is content, and running the check by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from peerpause.certifications.checks import (
    CheckRun,
    ChecksByHand,
    find_running,
    read_check,
    read_checks,
    read_consequences,
)
from peerpause.certifications.running_out import read_would_pause
from peerpause.database.session import Sessions
from peerpause.web.certificates import address, page_number
from peerpause.web.forms import Form, read_form
from peerpause.web.languages import Words
from peerpause.web.pages import page, see_other, words_of
from peerpause.web.places import places_of
from peerpause.web.reader import Reader, Reading, Writing
from peerpause.web.refusals import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PAGE: Final = 25
_MOST_NAMES: Final = 100
_STOPPED: Final = frozenset({"CancelledError", "lease_expired"})


@router.get("/checks")
async def checks(request: Request, reader: Reading) -> Response:
    """The runs so far, what the check would do now, and how to start it."""
    sessions: Sessions = request.app.state.services.sessions
    asked = request.query_params
    words = words_of(request, reader)
    places = await places_of(request, reader)
    place = places.find(asked.get("where"))
    number = page_number(asked.get("page"))
    found = await read_checks(sessions, reader.claims, limit=_PAGE + 1, skip=(number - 1) * _PAGE)
    return page(
        request,
        "checks/list.html",
        reader=reader,
        form=Form(words=words, values={"where": place.word}),
        place=place,
        places=places,
        would_pause=await read_would_pause(
            sessions, reader.claims, whole=place.whole, chapters=place.chapters
        ),
        runs=found[:_PAGE],
        state_word=lambda run: state_word(words, run),
        length_in_words=lambda run: length_in_words(words, run.duration),
        previous=address("/checks", where=place.word, page=number - 1) if number > 1 else None,
        next=address("/checks", where=place.word, page=number + 1) if len(found) > _PAGE else None,
        watchdog=await _watchdog(sessions, reader),
        is_busy=asked.get("done") == "busy",
        running=await find_running(sessions, reader.claims),
        zone=zone_of(reader),
    )


@router.post("/checks")
async def start_check(request: Request, reader: Writing) -> Response:
    """Start the check and go on to its page; where one is under way, say so."""
    by_hand: ChecksByHand = request.app.state.services.checks
    form = await read_form(request, words_of(request, reader))
    place = (await places_of(request, reader)).find(form.value("where"))
    run_id = await by_hand.start(reader.claims, place.chapter_ids)
    if run_id is None:
        return see_other("/checks", done="busy")
    return see_other(f"/checks/{run_id}")


@router.get("/checks/{run_id}")
async def check(request: Request, reader: Reading, run_id: UUID) -> Response:
    """How far a run has come, and at its end what it did."""
    sessions: Sessions = request.app.state.services.sessions
    words = words_of(request, reader)
    everywhere = (await places_of(request, reader)).everywhere
    run = await read_check(sessions, reader.claims, run_id)
    consequences = await read_consequences(
        sessions,
        reader.claims,
        run,
        whole=everywhere.whole,
        chapters=everywhere.chapters,
        limit=_MOST_NAMES,
    )
    return page(
        request,
        "checks/run.html",
        reader=reader,
        run=run,
        state=state_word(words, run),
        length=length_in_words(words, run.duration),
        why_failed=why_failed(words, run),
        consequences=consequences,
        zone=zone_of(reader),
    )


def state_word(words: Words, run: CheckRun) -> str:
    """How a run stands, in a word or two."""
    if run.is_running:
        return words.gettext("Running")
    if run.status == "failed":
        return words.gettext("Did not finish")
    return words.gettext("Done with errors") if run.errors else words.gettext("Done")


def why_failed(words: Words, run: CheckRun) -> str | None:
    """Why a run ended before its time."""
    if run.error_code is None:
        return None
    if run.error_code in _STOPPED:
        return words.gettext(
            "The server was stopped while the check ran. Whoever was put on pause stays so; run the check again for the rest."
        )
    return words.gettext(
        "The database refused to go on (code %(code)s). Run the check again; if that does not help, tell whoever runs PeerPause."
    ) % {"code": run.error_code}


def length_in_words(words: Words, duration: timedelta | None) -> str:
    """How long something took; nothing for what is not over."""
    if duration is None:
        return ""
    seconds = round(duration.total_seconds())
    if seconds < 1:
        return words.gettext("under a second")
    if seconds < 120:
        return words.ngettext("%(num)s second", "%(num)s seconds", seconds) % {"num": seconds}
    minutes = round(seconds / 60)
    return words.ngettext("%(num)s minute", "%(num)s minutes", minutes) % {"num": minutes}


def zone_of(reader: Reader) -> str:
    """The time zone of whoever looks: their organisation's."""
    return reader.organisations[0].time_zone


async def _watchdog(sessions: Sessions, reader: Reader) -> dict[str, Any] | None:
    """What the watchdog sees, for admins."""
    if not reader.is_admin:
        return None
    (row,) = await sessions.call(reader.claims, "certification_watchdog")
    report: dict[str, Any] = row["report"]
    return report
