"""Who may do what, as a value: objects, kinds of people, places, and what is possible; as JSON and as Markdown. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class Place(StrEnum):
    """Where a row is, seen from whoever asks for it."""

    SELF = "own"
    NEAR = "own chapter"
    FAR = "other chapter"
    AWAY = "other organisation"


@dataclass(frozen=True, slots=True)
class Identity:
    """A kind of person, and the places that make a difference to them."""

    name: str
    places: tuple[Place, ...]


IDENTITIES: Final = (
    Identity("visitor", (Place.NEAR,)),
    Identity("mentor", (Place.SELF, Place.NEAR, Place.FAR, Place.AWAY)),
    Identity("coordinator", (Place.NEAR, Place.FAR, Place.AWAY)),
    Identity("admin", (Place.NEAR, Place.FAR, Place.AWAY)),
    Identity("service", (Place.AWAY,)),
)


@dataclass(frozen=True, slots=True)
class AccessMatrix:
    """What was found. For each table and function, by identity and place: letters of what is possible, empty where nothing is.

    ``r`` sees rows, ``i`` inserts, ``u`` updates, ``d`` deletes, ``x`` calls.
    """

    tables: Mapping[str, Mapping[tuple[str, Place], str]]
    functions: Mapping[str, Mapping[tuple[str, Place], str]]

    def to_json(self) -> dict[str, Any]:
        """The matrix as JSON values: object → identity → place → letters."""
        return {"tables": _nested(self.tables), "functions": _nested(self.functions)}

    def to_markdown(self) -> str:
        """The matrix as two Markdown tables."""
        return "\n\n".join(
            "\n".join(_markdown(head, rows))
            for head, rows in (("table", self.tables), ("function", self.functions))
        )


def _nested(rows: Mapping[str, Mapping[tuple[str, Place], str]]) -> dict[str, dict[str, dict[str, str]]]:
    return {
        name: {
            identity.name: {place.value: cells[identity.name, place] for place in identity.places}
            for identity in IDENTITIES
        }
        for name, cells in rows.items()
    }


def _markdown(head: str, rows: Mapping[str, Mapping[tuple[str, Place], str]]) -> Iterator[str]:
    columns = [(identity.name, place) for identity in IDENTITIES for place in identity.places]
    titles = [name if name in ("visitor", "service") else f"{name}: {place.value}" for name, place in columns]
    yield f"| {head} | {' | '.join(titles)} |"
    yield "|---|" + "---|" * len(columns)
    for row, cells in rows.items():
        yield f"| `{row}` | " + " | ".join(cells[column] or "–" for column in columns) + " |"
