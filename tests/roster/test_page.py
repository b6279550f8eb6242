"""The page: sound HTML in three languages, in words, with nothing in it but what it shows, whatever people wrote."""

from __future__ import annotations

import json
import re
from itertools import product
from uuid import UUID
from xml.etree.ElementTree import Element

import html5lib
import pytest

from peerpause.roster.page import PAGE_POLICY, to_html, to_json
from peerpause.roster.roster import ChapterRoster, ListedMentor
from peerpause.roster.texts import PAGE_WORDS

LANGUAGES = ("nb", "nn", "en")
ATTACKS = (
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "{role} {chapter} {0} %s",
    "<!-- --><![CDATA[x]]>",
    "&lt;b&gt; &amp; &",
    "javascript:alert(1)",
    "\u2028\u202e<b>\ufeff",
)


def roster(*mentors: ListedMentor, chapter: str = "North", role_word: str | None = None) -> ChapterRoster:
    return ChapterRoster(UUID(int=1), chapter, role_word, "nb", 3600, mentors)


def mentor(
    name: str = "Ada Hansen", presentation: str | None = None, contact: str | None = None, *languages: str
) -> ListedMentor:
    return ListedMentor(UUID(int=2), name, languages, presentation, contact)


ADA = mentor("Ada Hansen", "Hard of hearing since 2011.\nLikes boats.", "ada@example.org", "nb", "nsl", "xx")


def parsed(page: bytes) -> Element:
    """The page's tree; fails for anything that is not sound HTML."""
    tree = html5lib.HTMLParser(namespaceHTMLElements=False, strict=True).parse(page.decode())
    assert isinstance(tree, Element)
    return tree


def texts(tree: Element, tag: str) -> list[str]:
    return ["".join(found.itertext()) for found in tree.iter(tag)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("people", [(), (ADA,), (ADA, mentor())], ids=["nobody", "one", "two"])
def test_it_is_sound_html_in_its_language(language: str, people: tuple[ListedMentor, ...]) -> None:
    tree = parsed(to_html(roster(*people), language=language))
    assert tree.get("lang") == language
    assert len(list(tree.iter("h1"))) == len(list(tree.iter("main"))) == len(list(tree.iter("title"))) == 1
    assert texts(tree, "title") == texts(tree, "h1")
    assert texts(tree, "h2") == [person.display_name for person in people]


def test_every_language_an_organisation_can_choose_has_its_words() -> None:
    assert set(PAGE_WORDS) == set(LANGUAGES)
    assert {key: words.language for key, words in PAGE_WORDS.items()} == {key: key for key in LANGUAGES}


def test_an_unknown_language_is_answered_in_bokmaal() -> None:
    assert to_html(roster(ADA), language="de") == to_html(roster(ADA), language="nb")


@pytest.mark.parametrize(
    ("language", "heading", "status"),
    [
        ("nb", "Finn din likeperson i North", "Tilgjengelig"),
        ("nn", "Finn din likeperson i North", "Tilgjengeleg"),
        ("en", "Find your peer mentor in North", "Available"),
    ],
)
def test_it_says_the_status_in_words(language: str, heading: str, status: str) -> None:
    tree = parsed(to_html(roster(ADA), language=language))
    assert texts(tree, "h1") == [heading]
    assert status in texts(tree, "dd")


def test_it_uses_the_organisations_own_word_for_the_role() -> None:
    tree = parsed(to_html(roster(ADA, role_word="hjertevenn"), language="nb"))
    assert texts(tree, "h1") == ["Finn din hjertevenn i North"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_roster_says_so(language: str) -> None:
    tree = parsed(to_html(roster(), language=language))
    assert PAGE_WORDS[language].nobody in texts(tree, "p")
    assert list(tree.iter("ul")) == []


def test_languages_have_names_and_unknown_ones_their_tag() -> None:
    tree = parsed(to_html(roster(ADA), language="nb"))
    assert "norsk bokmål, norsk tegnspråk, xx" in texts(tree, "dd")


@pytest.mark.parametrize("attack", ATTACKS)
def test_whatever_people_wrote_is_shown_as_text(attack: str) -> None:
    harmless = parsed(to_html(roster(mentor("a", "b", "c", "nb"), chapter="d", role_word="e"), language="en"))
    nasty = roster(mentor(attack, attack, attack, attack), chapter=attack, role_word=attack)
    tree = parsed(to_html(nasty, language="en"))
    assert [element.tag for element in tree.iter()] == [element.tag for element in harmless.iter()]
    assert [element.attrib for element in tree.iter()] == [element.attrib for element in harmless.iter()]
    assert texts(tree, "h2") == [attack]
    assert attack in texts(tree, "dd")
    assert texts(tree, "h1") == [f"Find your {attack} in {attack}"]


def test_it_has_no_script_and_asks_nobody_for_anything() -> None:
    tree = parsed(to_html(roster(ADA), language="nb"))
    tags = {element.tag for element in tree.iter()}
    assert tags.isdisjoint(
        {"script", "link", "img", "iframe", "object", "embed", "form", "base", "svg", "video"}
    )
    for element in tree.iter():
        for name in element.attrib:
            assert name not in {"src", "href", "action", "style", "srcset"}
            assert not str(name).startswith("on")
    (style,) = texts(tree, "style")
    assert not re.search(r"url\(|@import|expression", style)


def test_its_policy_allows_its_own_style_and_nothing_else() -> None:
    import base64
    import hashlib

    (style,) = texts(parsed(to_html(roster(ADA), language="nb")), "style")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in PAGE_POLICY
    assert "default-src 'none'" in PAGE_POLICY
    assert "script" not in PAGE_POLICY


def test_its_colours_can_be_told_apart() -> None:
    (style,) = texts(parsed(to_html(roster(ADA), language="nb")), "style")
    colours = set(re.findall(r"(?<![-\w])color:\s*(#[0-9a-f]{6})", style))
    grounds = set(re.findall(r"background:\s*(#[0-9a-f]{6})", style))
    assert len(colours) >= 2
    assert grounds == {"#ffffff"}
    for colour, ground in product(colours, grounds):
        assert contrast(colour, ground) >= 4.5


def test_it_fits_a_narrow_window_and_has_a_form_for_paper() -> None:
    page = to_html(roster(ADA), language="nb").decode()
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page
    (style,) = texts(parsed(page.encode()), "style")
    # Nothing is wider than the window: columns shrink to it, and long words break.
    assert not re.search(r"(?<!max-)(?<!-)\bwidth\s*:", style)
    assert "minmax(min(100%" in style
    assert "overflow-wrap: anywhere" in style
    assert "@media print" in style


def test_no_text_is_smaller_than_the_readers_own() -> None:
    (style,) = texts(parsed(to_html(roster(ADA), language="nb")), "style")
    sizes = [float(size) for size in re.findall(r"(?:font-size|font):\s*([\d.]+)rem", style)]
    assert len(sizes) >= 3
    assert min(sizes) >= 1


def test_the_json_says_the_same_and_always_in_the_same_bytes() -> None:
    body = to_json(roster(ADA, role_word="hjertevenn"))
    assert body == to_json(roster(ADA, role_word="hjertevenn"))
    assert json.loads(body) == {
        "chapter": {"id": str(UUID(int=1)), "name": "North"},
        "role_word": "hjertevenn",
        "mentors": [
            {
                "id": str(UUID(int=2)),
                "display_name": "Ada Hansen",
                "languages": ["nb", "nsl", "xx"],
                "presentation": "Hard of hearing since 2011.\nLikes boats.",
                "contact": "ada@example.org",
            }
        ],
    }


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two colours."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
