"""`/figures`: how many paused and why, for how long, how many are active, and what runs out ahead; as pictures and as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from babel.numbers import format_decimal, format_percent
from fastapi import APIRouter, Request, Response

from peerpause.database.session import Sessions
from peerpause.errors import NotFound
from peerpause.notifications.texts import reason_labels
from peerpause.status.figures import FEWEST, Figures, read_figures
from peerpause.web.certificates import address
from peerpause.web.figures_drawn import NAMES, Drawn, drawn_from
from peerpause.web.forms import Form
from peerpause.web.pages import language_of, page, reasons_in, words_of
from peerpause.web.pictures import Pictures
from peerpause.web.places import Place, places_of
from peerpause.web.reader import Reader, Reading
from peerpause.web.refusals import PageRoute
from peerpause.web.times import Times

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PERIODS: Final = (6, 12, 24, 36)
_USUAL_PERIOD: Final = 12
_pictures: Final = Pictures()


@router.get("/figures")
async def figures(request: Request, reader: Reading) -> Response:
    """All figures of a place and a period: each as a picture and as a table."""
    words = words_of(request, reader)
    places = await places_of(request, reader)
    place, months = places.find(request.query_params.get("where")), _months(request)
    found = await _read(request, reader, place, months)
    shown = {"where": place.word, "months": str(months)}
    language = language_of(request, reader)
    return page(
        request,
        "figures.html",
        reader=reader,
        form=Form(words=words, values=shown),
        places=places,
        place=place,
        periods={
            str(each): words.ngettext("%(num)s month", "%(num)s months", each) % {"num": each}
            for each in _PERIODS
        },
        figures=found,
        reasons=await _reasons(request, reader, place),
        drawn=await _drawn(request, reader, place, found),
        picture=lambda name, **chosen: address(f"/figures/{name}.svg", **shown, **chosen),
        month=Times(language).month,
        number=lambda value: format_decimal(round(value, 1), locale=_locale(language)),
        percent=lambda value: format_percent(value, format="#,##0 %", locale=_locale(language)),
        fewest=FEWEST,
    )


@router.get("/figures/{name}.svg")
async def picture(
    request: Request,
    reader: Reading,
    name: str,
    look: Literal["light", "dark"] = "light",
    size: Literal["wide", "narrow"] = "wide",
) -> Response:
    """One figure as a picture, for whoever may see the figures."""
    if name not in NAMES:
        raise NotFound("There is no such picture.")
    place = (await places_of(request, reader)).find(request.query_params.get("where"))
    found = await _read(request, reader, place, _months(request))
    drawn = (await _drawn(request, reader, place, found))[name]
    svg = await _pictures.svg(drawn.picture, look, size)
    return Response(
        svg,
        media_type="image/svg+xml",
        headers={
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
            "Cache-Control": "private, no-store",
        },
    )


def _months(request: Request) -> int:
    asked = request.query_params.get("months", "")
    return next((each for each in _PERIODS if str(each) == asked), _USUAL_PERIOD)


async def _read(request: Request, reader: Reader, place: Place, months: int) -> Figures:
    sessions: Sessions = request.app.state.services.sessions
    return await read_figures(
        sessions, reader.claims, whole=place.whole, chapters=place.chapters, months=months
    )


async def _drawn(request: Request, reader: Reader, place: Place, found: Figures) -> Mapping[str, Drawn]:
    language = language_of(request, reader)
    return drawn_from(
        found,
        words=words_of(request, reader),
        language=language,
        reasons=await _reasons(request, reader, place),
    )


async def _reasons(request: Request, reader: Reader, place: Place) -> Mapping[str, str]:
    """What reasons are called: the organisation's own words, where it is only one."""
    if len(place.organisations) == 1:
        return await reasons_in(request, reader, place.organisations[0].organisation_id)
    return reason_labels(language_of(request, reader))


def _locale(language: str) -> str:
    return {"en": "en_GB"}.get(language, language)
