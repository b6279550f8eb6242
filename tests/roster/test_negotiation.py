"""Which form and language somebody gets, and when they need nothing new."""

from __future__ import annotations

import pytest

from peerpause.roster.negotiation import etag, is_held_already, preferred_form, preferred_language


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, "json"),
        ("", "json"),
        ("*/*", "json"),
        ("application/json", "json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"),
        ("text/html;q=0.5, application/json", "json"),
        ("text/*", "html"),
        ("TEXT/HTML", "html"),
        ("image/png", "json"),
        ("text/html;q=0, */*", "json"),
        ("text/html;q=x, application/json;q=nan", "json"),
        (";;;,,,q=1", "json"),
    ],
)
def test_it_gives_html_only_where_that_is_liked_better(accept: str | None, form: str) -> None:
    assert preferred_form(accept) == form


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        ("nn", "en", "nn"),
        ("de", "en-GB,en;q=0.9", "en"),
        (None, "nn-NO,nb;q=0.9", "nn"),
        (None, "de,en;q=0.3,no;q=0.5", "nb"),
        (None, "de", "en"),
        (None, "nb;q=0", "en"),
        (None, None, "en"),
        ("NB_no", None, "nb"),
    ],
)
def test_it_finds_the_language(asked: str | None, accepted: str | None, language: str) -> None:
    assert preferred_language(asked, accepted, otherwise="en") == language


def test_it_knows_what_is_held_already() -> None:
    tag = etag(b"roster")
    assert tag != etag(b"another")
    assert is_held_already(f'"x", W/{tag}', tag)
    assert is_held_already("*", tag)
    assert not is_held_already(None, tag)
    assert not is_held_already(tag.strip('"'), tag)
