"""`/certificates`: whose certificates have run out or soon will."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from peerpause.certifications.running_out import WINDOWS, read_running_out
from peerpause.database.session import Sessions
from peerpause.web.forms import Form
from peerpause.web.languages import Words
from peerpause.web.pages import language_of, page, role_word, words_of
from peerpause.web.places import places_of
from peerpause.web.reader import Organisation, Reading
from peerpause.web.refusals import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PAGE: Final = 50
_FARTHEST_PAGE: Final = 10_000
_EXPIRED: Final = "expired"
_USUAL: Final = "30"
_DEFAULT_KIND: Final = "peer_mentor"


@router.get("/certificates")
async def certificates(request: Request, reader: Reading) -> Response:
    """Certificates that have run out or will within some days, the earliest first."""
    sessions: Sessions = request.app.state.services.sessions
    asked = request.query_params
    words = words_of(request, reader)
    places = await places_of(request, reader)
    place = places.find(asked.get("where"))
    windows = _windows(words)
    window = asked.get("window", _USUAL)
    if window not in windows:
        window = _USUAL
    number = page_number(asked.get("page"))
    found = await read_running_out(
        sessions,
        reader.claims,
        whole=place.whole,
        chapters=place.chapters,
        until_days=None if window == _EXPIRED else int(window),
        limit=_PAGE,
        skip=(number - 1) * _PAGE,
    )
    shown = {"where": place.word, "window": window}
    return page(
        request,
        "certificates/list.html",
        reader=reader,
        form=Form(words=words, values=shown),
        place=place,
        places=places,
        window=window,
        windows=windows,
        found=found,
        first=(number - 1) * _PAGE + 1,
        previous=address("/certificates", page=number - 1, **shown) if number > 1 else None,
        next=address("/certificates", page=number + 1, **shown) if number * _PAGE < found.total else None,
        counted=_counted(words, found.counts.expired, found.counts.within, place.word),
        organisations={each.organisation_id: each for each in reader.organisations},
        kind_word=kind_word,
    )


def address(path: str, **query: object) -> str:
    """A path with what was chosen, without what was left as it is."""
    given = {name: value for name, value in query.items() if value not in (None, "", 1)}
    return f"{path}?{urlencode(given)}" if given else path


def page_number(text: str | None) -> int:
    """The page of a list that an address names; the first where it makes no sense."""
    if text is None or not (text.isascii() and text.isdigit()):
        return 1
    return min(max(1, int(text[:6])), _FARTHEST_PAGE)


def kind_word(kind: str, organisation: Organisation | None, language: str) -> str:
    """What a kind of certificate is called: the organisation's word for its mentors, or the kind's own name."""
    name = role_word(organisation, language) if kind == _DEFAULT_KIND else kind.replace("_", " ")
    return name[:1].upper() + name[1:]


def kind_in(request: Request, kind: str, organisation: Organisation | None) -> str:
    """The same in the language of the page."""
    return kind_word(kind, organisation, language_of(request, getattr(request.state, "reader", None)))


def _windows(words: Words) -> Mapping[str, str]:
    ahead = {
        str(days): words.gettext("Have run out, or will within %(days)s days") % {"days": days}
        for days in WINDOWS
    }
    return {_EXPIRED: words.gettext("Have run out"), **ahead}


def _counted(
    words: Words, expired: int, within: Mapping[int, int], where: str
) -> list[tuple[str, int, str, str]]:
    """The numbers on top: window, how many people, in words, and where they are listed."""
    counted = [(_EXPIRED, expired, words.gettext("have run out"))]
    counted += [
        (str(days), people, words.gettext("out within %(days)s days") % {"days": days})
        for days, people in within.items()
    ]
    return [
        (window, people, label, address("/certificates", where=where, window=window))
        for window, people, label in counted
    ]
