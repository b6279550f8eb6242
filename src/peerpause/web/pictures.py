"""Figures as pictures: SVG drawn with Vega on this server, light and dark, wide and narrow. They hold nothing that the table beside
them does not hold.

Drawing takes a while and holds a thread, so a picture of the same figures is kept for a minute. The library is loaded with the first picture,
which takes some seconds while the page and its tables are there: loading it at the start would hold up whatever a server does then, and
cost memory in each that never draws. It needs neither network nor fonts of its own.
"""

from __future__ import annotations

import asyncio
import json
import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, assert_never

Look = Literal["light", "dark"]
Size = Literal["wide", "narrow"]

_KEPT: Final = 60.0
_MOST: Final = 200
_FEW: Final = 8
_FONT: Final = "Inter, Arial, Helvetica, sans-serif"


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars over months. With ``series`` each bar is stacked in this order, and ``values`` name theirs.

    ``values`` have `month_word` and `value`; without series `value_word`, else `series` and `rank`, which is its place in the stack.
    """

    values: Sequence[Mapping[str, Any]]
    axis: str
    series: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Shares:
    """A line of shares from 0 to 1 over months; ``values`` as for ``Bars``."""

    values: Sequence[Mapping[str, Any]]
    axis: str


@dataclass(frozen=True, slots=True)
class _Paint:
    surface: str
    text: str
    grid: str
    first: str
    colours: Sequence[str]


# Contrast of at least 3:1 with the surface, and stacked neighbours told apart by lightness too.
_PAINTS: Final[Mapping[Look, _Paint]] = {
    "light": _Paint(
        "#ffffff", "#1e2b3c", "#d2d5d8", "#0062ba",
        ["#0062ba", "#d96c00", "#1b7a5a", "#8a3ffc", "#b3243b", "#00838f", "#7a6200", "#5c6670"],
    ),
    "dark": _Paint(
        "#16181d", "#e6e8eb", "#3a4049", "#5ba7f7",
        ["#5ba7f7", "#ffb066", "#63c8a2", "#c4a0ff", "#ff8b98", "#5fd0da", "#d9c25a", "#a9b1ba"],
    ),
}  # fmt: skip


class Pictures:
    """Draws, and keeps what was drawn for a minute."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[float, str]] = {}
        self._turn = threading.Lock()

    async def svg(self, picture: Bars | Shares, look: Look, size: Size) -> str:
        """The picture as SVG."""
        key = json.dumps([type(picture).__name__, _plain(picture), look, size], sort_keys=True)
        if (kept := self._find(key)) is not None:
            return kept
        return await asyncio.to_thread(self._draw, key, picture, look, size)

    def _draw(self, key: str, picture: Bars | Shares, look: Look, size: Size) -> str:
        # One at a time: drawing uses a whole core, and whoever waits often waits for the very same picture.
        with self._turn:
            if (kept := self._find(key)) is not None:
                return kept
            drawn = draw(picture, look, size)
            now = self._clock()
            fresh = {each: (until, svg) for each, (until, svg) in self._kept.items() if until > now}
            self._kept = {**dict(list(fresh.items())[-_MOST:]), key: (now + _KEPT, drawn)}
            return drawn

    def _find(self, key: str) -> str | None:
        until, svg = self._kept.get(key, (0.0, ""))
        return svg if until > self._clock() else None


def draw(picture: Bars | Shares, look: Look, size: Size) -> str:
    """Draw a picture as SVG; takes up to a second, and the first time three."""
    import vl_convert

    chart = _chart(picture, _PAINTS[look], is_narrow=size == "narrow")
    return str(vl_convert.vegalite_to_svg(chart.to_dict(validate=False), allowed_base_urls=[]))


