"""pgbench: the load generator that comes with PostgreSQL, and what it reports."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.servers import Server


@dataclass(frozen=True, slots=True)
class Load:
    """What a run of pgbench did: transactions, how many a second, their mean latency."""

    transactions: int
    per_second: float
    latency_ms: float


def pgbench(
    server: Server,
    script: str,
    *,
    database: str,
    clients: int,
    seconds: float | None = None,
    transactions: int | None = None,
    rate: float | None = None,
    protocol: Literal["simple", "extended", "prepared"] = "prepared",
    variables: Mapping[str, object] | None = None,
    claims: Mapping[str, object] | None = None,
) -> Load:
    """Run a script for so many seconds, or so many transactions a client; as quickly as it goes, or ``rate`` transactions a second.

    A transaction that fails fails the run.

    With ``claims`` (`sub`, `role`) as that person, the way a request comes in: login as `authenticator`, then the role and the
    token's claims. Without, as the superuser.
    """
    length: Sequence[str] = (
        ("-T", str(max(1, round(seconds)))) if seconds is not None else ("-t", str(transactions))
    )
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        done = subprocess.run(
            [
                str(Path(server.bin_path, "pgbench")),
                *("--no-vacuum", "--file", file.name, "--protocol", protocol),
                *("--client", str(clients), "--jobs", str(min(clients, 2)), *length),
                *(() if rate is None else ("--rate", f"{rate:g}")),
                *(part for name, value in (variables or {}).items() for part in ("-D", f"{name}={value}")),
                *("--host", server.folder, "--port", str(server.port)),
                *("--username", "authenticator" if claims else "postgres", database),
            ],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PGOPTIONS": _as_caller(claims)},
        )
    if done.returncode != 0 or "ERROR" in done.stderr:
        raise RuntimeError(f"pgbench failed:\n{done.stderr.strip()}")
    return Load(
        transactions=int(_figure(r"number of transactions actually processed: (\d+)", done.stdout)),
        per_second=_figure(r"tps = ([\d.]+) \(without", done.stdout),
        latency_ms=_figure(r"latency average = ([\d.]+) ms", done.stdout),
    )


def _as_caller(claims: Mapping[str, object] | None) -> str:
    if claims is None:
        return ""
    return f"-c role={claims['role']} -c request.jwt.claims={json.dumps(claims, separators=(',', ':'))}"


def _figure(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(f"pgbench reports otherwise than expected:\n{text}")
    return float(found[1])
