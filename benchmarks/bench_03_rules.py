"""Question 3: what it costs to ask in memory whether a move is legal, beside the state machines people know."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any, Final

from benchmarks.question import Question, Report, Run, Table, ask, verify
from benchmarks.spread import alternating
from peerpause.status.rules import VALID_TRANSITIONS, MentorStatus, is_valid_transition

QUESTION: Final = Question(
    number=3,
    module="bench_03_rules",
    title="The rules in memory",
    method=(
        "May a mentor go from this status to that one? Asked for all nine pairs in turn, in one process. **Ours** is `is_valid_transition`, a look-up in "
        "a frozenset. **transitions** answers with `model.may_pause()`, **python-statemachine** with `machine.allowed_events`. Once with "
        "machines that stand in the right state already, and once as a service meets the question: a row came from the database, so "
        "the machine has to be put into its state first (`transitions`: `add_model` to one shared machine; "
        "`python-statemachine`: a machine with `start_value`). Verified: each of them finds the same three of the nine pairs legal."
    ),
    no_budget="it is asked to show that the choice of a frozenset costs nothing, not to win by it.",
)

_TRIGGERS: Final[Mapping[MentorStatus, str]] = {
    MentorStatus.PAUSED: "pause",
    MentorStatus.ACTIVE: "reactivate",
    MentorStatus.INACTIVE: "deactivate",
}
_PAIRS: Final = tuple(product(MentorStatus, MentorStatus))
_NAMES: Final = ("ours", "transitions", "python-statemachine")

Ask = Callable[[MentorStatus, MentorStatus], bool]


def measure(run: Run) -> Report:
    """Ask each of them, alternating."""
    report = Report()
    rows = []
    for kind, contenders in (("machines at hand", _standing()), ("from a row", _from_a_row())):
        run.say(f"{kind} …")
        for name, may in contenders.items():
            found = {pair for pair in _PAIRS if may(*pair)}
            verify(f"{name}, {kind}: legal moves", found, set(VALID_TRANSITIONS))
        rounds = alternating(
            {
                name: _questions_per_second(may, seconds=0.5 if run.full else 0.2)
                for name, may in contenders.items()
            },
            rounds=9 if run.full else 5,
        )
        rows.append(
            [
                kind,
                *(rounds.of(name) for name in _NAMES),
                rounds.ratio("ours", to="transitions"),
                rounds.ratio("ours", to="python-statemachine"),
            ]
        )
    report.tables.append(
        Table(
            [
                "",
                *(f"{name}, questions/s" for name in _NAMES),
                "ours : transitions",
                "ours : python-statemachine",
            ],
            rows,
        )
    )
    return report


def _questions_per_second(may: Ask, *, seconds: float) -> Callable[[], float]:
    def per_second() -> float:
        began, asked = time.perf_counter(), 0
        while (passed := time.perf_counter() - began) < seconds:
            for pair in _PAIRS:
                may(*pair)
            asked += len(_PAIRS)
        return asked / passed

    return per_second


def _standing() -> Mapping[str, Ask]:
    machine, statemachine = _transitions_machine(), _statemachine_class()
    models = {status: _model(machine, status) for status in MentorStatus}
    machines = {status: statemachine(start_value=status.value) for status in MentorStatus}

    def with_transitions(status: MentorStatus, to: MentorStatus) -> bool:
        return bool(getattr(models[status], f"may_{_TRIGGERS[to]}")())

    def with_statemachine(status: MentorStatus, to: MentorStatus) -> bool:
        return any(event.id == _TRIGGERS[to] for event in machines[status].allowed_events)

    return dict(zip(_NAMES, (is_valid_transition, with_transitions, with_statemachine), strict=True))


def _from_a_row() -> Mapping[str, Ask]:
    machine, statemachine = _transitions_machine(), _statemachine_class()

    def ours(status: str, to: MentorStatus) -> bool:
        return is_valid_transition(MentorStatus(status), to)

    def with_transitions(status: str, to: MentorStatus) -> bool:
        model = _model(machine, MentorStatus(status))
        try:
            return bool(getattr(model, f"may_{_TRIGGERS[to]}")())
        finally:
            machine.remove_model(model)

    def with_statemachine(status: str, to: MentorStatus) -> bool:
        return any(
            event.id == _TRIGGERS[to] for event in statemachine(start_value=str(status)).allowed_events
        )

    return dict(zip(_NAMES, (ours, with_transitions, with_statemachine), strict=True))


class _Mentor:
    """What `transitions` decorates with its triggers."""


def _model(machine: Any, status: MentorStatus) -> _Mentor:
    model = _Mentor()
    machine.add_model(model, initial=status.value)
    return model


def _transitions_machine() -> Any:
    from transitions import Machine

    return Machine(
        model=None,
        states=[status.value for status in MentorStatus],
        transitions=[
            {"trigger": _TRIGGERS[to], "source": status.value, "dest": to.value}
            for status, to in VALID_TRANSITIONS
        ],
        initial=MentorStatus.ACTIVE.value,
    )


def _statemachine_class() -> Any:
    from statemachine import State, StateMachine

    class MentorMachine(StateMachine):  # type: ignore[misc]  # the package is not installed where this is checked
        """The three states and the three moves, as its documentation writes them."""

        active = State(initial=True, value="active")
        paused = State(value="paused")
        inactive = State(final=True, value="inactive")
        pause = active.to(paused)
        reactivate = paused.to(active)
        deactivate = active.to(inactive)

    return MentorMachine


if __name__ == "__main__":
    ask(QUESTION, measure)
