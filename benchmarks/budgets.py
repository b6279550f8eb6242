"""What the product may cost, as promised before anybody measured. A question names the budgets it answers for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from benchmarks.spread import Spread


@dataclass(frozen=True, slots=True)
class Budget:
    """A promise: ``what`` is ``at_least`` (or ``at_most``; one of the two is given) so many ``unit``."""

    question: int
    what: str
    at_least: float | None = None
    at_most: float | None = None
    unit: str = "×"

    @property
    def promise(self) -> str:
        """The bound in words: `at least 0.85 ×`."""
        if self.at_least is not None:
            return f"at least {self.at_least:g} {self.unit}"
        return f"at most {self.at_most:g} {self.unit}"

    def is_met(self, measured: Spread) -> bool:
        """Whether the median keeps the promise."""
        if self.at_least is not None:
            return measured.median >= self.at_least
        assert self.at_most is not None
        return measured.median <= self.at_most


BUDGETS: Final = {
    "change-in-sql": Budget(
        1, "throughput of a change of status, of a bare transaction's, 16 clients", at_least=0.85
    ),
    "change-over-http": Budget(2, "changes over HTTP, of the Django stack's", at_least=5),
    "roster-under-policies": Budget(4, "roster page, of the same query without row security", at_most=1.2),
    "roster-p95": Budget(4, "roster page, 95th percentile", at_most=20, unit="ms"),
    "status-under-policies": Budget(4, "one status, of the same query without row security", at_most=1.2),
    "status-p95": Budget(4, "one status, 95th percentile", at_most=20, unit="ms"),
    "nightly-check": Budget(5, "nightly check, of the bare set-wise statements", at_most=1.5),
    "push-against-sdk": Budget(6, "pushes a second, of the better of the SDK's two ways", at_least=5),
    "push-against-loop": Budget(6, "pushes a second, of a bare aiohttp loop", at_least=0.7),
    "commit-to-push-idle": Budget(7, "commit to push, idle, 95th percentile", at_most=250, unit="ms"),
    "commit-to-push-busy": Budget(
        7, "commit to push, 500 changes/s, 95th percentile", at_most=1000, unit="ms"
    ),
}
