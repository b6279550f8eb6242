"""Numbers from a noisy machine: pairs of runs that alternate, and the median with its extremes instead of one figure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some readings, the lowest and the highest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, readings: Iterable[float]) -> Self:
        """The spread of one reading or more."""
        sorted_readings = sorted(readings)
        return cls(statistics.median(sorted_readings), sorted_readings[0], sorted_readings[-1])

    def __str__(self) -> str:
        """`1.07 (1.02–1.11)`, with three digits that count; one reading stands alone."""
        if self.low == self.high:
            return digits(self.median)
        return f"{digits(self.median)} ({digits(self.low)}–{digits(self.high)})"


def digits(figure: float) -> str:
    """Three digits that count, thousands with commas, never an exponent."""
    if abs(figure) >= 100:
        return f"{figure:,.0f}"
    if abs(figure) >= 10:
        return f"{figure:.1f}"
    return f"{figure:.2f}" if abs(figure) >= 0.1 else f"{figure:.3g}"


def percentile(readings: Iterable[float], share: float) -> float:
    """The reading that this share (0.95) of them do not exceed."""
    sorted_readings = sorted(readings)
    return sorted_readings[min(len(sorted_readings) - 1, int(share * len(sorted_readings)))]


@dataclass(frozen=True, slots=True)
class Rounds:
    """What several measures gave, round by round."""

    readings: Mapping[str, list[float]]

    def of(self, name: str) -> Spread:
        """One measure's readings."""
        return Spread.of(self.readings[name])

    def ratio(self, name: str, to: str) -> Spread:
        """One measure in relation to another of the same round: what the machine did to both in that round cancels out."""
        return Spread.of(
            mine / theirs for mine, theirs in zip(self.readings[name], self.readings[to], strict=True)
        )


def alternating(measures: Mapping[str, Callable[[], float]], *, rounds: int) -> Rounds:
    """Take each measure once a round, A B, then B A, then A B …, so that a drift of the machine favours nobody."""
    readings: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds):
        names = list(measures) if number % 2 == 0 else list(measures)[::-1]
        for name in names:
            readings[name].append(measures[name]())
    return Rounds(readings)
