"""Each module says what it is for, is short enough to be read at one sitting, and has one colour of I/O."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.sources import PACKAGE, ROOT, Module, modules

_MOST_LINES = 350
_VAGUE_NAMES = {"utils", "util", "common", "helpers", "helper", "base", "core", "misc", "shared", "manager"}

each_module = pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)


@each_module
def test_it_opens_with_a_sentence(module: Module) -> None:
    assert opens_with_a_sentence(module), f"{module.name} needs a docstring that says what it is for"


@each_module
def test_it_can_be_read_at_one_sitting(module: Module) -> None:
    assert fits_one_sitting(module), f"{module.name} has more than {_MOST_LINES} lines; is it one idea?"


@each_module
def test_it_has_no_twin_in_the_other_colour(module: Module) -> None:
    assert list(twins_in(module)) == []


@each_module
def test_its_name_says_what_it_holds(module: Module) -> None:
    assert not has_a_vague_name(module.name)


@pytest.mark.parametrize(
    "folder",
    sorted({path.parent for path in PACKAGE.rglob("*.py")}),
    ids=lambda folder: str(folder.relative_to(ROOT)),
)
def test_every_folder_with_python_is_a_package(folder: Path) -> None:
    assert (folder / "__init__.py").exists()


def test_it_misses_an_absent_sentence() -> None:
    assert not opens_with_a_sentence(Module(name="example.py", text="import json\n"))


def test_it_stops_at_a_module_of_one_line_too_many() -> None:
    assert fits_one_sitting(Module(name="example.py", text="pass\n" * _MOST_LINES))
    assert not fits_one_sitting(Module(name="example.py", text="pass\n" * (_MOST_LINES + 1)))


@pytest.mark.parametrize(
    "text",
    [
        "def pause(): ...\nasync def apause(): ...",
        "class Service:\n  def pause(self): ...\n  async def pause_async(self): ...",
        "async def pause(): ...\ndef pause_sync(): ...",
        "class Repository: ...\nclass AsyncRepository: ...",
    ],
)
def test_it_spots_a_twin(text: str) -> None:
    assert len(list(twins_in(Module(name="example.py", text=text)))) == 1


def test_a_name_that_only_looks_like_a_twin_is_fine() -> None:
    text = "def wait(): ...\ndef await_(): ...\nclass One:\n  def pause(self): ...\nclass Other:\n  async def apause(self): ..."
    assert list(twins_in(Module(name="example.py", text=text))) == []


def test_it_spots_a_vague_name() -> None:
    assert has_a_vague_name("src/peerpause/status/utils.py")
    assert has_a_vague_name("src/peerpause/common/__init__.py")


def opens_with_a_sentence(module: Module) -> bool:
    """Whether the module's docstring holds a sentence."""
    return "." in (ast.get_docstring(module.tree) or "")


def fits_one_sitting(module: Module) -> bool:
    """Whether the module is short enough."""
    return len(module.text.splitlines()) <= _MOST_LINES


def has_a_vague_name(name: str) -> bool:
    """Whether a file or one of its folders is called something that could hold anything."""
    return not _VAGUE_NAMES.isdisjoint(name.removesuffix(".py").split("/"))


def twins_in(module: Module) -> Iterator[str]:
    """Pairs of functions or classes that do one thing in two colours."""
    for body in _scopes(module.tree):
        defined = {
            node.name: node
            for node in body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }
        for name, node in defined.items():
            for pattern in ("a{}", "{}_async", "async_{}", "{}_sync", "sync_{}", "Async{}"):
                twin = defined.get(pattern.format(name))
                if twin is not None and _differ_in_colour(node, twin):
                    yield f"{module.name}: {name} and {twin.name}"


def _scopes(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    yield tree.body
    yield from (node.body for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def _differ_in_colour(one: ast.stmt, other: ast.stmt) -> bool:
    if isinstance(one, ast.ClassDef) and isinstance(other, ast.ClassDef):
        return True
    return isinstance(one, ast.AsyncFunctionDef) != isinstance(other, ast.AsyncFunctionDef)
