"""Servers under measurement, each a process of its own: started, waited for, and ended with the block."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SECRET: Final = "a secret of more than thirty-two bytes, for benchmarks"
"""What our tokens are signed with here."""

_PATIENCE: Final = 120.0
_TICK: Final = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers at ``url``. ``ready_after`` is how many seconds it took to."""

    url: str
    process: subprocess.Popen[bytes]
    ready_after: float

    @property
    def cpu_seconds(self) -> float:
        """What the process and its children have computed for so far."""
        return sum(_cpu_seconds(pid) for pid in _family(self.process.pid))


@contextmanager
def peerpause(url: str, *options: str, settings: Mapping[str, str] | None = None) -> Iterator[Served]:
    """`peerpause serve` on the database at ``url``, quiet about what it answers; ready when `/readyz` or at least `/healthz` says so."""
    command = [sys.executable, "-c", "from peerpause.cli import main; main()", "serve", *options]
    variables = {
        "PEERPAUSE_DATABASE_URL": url,
        "PEERPAUSE_JWT_SECRET": SECRET,
        "PEERPAUSE_CHANGES_PER_MINUTE": "0",
        **(settings or {}),
    }
    with serving(command, variables, port_option="--port") as served:
        yield served


@contextmanager
def serving(command: Sequence[str], variables: Mapping[str, str], *, port_option: str) -> Iterator[Served]:
    """Run a command that listens on the port it is given, until the end of the block."""
    port = _free_port()
    with tempfile.TemporaryFile() as log:
        began = time.monotonic()
        process = subprocess.Popen(
            [*command, port_option, str(port) if port_option == "--port" else f"127.0.0.1:{port}"],
            env={**os.environ, **variables},
            stdout=log,
            stderr=log,
        )
        try:
            _wait_until_it_answers(process, port, began)
            yield Served(f"http://127.0.0.1:{port}", process, time.monotonic() - began)
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read()[-3000:].decode(errors="replace"))
            raise
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, began: float) -> None:
    while time.monotonic() - began < _PATIENCE:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as asking:
                asking.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                if asking.recv(12).startswith(b"HTTP/1."):
                    return
        except OSError:
            time.sleep(0.01)
    raise RuntimeError(f"{process.args!r} did not answer within {_PATIENCE:.0f} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(each for child in children for each in _family(int(child)))]


def _cpu_seconds(pid: int) -> float:
    # Behind the name, which may hold anything, come state, parent …; the 12th and 13th are user's and system's time.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK
