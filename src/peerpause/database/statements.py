"""Pure: a file of SQL cut into its statements, with the line each begins on.

Cuts where the Supabase CLI cuts, so that the ledger's `statements` are the same whoever applied the file. A piece keeps the comments
in front of it; what follows the last semicolon is a piece of its own, even if it is only a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<skip>
        --[^\n]*
      | [eE]'[^'\\]*(?:(?:\\.|'')[^'\\]*)*(?:'|\Z)
      | '[^']*(?:''[^']*)*(?:'|\Z)
      | "[^"]*(?:""[^"]*)*(?:"|\Z)
      | (?P<dollar>\$(?:[^\W\d]\w*)?\$) .*? (?:(?P=dollar)|\Z)
    )
  | (?P<comment>/\*)
  | (?P<word>[^\W\d][\w$]*)
  | (?P<end>;)
  | .
    """,
    re.DOTALL | re.VERBOSE,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_LEADING_COMMENTS = re.compile(r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
_TRANSACTION_WORDS = frozenset({"begin", "start", "commit", "end", "rollback", "abort"})


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement without its semicolon; ``line`` is the file's line, from 1, on which ``text`` begins."""

    text: str
    line: int

    @property
    def ends_transaction(self) -> bool:
        """Whether it begins, commits or rolls back a transaction."""
        words = self.text[self._start_of_code() :].split(maxsplit=1)
        return bool(words) and words[0].lower() in _TRANSACTION_WORDS

    @property
    def code_line(self) -> int:
        """The file's line on which the statement's first word stands, behind its comments."""
        return self.line_of(self._start_of_code())

    def line_of(self, position: int) -> int:
        """The file's line of the character at ``position`` (from 0) of ``text``."""
        return self.line + self.text.count("\n", 0, position)

    def _start_of_code(self) -> int:
        found = _LEADING_COMMENTS.match(self.text)
        return found.end() if found else 0


def split(text: str) -> tuple[Statement, ...]:
    """The statements of ``text`` in order."""
    return tuple(
        Statement(text=piece.strip(), line=1 + text.count("\n", 0, start + len(piece) - len(piece.lstrip())))
        for start, piece in _pieces(text)
        if piece.strip()
    )


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    start = position = 0
    block = _AtomicBlock()
    while found := _TOKEN.match(text, position):
        position = found.end()
        if found["comment"]:
            position = _end_of_comment(text, position)
        elif found["word"]:
            block.see(found["word"].lower())
        elif found["end"] and not block.is_open:
            yield start, text[start : found.start()]
            start = position
            block = _AtomicBlock()
    yield start, text[start:]


class _AtomicBlock:
    """Whether we stand inside `begin atomic … end`, whose semicolons end no statement."""

    def __init__(self) -> None:
        self._depth = 0
        self._last = ""

    @property
    def is_open(self) -> bool:
        return self._depth > 0

    def see(self, word: str) -> None:
        begins = word == "atomic" and self._last == "begin"
        if begins or (self.is_open and word == "case"):
            self._depth += 1
        elif self.is_open and word == "end":
            self._depth -= 1
        self._last = word


def _end_of_comment(text: str, position: int) -> int:
    depth = 1
    while depth and (edge := _COMMENT_EDGE.search(text, position)):
        depth += 1 if edge[0] == "/*" else -1
        position = edge.end()
    return len(text) if depth else position
