"""The functions that clients may call by name: which there are, what they take, and how a call reads.

Which there are is told by our own migrations, so no other function of the schema `public` can be reached; what they take is read
from the database, so the two cannot disagree.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from peerpause import sql
from peerpause.database.session import Caller, Service, Sessions
from peerpause.database.shaping import Shape, quoted

_CREATED = re.compile(r"^create (?:or replace )?function public\.(\w+)\s*\(", re.MULTILINE)
_FRAME_GAP: Final = "public.called()"
_READ_AT_MOST_EVERY: Final = 5.0


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a function: its name, its SQL type, and whether it has no default."""

    name: str
    type: str
    required: bool


@dataclass(frozen=True, slots=True)
class Function:
    """A function clients may call. ``is_read_only`` ones change nothing, so they may be asked for with GET.

    ``columns`` are those of the rows it gives, none for a single value.
    """

    name: str
    arguments: tuple[Argument, ...]
    is_read_only: bool
    gives_set: bool
    gives_nothing: bool
    columns: tuple[str, ...] = ()

    def takes(self, given: Iterable[str]) -> bool:
        """Whether it can be called with arguments of exactly these names."""
        names = set(given)
        known = {argument.name for argument in self.arguments}
        required = {argument.name for argument in self.arguments if argument.required}
        return required <= names <= known


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A call as a statement. ``given`` names the arguments that are passed; the others take their defaults.

    ``arguments`` is the JSON object they are in, which PostgreSQL itself reads: each value becomes the argument's type.
    """

    function: Function
    given: frozenset[str]
    arguments: str = field(repr=False)
    shape: Shape = field(default_factory=Shape)

    @property
    def text(self) -> str:
        """The statement."""
        if self.shape.is_plain:
            return sql.query("call_function").replace(_FRAME_GAP, self._call())
        return self.shape.around(self._call())[0]

    @property
    def parameters(self) -> Mapping[str, object]:
        """The parameters of the statement: the arguments, and the values of filters."""
        arguments = {"arguments": self.arguments} if self.given else {}
        return arguments if self.shape.is_plain else {**arguments, **self.shape.around(self._call())[1]}

    def _call(self) -> str:
        name = f"public.{quoted(self.function.name)}"
        passed = [argument for argument in self.function.arguments if argument.name in self.given]
        if not passed:
            return f"{name}()"
        columns = ", ".join(f"{quoted(each.name)} {each.type}" for each in passed)
        values = ", ".join(f"{quoted(each.name)} => given.{quoted(each.name)}" for each in passed)
        return f"json_to_record(%(arguments)s::json) as given ({columns}), lateral {name}({values})"


@dataclass(frozen=True, slots=True)
class FunctionAnswer:
    """What a function gave: ``answers`` is a JSON list of them, ``count`` how many, of ``total`` that the filters left."""

    answers: str = field(repr=False)
    count: int
    total: int


class ClientFunctions:
    """The functions of one database that clients may call. Their signatures are read once, and again if one seems missing."""

    def __init__(self, *, sessions: Sessions) -> None:
        self._sessions = sessions
        self._known: Mapping[str, tuple[Function, ...]] = {}
        self._read_at: float | None = None

    async def find(self, name: str, given: Iterable[str]) -> Function | None:
        """The function of this name that takes arguments of these names; None where there is none. Raises ``Unavailable``."""
        if name not in client_function_names():
            return None
        names = frozenset(given)
        found = self._pick(name, names)
        if found is None and self._may_read():
            # Perhaps a migration has been applied since.
            self._known = await self._read()
            self._read_at = time.monotonic()
            found = self._pick(name, names)
        return found

    async def call(self, caller: Caller, call: FunctionCall) -> FunctionAnswer:
        """Call as ``caller`` and commit. Raises what the database refuses with, ``Unavailable`` when it is away."""
        ((row,),) = await self._sessions.call_all(caller, call)
        return FunctionAnswer(
            answers=row["answers"], count=row["count"], total=row["total"] if "total" in row else row["count"]
        )

    def _pick(self, name: str, given: frozenset[str]) -> Function | None:
        return next((each for each in self._known.get(name, ()) if each.takes(given)), None)

    def _may_read(self) -> bool:
        return self._read_at is None or time.monotonic() - self._read_at > _READ_AT_MOST_EVERY

    async def _read(self) -> Mapping[str, tuple[Function, ...]]:
        names = sorted(client_function_names())
        known: dict[str, tuple[Function, ...]] = {}
        for row in await self._sessions.call(Service(), "read_functions", {"names": names}):
            function = _read_function(row)
            known[function.name] = (*known.get(function.name, ()), function)
        return known


@cache
def client_function_names() -> frozenset[str]:
    """The functions that our migrations put into the schema `public`."""
    return frozenset(name for migration in sql.migrations() for name in _CREATED.findall(migration.text))


def _read_function(row: Mapping[str, Any]) -> Function:
    return Function(
        name=row["function_name"],
        arguments=tuple(Argument(**argument) for argument in row["arguments"]),
        is_read_only=row["is_read_only"],
        gives_set=row["gives_set"],
        gives_nothing=row["gives_nothing"],
        columns=tuple(row["columns"]),
    )
