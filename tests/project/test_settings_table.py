"""Every setting the program reads stands in README's table of settings, once that table is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from tests.project.sources import ROOT, Module, modules

_SETTING = re.compile(r"PEERPAUSE_[A-Z][A-Z0-9_]*[A-Z0-9]")
_PREFIX = "PEERPAUSE_"


def test_every_setting_stands_in_the_readme() -> None:
    assert not missing_from((ROOT / "README.md").read_text(encoding="utf-8"), settings_read_by(modules()))


def test_it_misses_a_setting_that_the_table_lacks() -> None:
    read = settings_read_by(
        [
            Module(name="one.py", text='import os\nos.environ["PEERPAUSE_LOG_LEVEL"]'),
            Module(
                name="two.py",
                text='class Settings(BaseSettings):\n  model_config = SettingsConfigDict(env_prefix="PEERPAUSE_")\n'
                "  database_url: str\n  smtp_url: str | None = None\n",
            ),
        ]
    )
    readme = "## Settings\n| setting | |\n|---|---|\n| `PEERPAUSE_LOG_LEVEL` | how much to say |\n| `PEERPAUSE_SMTP_URL` | |\n"
    assert missing_from(readme, read) == {"PEERPAUSE_DATABASE_URL"}


def test_prose_is_no_table() -> None:
    assert missing_from(
        "Set `PEERPAUSE_PORT`.\n| `PEERPAUSE_HOST` | |", {"PEERPAUSE_PORT", "PEERPAUSE_HOST"}
    ) == {"PEERPAUSE_PORT"}


def missing_from(readme: str, settings: set[str]) -> set[str]:
    """The settings without a row of their own. A README that has no table of settings yet misses nothing."""
    rows = {name for line in readme.splitlines() if line.startswith("|") for name in _SETTING.findall(line)}
    return settings - rows if rows else set()


def settings_read_by(sources: Iterable[Module]) -> set[str]:
    """The names in strings, and the fields of settings classes with our prefix."""
    found: set[str] = set()
    for module in sources:
        for node in ast.walk(module.tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and _SETTING.fullmatch(node.value)
            ):
                found.add(node.value)
            elif isinstance(node, ast.ClassDef) and _has_our_prefix(node):
                found.update(_fields_of(node))
    return found


def _has_our_prefix(node: ast.ClassDef) -> bool:
    return any(
        isinstance(child, ast.keyword)
        and child.arg == "env_prefix"
        and isinstance(child.value, ast.Constant)
        and child.value.value == _PREFIX
        for child in ast.walk(node)
    )


def _fields_of(node: ast.ClassDef) -> set[str]:
    return {
        _PREFIX + statement.target.id.upper()
        for statement in node.body
        if isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and not statement.target.id.startswith(("_", "model_config"))
        and "ClassVar" not in ast.unparse(statement.annotation)
    }
