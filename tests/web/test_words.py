"""Every sentence of the pages is there in every language, once, complete, and none is left over."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from peerpause.web.languages import LANGUAGES, chosen_language, words
from tests.project.sources import PACKAGE

_WEB = PACKAGE / "web"
_TRANSLATED = [language for language in LANGUAGES if language != "en"]
_PLACEHOLDER = re.compile(r"%\(\w+\)s")

each_language = pytest.mark.parametrize("language", _TRANSLATED)


@each_language
def test_no_sentence_is_missing(language: str) -> None:
    missing = sorted(key(message) for message in spoken() if key(message) not in written(language))
    assert not missing, f"add these to locale/{language}/*.po"


@each_language
def test_no_sentence_is_left_over(language: str) -> None:
    used = {key(message) for message in spoken()}
    left = sorted(
        f"{file}: {message}"
        for message, files in written(language).items()
        if message not in used
        for file in files
    )
    assert not left, "no page says these any more"


@each_language
def test_a_sentence_reads_the_same_on_every_page(language: str) -> None:
    found = defaultdict(set)
    for file in _files(language):
        for message in read_po(BytesIO(file.read_bytes())):
            if message.id:
                found[key(message.id)].add(key(message.string))
    assert {message: ways for message, ways in found.items() if len(ways) > 1} == {}


@each_language
def test_translations_are_complete_and_keep_what_is_filled_in(language: str) -> None:
    wrong = list(faults_in(language))
    assert not wrong, "\n".join(wrong)


def test_both_kinds_of_norwegian_are_kept_apart() -> None:
    # Mere copies of bokmål would be no nynorsk: the two differ in most sentences of more than a few words.
    long = [message for message in spoken() if isinstance(message, str) and message.count(" ") > 7]
    same = [message for message in long if words("nb").gettext(message) == words("nn").gettext(message)]
    assert len(same) <= len(long) / 10, same


@pytest.mark.parametrize(
    ("saved", "cookie", "accepted", "usual", "expected"),
    [
        ("nn", "en", "en", "nb", "nn"),
        (None, "en", "nb", "nb", "en"),
        (None, None, "nn-NO,nn;q=0.9,en;q=0.8", "nb", "nn"),
        (None, None, "no", "en", "nb"),
        (None, None, "de-DE,de;q=0.9,en;q=0.5,nb;q=0.7", None, "nb"),
        (None, None, "fr", "nn", "nn"),
        (None, None, "en;q=0", None, "nb"),
        (None, None, "en;q=x, ;;,", None, "nb"),
        ("de", "xx", None, None, "nb"),
    ],
)
def test_the_language_is_the_reader_s_choice_then_the_browser_s_then_the_organisation_s(
    saved: str | None, cookie: str | None, accepted: str | None, usual: str | None, expected: str
) -> None:
    assert chosen_language(saved=saved, cookie=cookie, accepted=accepted, usual=usual) == expected


@cache
def spoken() -> frozenset[str | tuple[str, ...]]:
    """Every message that a template or a module of the pages speaks."""
    found = extract_from_dir(
        str(_WEB),
        method_map=[("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")],
        options_map={"templates/**.html": {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}},
        keywords={"_": None, "gettext": None, "ngettext": (1, 2)},
    )
    return frozenset(message for _, _, message, _, _ in found)


@cache
def written(language: str) -> dict[str, list[str]]:
    """Every message of a language's files, and in which it stands."""
    found = defaultdict(list)
    for file in _files(language):
        for message in read_po(BytesIO(file.read_bytes())):
            if message.id:
                found[key(message.id)].append(file.name)
    return dict(found)


def faults_in(language: str) -> Iterator[str]:
    """What is wrong with single translations: empty, marked as doubtful, or with other placeholders."""
    for file in _files(language):
        for message in read_po(BytesIO(file.read_bytes())):
            if not message.id:
                continue
            ids, strings = _forms(message.id), _forms(message.string)
            if message.fuzzy or not all(strings) or len(strings) != len(ids):
                yield f"{file.name}: not translated: {ids[0]}"
            for one, other in zip(ids, strings, strict=False):
                if set(_PLACEHOLDER.findall(one)) != set(_PLACEHOLDER.findall(other)):
                    yield f"{file.name}: other placeholders: {one}"


def key(message: object) -> str:
    """One text for a message, single or with a plural."""
    return " | ".join(message) if isinstance(message, tuple | list) else str(message)


def _forms(text: object) -> list[str]:
    """One form of a message, or one for each number."""
    return [str(each or "") for each in text] if isinstance(text, tuple | list) else [str(text or "")]


def _files(language: str) -> list[Path]:
    return sorted((_WEB / "locale" / language).glob("*.po"))
