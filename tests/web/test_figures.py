"""Figures as pages: pictures beside tables, for whoever answers for the people in them."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from peerpause.web.figures_drawn import NAMES
from peerpause.web.pictures import Bars, Pictures, draw
from tests.cast import World
from tests.web.pages import Pages


async def test_each_picture_stands_beside_its_table(pages: Pages, town: World) -> None:
    seen = await (await pages.as_(town.bo)).open("/figures", months="24")
    assert seen.status == 200
    # No certificate is required here, so none runs out.
    for name in NAMES[:-1]:
        assert f'src="/figures/{name}.svg?months=24"' in seen.answer.text
        assert f'id="{name}-table"' in seen.answer.text
    assert seen.answer.text.count('<th role="rowheader" scope="row">') == 3 * 24
    assert f'src="/figures/{NAMES[-1]}.svg' not in seen.answer.text


async def test_pictures_are_drawn_here_in_both_schemes_and_sizes_and_run_nothing(
    pages: Pages, town: World
) -> None:
    bo = await pages.as_(town.bo)
    drawn = {}
    for look in ("light", "dark"):
        for size in ("wide", "narrow"):
            answer = await bo.client.get(
                "/figures/active.svg", params={"look": look, "size": size}, timeout=100
            )
            assert answer.headers["content-type"] == "image/svg+xml"
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            tree = ElementTree.fromstring(answer.text)
            assert tree.tag == "{http://www.w3.org/2000/svg}svg"
            assert not list(tree.iter("{http://www.w3.org/2000/svg}script"))
            assert (float(tree.get("width", "0")) <= 340) == (size == "narrow")
            drawn[look, size] = answer.text
    assert len(set(drawn.values())) == 4


@pytest.mark.parametrize("path", ["/figures", "/figures/pauses.svg"])
async def test_figures_are_for_those_who_answer_for_people(pages: Pages, town: World, path: str) -> None:
    assert (await (await pages.as_(town.ada)).open(path)).status == 403
    cy = await pages.as_(town.cy)
    for where in (town.north.chapter_id, town.organisation_id, town.stranger_id):
        assert (await cy.open(path, where=str(where))).status == 404
    assert (await pages.as_visitor().get(path)).status_code == 303


async def test_there_are_no_other_pictures(pages: Pages, town: World) -> None:
    assert (await (await pages.as_(town.bo)).open("/figures/other.svg")).status == 404


async def test_a_picture_is_kept_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[object] = []

    def draw(picture: object, look: str, size: str) -> str:
        drawn.append(picture)
        return f"<svg>{look}{size}</svg>"

    monkeypatch.setattr("peerpause.web.pictures.draw", draw)
    moment = {"now": 0.0}
    pictures = Pictures(clock=lambda: moment["now"])
    one = Bars([{"month_word": "May", "value": 1}], "People")
    other = Bars([{"month_word": "May", "value": 2}], "People")
    for now, picture, times in ((0.0, one, 1), (59.0, one, 1), (59.5, other, 2), (61.0, one, 3)):
        moment["now"] = now
        assert await pictures.svg(picture, "light", "wide") == "<svg>lightwide</svg>"
        assert len(drawn) == times


@pytest.mark.parametrize(("value", "ticks"), [(0, "01"), (1, "01"), (2, "012"), (3, "0123")])
def test_an_axis_rises_from_nought_by_whole_numbers(value: int, ticks: str) -> None:
    few = Bars(axis="People", values=[{"month_word": "Jan", "value": value, "value_word": "x"}])
    assert "".join(re.findall(r">(\d+)</text>", draw(few, "light", "wide"))) == ticks