def _chart(picture: Bars | Shares, paint: _Paint, *, is_narrow: bool) -> Any:
    import altair as alt

    data = alt.InlineData(values=[dict(each) for each in picture.values])
    months = [each["month_word"] for each in picture.values]
    x = alt.X(
        "month_word:O",
        sort=list(dict.fromkeys(months)),
        title=None,
        axis=alt.Axis(labelAngle=-45 if is_narrow or len(set(months)) > 12 else 0, labelOverlap="parity"),
    )
    base = alt.Chart(data)
    match picture:
        case Bars(series=()):
            drawn = base.encode(x=x, y=_counts(picture))
            bars = drawn.mark_bar(color=paint.first)
            written = drawn.mark_text(dy=-7, color=paint.text).encode(text="value_word:N")
            chart: Any = bars + written
        case Bars():
            chart = base.mark_bar(stroke=paint.surface, strokeWidth=1).encode(
                x=x,
                y=_counts(picture),
                order=alt.Order("rank:Q"),
                color=alt.Color(
                    "series:N",
                    title=None,
                    sort=list(picture.series),
                    scale=alt.Scale(domain=list(picture.series), range=_colours(paint, picture.series)),
                    legend=alt.Legend(
                        orient="bottom", columns=1 if is_narrow else 3, labelLimit=300, symbolType="square"
                    ),
                ),
            )
        case Shares():
            drawn = base.encode(
                x=x,
                y=alt.Y(
                    "value:Q",
                    title=picture.axis,
                    scale=alt.Scale(domain=[0, 1]),
                    axis=alt.Axis(format=".0%", tickCount=5),
                ),
            )
            chart = drawn.mark_line(
                color=paint.first,
                strokeWidth=3,
                point=alt.OverlayMarkDef(filled=True, size=60, color=paint.first),
            )
        case _:
            assert_never(picture)
    width = 300 if is_narrow else 760
    return _dressed(
        chart.properties(width=width, height=220 if is_narrow else 260), paint, is_narrow=is_narrow
    )


def _counts(picture: Bars) -> Any:
    import altair as alt

    highest = max(1, math.ceil(_highest(picture)))
    if highest > _FEW:
        return alt.Y("value:Q", title=picture.axis, axis=alt.Axis(format="d"))
    # The library's own ticks would be at halves, which read as the same number twice.
    ticks = list(range(highest + 1))
    return alt.Y(
        "value:Q",
        title=picture.axis,
        scale=alt.Scale(domain=[0, highest]),
        axis=alt.Axis(format="d", values=ticks),
    )


def _highest(picture: Bars) -> float:
    columns: defaultdict[str, float] = defaultdict(float)
    for each in picture.values:
        columns[each["month_word"]] += each["value"] or 0
    return max(columns.values(), default=0)


def _dressed(chart: Any, paint: _Paint, *, is_narrow: bool) -> Any:
    letters = 13 if is_narrow else 14
    axis = {
        "labelFont": _FONT, "titleFont": _FONT, "labelFontSize": letters, "titleFontSize": letters,
        "titleFontWeight": "normal", "labelColor": paint.text, "titleColor": paint.text, "gridColor": paint.grid,
        "domainColor": paint.text, "tickColor": paint.text,
    }  # fmt: skip
    legend = {"labelFont": _FONT, "labelFontSize": letters, "labelColor": paint.text}
    # The narrow one is as wide as a phone, its axes included.
    return (
        chart.properties(background=paint.surface, padding=4, autosize={"type": "fit", "contains": "padding"})
        .configure_axis(**axis)
        .configure_axisX(grid=False)
        .configure_legend(**legend)
        .configure_text(font=_FONT, fontSize=letters)
        .configure_view(stroke=None)
    )


def _colours(paint: _Paint, series: Sequence[str]) -> list[str]:
    # The last one is what is left over: grey, whatever number of others there are.
    *strong, grey = paint.colours
    return [strong[number % len(strong)] for number in range(len(series) - 1)] + [grey]


def _plain(picture: Bars | Shares) -> list[Any]:
    series = list(picture.series) if isinstance(picture, Bars) else []
    return [picture.axis, series, [dict(each) for each in picture.values]]
