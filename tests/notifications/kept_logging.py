"""Puts logging back as it was after a test that configured it, so that no test hears less than it should."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog


@contextmanager
def kept_logging() -> Iterator[None]:
    """Remember handlers and levels, and put them back."""
    root, ours = logging.getLogger(), logging.getLogger("peerpause")
    handlers, level, our_level = root.handlers[:], root.level, ours.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        ours.setLevel(our_level)
        structlog.reset_defaults()
