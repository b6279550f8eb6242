"""wrk: a load generator in C, so that what is measured is the server and never the client."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Final

# wrk counts what was answered while it ran; it gives its own summary to this, which says it in JSON.
_SUMMARY: Final = """
function done(summary, latency, requests)
  io.write(string.format(
    '\\nSUMMARY {"requests": %d, "refused": %d, "broken": %d, "seconds": %f, "p50": %f, "p95": %f, "p99": %f}\\n',
    summary.requests, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3
  ))
end
"""


@dataclass(frozen=True, slots=True)
class HttpLoad:
    """What a run of wrk did. ``refused`` were answered with another status than 2xx or 3xx; latencies are in milliseconds."""

    requests: int
    refused: int
    broken: int
    seconds: float
    p50: float
    p95: float
    p99: float

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def wrk(url: str, *, connections: int, seconds: float, script: str = "") -> HttpLoad:
    """Load an address of this machine over so many connections, from one thread. ``script`` is Lua, as wrk has it."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script + _SUMMARY)
        file.flush()
        try:
            done = subprocess.run(
                [
                    *("wrk", "--threads", "1", "--connections", str(connections)),
                    *(
                        "--duration",
                        f"{max(1, round(seconds))}s",
                        "--timeout",
                        "30s",
                        "--script",
                        file.name,
                        url,
                    ),
                ],
                capture_output=True,
                text=True,
                check=True,
            )
        except FileNotFoundError:
            raise SystemExit("This benchmark loads with wrk. On Debian: apt-get install wrk") from None
    (summary,) = (line for line in done.stdout.splitlines() if line.startswith("SUMMARY "))
    return HttpLoad(**json.loads(summary.removeprefix("SUMMARY ")))
