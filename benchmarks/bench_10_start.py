"""Question 10: how long it takes to begin: the library, the command, the server."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from benchmarks import server as servers
from benchmarks.question import Question, Report, Run, Table, ask, verify
from benchmarks.serving import peerpause
from benchmarks.spread import alternating
from tests.servers import Server

QUESTION: Final = Question(
    number=10,
    module="bench_10_start",
    title="Starting",
    method=(
        "Milliseconds from starting the process to its end, or for `serve` to the first answer, beside Python with nothing to do, and beside importing the parts that ours is built of "
        "(FastAPI, psycopg, aiohttp, structlog). Byte code is there already, as after any first run. Verified: each process ends well and says what it should; "
        "the server answers."
    ),
    no_budget="nothing was promised; it must not be felt.",
)

_PROGRAMS: Final[Mapping[str, tuple[str, str]]] = {
    "python": ("pass", ""),
    "`import peerpause`": ("import peerpause; print(peerpause.MentorStatus.PAUSED)", "paused"),
    "`peerpause --help`": (
        "import sys; sys.argv = ['peerpause', '--help']; from peerpause.cli import main; main()",
        "Usage: peerpause",
    ),
    "what ours is built of": ("import aiohttp, fastapi, psycopg, psycopg_pool, structlog, uvicorn", ""),
}


def measure(run: Run) -> Report:
    """Start each of them in turn."""
    with servers.durable_server() as server:
        measures: dict[str, Callable[[], float]] = {
            name: partial(_milliseconds, program, said) for name, (program, said) in _PROGRAMS.items()
        }
        measures["`peerpause serve`"] = partial(_until_ready, server)
        for name, take in measures.items():
            run.say(f"{name} …")
            take()  # once before it counts: byte code, disk
        run.say("alternating …")
        rounds = alternating(measures, rounds=9 if run.full else 3)
    return Report(
        tables=[
            Table(
                ["", "ms", "of python alone"],
                [[name, rounds.of(name), rounds.ratio(name, to="python")] for name in measures],
            )
        ]
    )


def _milliseconds(program: str, said: str) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=_environment()
    )
    took = time.perf_counter() - began
    verify(f"{said!r} is in what it says", said in done.stdout, True)
    return took * 1000


def _until_ready(server: Server) -> float:
    url = servers.url(server, user="authenticator")
    with peerpause(url, "--no-worker") as served:
        return served.ready_after * 1000


def _environment() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


if __name__ == "__main__":
    ask(QUESTION, measure)
