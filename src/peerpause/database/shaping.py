"""Which rows, columns and order a client wants of a function's answer, and how that reads as SQL.

Names come out quoted and values as parameters, whatever the client wrote. Their types are PostgreSQL's to find out, so that values are
compared as it compares them everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, assert_never

from psycopg.sql import Identifier

from peerpause import sql

Operator: TypeAlias = Literal[
    "eq", "neq", "gt", "gte", "lt", "lte", "like", "ilike", "in", "is", "isdistinct"
]

_SYMBOLS: Final[Mapping[str, str]] = {
    "eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "like": "like", "ilike": "ilike",
    "isdistinct": "is distinct from",
}  # fmt: skip
_STATES: Final[Mapping[str, str]] = {
    "null": "null", "not_null": "not null", "true": "true", "false": "false", "unknown": "unknown",
}  # fmt: skip
STATES: Final = frozenset(_STATES)
"""What a column can be asked to be with ``is``."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition on one column. ``values`` is one value, or for ``in`` any number."""

    column: str
    operator: Operator
    values: tuple[str, ...] = field(repr=False)
    negated: bool = False


@dataclass(frozen=True, slots=True)
class AnyOrAll:
    """Conditions of which one must hold, or all."""

    joined_by: Literal["or", "and"]
    members: tuple[Condition, ...]
    negated: bool = False


Condition: TypeAlias = Filter | AnyOrAll


@dataclass(frozen=True, slots=True)
class Chosen:
    """A column of the answer, under its own name or another."""

    column: str
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Sorted:
    """A column to sort by. Where nothing is said of nulls they are the largest, as PostgreSQL has it."""

    column: str
    descending: bool = False
    nulls_first: bool | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """How a client wants the rows of an answer. ``columns`` None means all of them."""

    columns: tuple[Chosen, ...] | None = None
    conditions: tuple[Condition, ...] = ()
    order: tuple[Sorted, ...] = ()
    limit: int | None = None
    offset: int = 0

    @property
    def is_plain(self) -> bool:
        """Whether all of the answer is wanted, as it comes."""
        return self == Shape()

    @property
    def names(self) -> Iterator[str]:
        """Every column that is named anywhere."""
        yield from (each.column for each in self.columns or ())
        yield from _names(self.conditions)
        yield from (each.column for each in self.order)

    def around(self, call: str) -> tuple[str, Mapping[str, object]]:
        """The statement around a call, and the parameters it brings besides the call's own."""
        values: dict[str, object] = {"most": self.limit, "skipped": self.offset}
        text = (
            sql.query("shape_function")
            .replace("public.called()", call)
            .replace("public.kept()", _joined("and", self.conditions, values) or "true")
            .replace("public.chosen()", self._chosen())
            .replace("order by public.sorted()", self._sorted())
        )
        return text, values

    def _chosen(self) -> str:
        if self.columns is None:
            return "kept.*"
        return ", ".join(
            f"kept.{quoted(each.column)} as {quoted(each.alias or each.column)}" for each in self.columns
        )

    def _sorted(self) -> str:
        terms = ", ".join(_sort_term(each) for each in self.order)
        return f"order by {terms}" if terms else ""


def quoted(name: str) -> str:
    """A name as SQL, whatever is in it. For text that psycopg will look for placeholders in."""
    return Identifier(name).as_string(None).replace("%", "%%")


def _names(conditions: tuple[Condition, ...]) -> Iterator[str]:
    for condition in conditions:
        match condition:
            case Filter():
                yield condition.column
            case AnyOrAll():
                yield from _names(condition.members)
            case _:
                assert_never(condition)


def _joined(word: Literal["or", "and"], conditions: tuple[Condition, ...], values: dict[str, object]) -> str:
    return f" {word} ".join(_condition(each, values) for each in conditions)


def _condition(condition: Condition, values: dict[str, object]) -> str:
    match condition:
        case Filter():
            text = _comparison(condition, values)
        case AnyOrAll():
            text = _joined(condition.joined_by, condition.members, values)
        case _:
            assert_never(condition)
    return f"not ({text})" if condition.negated else f"({text})"


def _comparison(condition: Filter, values: dict[str, object]) -> str:
    column = f"called.{quoted(condition.column)}"
    if condition.operator == "is":
        return f"{column} is {_STATES[condition.values[0]]}"
    places = [_place(value, values) for value in condition.values]
    if condition.operator == "in":
        return f"{column} in ({', '.join(places)})" if places else "false"
    return f"{column} {_SYMBOLS[condition.operator]} {places[0]}"


def _place(value: str, values: dict[str, object]) -> str:
    name = f"value_{len(values)}"
    values[name] = value
    return f"%({name})s"


def _sort_term(term: Sorted) -> str:
    direction = " desc" if term.descending else ""
    nulls = "" if term.nulls_first is None else f" nulls {'first' if term.nulls_first else 'last'}"
    return f"kept.{quoted(term.column)}{direction}{nulls}"
