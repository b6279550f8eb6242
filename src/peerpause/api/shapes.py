"""Reads the query of a PostgREST client: `select`, `order`, `limit`, `offset`, and filters such as `status=eq.active`.

The grammar is that of PostgREST's documentation, as far as it makes sense for a function's rows: no embedding, no casts, no full text
search. What is not read is refused in PostgREST's words, never ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal, get_args

from peerpause.database.shaping import STATES, AnyOrAll, Chosen, Condition, Filter, Operator, Shape, Sorted

RESERVED: Final = frozenset({"select", "order", "limit", "offset"})

_OPERATORS: Final = get_args(Operator)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_ ]{0,62}")
_MOST_CONDITIONS: Final = 100
_DEEPEST: Final = 10
_LOGIC: Final = re.compile(r"(not\.)?(and|or)")
_GROUP: Final = re.compile(r"(not\.)?(and|or)\((.*)\)", re.DOTALL)


class NotRead(Exception):
    """A part of the query that is not in the grammar, in PostgREST's words (PGRST100)."""

    def __init__(self, message: str, details: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


def read_shape(pairs: Iterable[tuple[str, str]]) -> Shape:
    """The shape that a query asks for. Raises ``NotRead``."""
    columns: tuple[Chosen, ...] | None = None
    order: tuple[Sorted, ...] = ()
    limit, offset = None, 0
    conditions: list[Condition] = []
    for key, text in pairs:
        match key:
            case "select":
                columns = _columns(text)
            case "order":
                order = tuple(_sort_term(part) for part in _split(text) if part)
            case "limit":
                limit = _number(key, text)
            case "offset":
                offset = _number(key, text)
            case _:
                conditions.append(_condition(key, text))
    if _count(conditions) > _MOST_CONDITIONS:
        raise NotRead(f"more than {_MOST_CONDITIONS} filters")
    return Shape(columns=columns, conditions=tuple(conditions), order=order, limit=limit, offset=offset)


def is_filter(key: str, text: str) -> bool:
    """Whether a pair of a GET's query is a filter, and not an argument of the function: PostgREST's rule is that it reads as one."""
    return _LOGIC.fullmatch(key) is not None or _read_operator(text) is not None


def _condition(key: str, text: str) -> Condition:
    if logic := _LOGIC.fullmatch(key):
        inner = re.fullmatch(r"\((.*)\)", text, re.DOTALL)
        if inner is None:
            raise NotRead(f'"failed to parse logic tree ({text[:100]})" (line 1, column 1)', 'expecting "("')
        return _group(logic[1] is not None, logic[2], inner[1], depth=1)
    return _filter(key, text, source=text)


def _group(negated: bool, word: str, text: str, *, depth: int) -> AnyOrAll:
    if depth > _DEEPEST:
        raise NotRead('"failed to parse logic tree" (line 1, column 1)', "too deep")
    joined_by: Literal["or", "and"] = "or" if word == "or" else "and"
    members = tuple(_member(part, depth=depth) for part in _split(text))
    return AnyOrAll(joined_by, members, negated)


def _member(text: str, *, depth: int) -> Condition:
    if group := _GROUP.fullmatch(text):
        return _group(group[1] is not None, group[2], group[3], depth=depth + 1)
    column, _, rest = text.partition(".")
    return _filter(column, rest, source=text, quotes=True)


def _filter(column: str, text: str, *, source: str, quotes: bool = False) -> Filter:
    read = _read_operator(text)
    if read is None or not _NAME.fullmatch(column):
        raise NotRead(
            f'"failed to parse filter ({source[:100]})" (line 1, column 1)',
            f'unexpected {source[:1]!r} expecting "not" or operator ({", ".join(_OPERATORS)})',
        )
    operator, value, negated = read
    match operator:
        case "in":
            inner = re.fullmatch(r"\((.*)\)", value, re.DOTALL)
            if inner is None:
                raise NotRead(
                    f'"failed to parse filter ({source[:100]})" (line 1, column 4)', 'expecting "("'
                )
            values = tuple(_unquoted(part) for part in _split(inner[1])) if inner[1] else ()
        case "is":
            if value.lower() not in STATES:
                raise NotRead(
                    f'"failed to parse filter ({source[:100]})" (line 1, column 4)',
                    "expecting null, not_null, true, false or unknown",
                )
            values = (value.lower(),)
        case "like" | "ilike":
            values = ((_unquoted(value) if quotes else value).replace("*", "%"),)
        case _:
            values = (_unquoted(value) if quotes else value,)
    return Filter(column, operator, values, negated)


def _read_operator(text: str) -> tuple[Operator, str, bool] | None:
    negated = text.startswith("not.")
    word, dot, value = text.removeprefix("not.").partition(".")
    found: Operator | None = next((each for each in _OPERATORS if each == word), None)
    return (found, value, negated) if found is not None and dot else None


def _columns(text: str) -> tuple[Chosen, ...] | None:
    chosen: list[Chosen] = []
    for part in _split(text):
        alias, colon, column = part.strip().rpartition(":")
        if column == "*" and not colon:
            return None
        if not _NAME.fullmatch(column) or (colon and not _NAME.fullmatch(alias)):
            raise NotRead(
                f'"failed to parse select parameter ({text[:100]})" (line 1, column 1)',
                "a function's columns are named with commas between, each perhaps as alias:column",
            )
        chosen.append(Chosen(column, alias or None))
    return tuple(chosen)


def _sort_term(text: str) -> Sorted:
    column, *words = text.strip().split(".")
    descending, nulls_first = False, None
    for place, word in enumerate(words):
        if word in ("asc", "desc") and place == 0:
            descending = word == "desc"
        elif word in ("nullsfirst", "nullslast") and place == len(words) - 1:
            nulls_first = word == "nullsfirst"
        else:
            words = ["?"]
            break
    if words == ["?"] or not _NAME.fullmatch(column):
        raise NotRead(
            f'"failed to parse order ({text[:100]})" (line 1, column 1)',
            "expecting a column, then asc or desc, then nullsfirst or nullslast",
        )
    return Sorted(column, descending, nulls_first)


def _number(key: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotRead(f'"failed to parse {key} ({text[:20]})" (line 1, column 1)', f"{key} is not a number")
    return int(text)


def _split(text: str) -> Sequence[str]:
    """The parts between the commas that stand in no parentheses and no quotes."""
    parts, depth, in_quotes, begin, at = [], 0, False, 0, 0
    while at < len(text):
        letter = text[at]
        if in_quotes and letter == "\\":
            at += 1
        elif letter == '"':
            in_quotes = not in_quotes
        elif not in_quotes and letter in "()":
            depth += 1 if letter == "(" else -1
        elif not in_quotes and depth == 0 and letter == ",":
            parts.append(text[begin:at])
            begin = at + 1
        at += 1
    return [*parts, text[begin:]]


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
    return text


def _count(conditions: Iterable[Condition]) -> int:
    return sum(
        _count(each.members) if isinstance(each, AnyOrAll) else max(1, len(each.values))
        for each in conditions
    )
