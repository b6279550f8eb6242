"""What browsers are sent beside the pages: small, kept for ever, from nowhere but here."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from peerpause.errors import ConfigurationError
from peerpause.web.static import read_files, static_router, static_url

_FIRST_PAGE = ["designsystemet.css", "peerpause.css", "htmx.min.js", "peerpause.js"]
_STATIC = Path(__file__).parents[2] / "src" / "peerpause" / "web" / "static"
# Names of XML vocabularies look like addresses, but nobody fetches them.
_VOCABULARY = re.compile(
    r"https?(?:://|%3A%2F%2F)www\.w3\.org(?:/|%2F)\d{4}(?:/|%2F)(?:svg|xhtml|xlink)", re.IGNORECASE
)

each_file = pytest.mark.parametrize("name", [*_FIRST_PAGE, "icon.svg", "licences.txt"])


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(static_router())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pages.test") as client:
        yield client


@each_file
async def test_it_is_kept_for_ever_under_the_name_of_its_content(
    browser: httpx.AsyncClient, name: str
) -> None:
    answer = await browser.get(static_url(name))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert hashlib.sha256(answer.content).hexdigest()[:16] in static_url(name)
    assert answer.content == (_STATIC / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("peerpause.css", "text/css; charset=utf-8"),
        ("peerpause.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
        ("licences.txt", "text/plain; charset=utf-8"),
    ],
)
async def test_it_says_what_it_is(browser: httpx.AsyncClient, name: str, media_type: str) -> None:
    assert (await browser.get(static_url(name))).headers["content-type"] == media_type


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br", "gzip"),
        ("GZIP;q=0.5", "gzip"),
        ("*", "gzip"),
        ("*, gzip;q=0", None),
        ("gzip;q=0.000", None),
        ("br", None),
        ("identity", None),
    ],
)
async def test_it_is_compressed_for_whoever_can_unpack_it(
    browser: httpx.AsyncClient, accepted: str, coding: str | None
) -> None:
    answer = await browser.get(static_url("peerpause.css"), headers={"Accept-Encoding": accepted})
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.content == (_STATIC / "peerpause.css").read_bytes()


async def test_the_first_page_stays_light(browser: httpx.AsyncClient) -> None:
    answers = [
        await browser.get(static_url(name), headers={"Accept-Encoding": "gzip"}) for name in _FIRST_PAGE
    ]
    transferred = [int(answer.headers["content-length"]) for answer in answers]
    assert sum(transferred) < 60_000, dict(zip(_FIRST_PAGE, transferred, strict=True))


async def test_whoever_has_it_is_not_sent_it_again(browser: httpx.AsyncClient) -> None:
    first = await browser.get(static_url("peerpause.js"))
    again = await browser.get(
        static_url("peerpause.js"), headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'}
    )
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert again.headers["cache-control"] == first.headers["cache-control"]


async def test_the_packed_and_the_plain_form_have_tags_of_their_own(browser: httpx.AsyncClient) -> None:
    tags = {
        (await browser.get(static_url("peerpause.js"), headers={"Accept-Encoding": coding})).headers["etag"]
        for coding in ["gzip", "identity"]
    }
    assert len(tags) == 2


async def test_head_tells_the_same_without_the_content(browser: httpx.AsyncClient) -> None:
    got, asked = await browser.get(static_url("htmx.min.js")), await browser.head(static_url("htmx.min.js"))
    assert asked.status_code == 200
    assert (asked.headers["content-length"], asked.headers["etag"]) == (
        got.headers["content-length"],
        got.headers["etag"],
    )


@pytest.mark.parametrize(
    "path",
    [
        "/static/peerpause.css",
        "/static/peerpause.0000000000000000.css",
        "/static/.built-from",
        "/static/..%2Fstatic.py",
        "/static/%2e%2e/static.py",
        "/static/%2Fetc%2Fpasswd",
        "/static/",
    ],
)
async def test_nothing_else_is_found(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status_code == 404
    assert "immutable" not in answer.headers.get("cache-control", "")


def test_it_is_no_part_of_the_described_api() -> None:
    app = FastAPI()
    app.include_router(static_router())
    assert app.openapi()["paths"] == {}


@pytest.mark.parametrize("name", _FIRST_PAGE)
def test_nothing_is_fetched_from_anybody_else(name: str) -> None:
    text = _VOCABULARY.sub("", (_STATIC / name).read_text(encoding="utf-8"))
    assert re.findall(r"https?(?:://|%3A%2F%2F)[^\s\"')]*", text) == []
    addresses = re.findall(r"url\(\s*[\"']?([^)\"']*)", text)
    assert [address for address in addresses if not address.startswith("data:")] == []
    assert "@import" not in text
    assert "@font-face" not in text


def test_our_script_needs_no_permission_to_evaluate_text_or_to_style_inline() -> None:
    script = (_STATIC / "peerpause.js").read_text(encoding="utf-8")
    assert (
        re.findall(r"\beval\b|new Function|innerHTML\s*=[^=]|\.style\b|cssText|document\.write", script) == []
    )


def test_our_style_sheet_takes_its_colours_from_the_design_system() -> None:
    css = re.sub(r"url\('[^']*'\)", "", (_STATIC / "peerpause.css").read_text(encoding="utf-8"))
    assert re.findall(r":[^;{}]*(?:#[0-9a-f]{3,8}\b|rgba?\(|hsla?\()[^;{}]*", css) == []


def test_our_style_sheet_knows_only_tokens_that_exist() -> None:
    defined = "".join(
        (_STATIC / name).read_text(encoding="utf-8") for name in ["designsystemet.css", "peerpause.css"]
    )
    used = set(
        re.findall(r"var\((--(?:ds|pp)-[\w-]+)", (_STATIC / "peerpause.css").read_text(encoding="utf-8"))
    )
    assert used
    assert {token for token in used if not re.search(rf"{token}\s*:", defined)} == set()


def test_an_unknown_name_is_told_apart_at_once() -> None:
    with pytest.raises(
        ConfigurationError, match=r"no static file named logo\.css; there are .*peerpause\.css"
    ):
        static_url("logo.css")


def test_a_changed_file_gets_another_address(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("p{margin:0}")
    before = read_files(tmp_path)["a.css"]
    (tmp_path / "a.css").write_text("p{margin:1px}")
    after = read_files(tmp_path)["a.css"]
    assert before.fingerprinted != after.fingerprinted
    assert gzip.decompress(after.gzipped) == b"p{margin:1px}"


@pytest.mark.parametrize("folder", ["absent", "empty"])
def test_missing_files_are_told_with_what_to_do(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigurationError, match="static files of the web pages are missing") as refusal:
        read_files(tmp_path / folder)
    assert "make setup" in str(refusal.value.hint)
