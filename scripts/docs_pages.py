"""The pages of the documentation site that are made from other files: the repository's own pages, SQL contracts, routes. Run by MkDocs."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import mkdocs_gen_files
from prometheus_client import CollectorRegistry

from peerpause.api.app import create_app
from peerpause.settings import Settings
from peerpause.telemetry import Metrics

_ROOT: Final = Path(__file__).parents[1]
# Files of the repository that are pages of the site.
_PAGES: Final[Mapping[str, str]] = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "src/peerpause/sql/README.md": "database.md",
}
_LINK: Final = re.compile(r"(?P<bang>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")
_CREATED: Final = re.compile(
    r"^create function public\.(?P<name>\w+)\((?P<arguments>.*?)\)\nreturns (?P<answer>[^\n]+)", re.M | re.S
)
_MODULES: Final = (
    "peerpause",
    "peerpause.errors",
    "peerpause.status.rules",
    "peerpause.status.service",
    "peerpause.status.repository",
    "peerpause.notifications.service",
    "peerpause.certifications.expiry",
    "peerpause.database.session",
)


def main() -> None:
    """Make all of them."""
    for source, page in _PAGES.items():
        text = (_ROOT / source).read_text(encoding="utf-8")
        _write(page, _LINK.sub(partial(_on_site, source), text))
    _write("reference/sql.md", "\n".join(_sql_functions()))
    _write("reference/http.md", "\n".join(_routes()))
    _write("reference/python.md", "\n\n".join(["# Python modules", *(f"::: {name}" for name in _MODULES)]))


def _on_site(source: str, link: re.Match[str]) -> str:
    """A link of a page of the repository, as it leads on the site; what is not on the site becomes mere text."""
    target, _, anchor = link["target"].partition("#")
    if "://" in target or not target:
        return link[0]
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    page = _PAGES.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else None)
    if page is None or not (page.endswith(".md") or link["bang"]):
        return link["text"] if link["text"] != target else f"`{target}`"
    return f"{link['bang']}[{link['text']}]({page}{'#' + anchor if anchor else ''})"


def _sql_functions() -> Iterator[str]:
    """Every function that clients call, with the contract that stands above the work it does."""
    yield "# SQL functions"
    yield "\nFor clients, as `supabase.rpc(name, arguments)` or plain SQL. Made from the files in `src/peerpause/sql/objects/functions`."
    found: dict[str, str] = {}
    for file in sorted((_ROOT / "src/peerpause/sql/objects/functions").glob("*.sql")):
        text = file.read_text(encoding="utf-8")
        for made in _CREATED.finditer(text):
            arguments = re.sub(r"\s+", " ", made["arguments"]).strip()
            contract = _contract_above(text, f".{made['name']}(") or _contract_above(text, "create function")
            found[made["name"]] = (
                f"\n## {made['name']}\n\n```sql\npublic.{made['name']}({arguments})\nreturns {made['answer'].strip()}\n```\n\n{contract}"
            )
    for name in sorted(found):
        yield found[name]


def _contract_above(text: str, mark: str) -> str:
    """The comment right above the first line that holds the mark, as a paragraph."""
    lines = text.splitlines()
    at = next((number for number, line in enumerate(lines) if mark in line and "create function" in line), 0)
    comment: list[str] = []
    while at > 0 and lines[at - 1].startswith("--"):
        at -= 1
        comment.insert(0, lines[at].removeprefix("--").strip())
    return "\n".join(comment)


def _routes() -> Iterator[str]:
    """Every route of the HTTP API, by its tag."""
    app = create_app(
        Settings(jwt_secret="x" * 32),
        database_url="postgresql://",
        with_worker=False,
        metrics=Metrics(CollectorRegistry()),
    )
    by_tag: defaultdict[str, list[str]] = defaultdict(list)
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            for tag in operation.get("tags", ["other"]):
                by_tag[tag].append(_route(path, method, operation))
    yield "# HTTP routes"
    yield "\nMade from the API's own description, which a running API serves as `/openapi.json` and, for people, at `/docs`. [HTTP API](../http.md) explains them."
    for tag in sorted(by_tag):
        yield f"\n## {tag}\n"
        yield from by_tag[tag]


def _route(path: str, method: str, operation: Mapping[str, Any]) -> str:
    parameters = ", ".join(f"`{each['name']}`" for each in operation.get("parameters", ()))
    answers = ", ".join(operation.get("responses", {}))
    about = (operation.get("description") or operation.get("summary") or "").strip()
    lines = [f"### `{method.upper()} {path}`", "", about, ""]
    if parameters:
        lines += [f"Takes {parameters}.", ""]
    return "\n".join([*lines, f"Answers {answers}.", ""])


def _write(page: str, text: str) -> None:
    with mkdocs_gen_files.open(page, "w") as file:
        file.write(text + "\n")


main()
