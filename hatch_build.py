"""Lets the build of the Python package make the static files of the web pages first, also for an editable install."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent / "scripts"))
import build_assets


class StaticFiles(BuildHookInterface[Any]):
    """Builds `web/static` unless it is up to date, as it is in an unpacked source distribution."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node.js as a wheel, where the machine has none."""
        return [] if build_assets.has_node() else [build_assets.NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build before the files of the package are collected."""
        build_assets.build(Path(self.root))
