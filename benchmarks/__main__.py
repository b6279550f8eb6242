"""Asks every question, one process each: `python -m benchmarks [--full] [1 4 5]`."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run the benchmarks with these numbers, or all; 1 where one could not be run to its end."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("numbers", nargs="*", type=int, help="the questions to ask; all without them")
    parser.add_argument(
        "--full", action="store_true", help="take longer: more rounds, the sizes that were promised"
    )
    chosen = parser.parse_args()
    failed = []
    for number, module in _modules():
        if chosen.numbers and number not in chosen.numbers:
            continue
        print(f"== {module}", flush=True)
        full = ["--full"] if chosen.full else []
        if subprocess.run([sys.executable, "-m", f"benchmarks.{module}", *full], check=False).returncode != 0:
            failed.append(module)
    if failed:
        print(f"Not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _modules() -> list[tuple[int, str]]:
    files = sorted(Path(__file__).parent.glob("bench_*.py"))
    return [(int(found[1]), file.stem) for file in files if (found := re.match(r"bench_(\d+)_", file.stem))]


if __name__ == "__main__":
    sys.exit(main())
