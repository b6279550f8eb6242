"""How fast it is, beside what people would pick instead. One question a file (`bench_NN_….py`); the rest here is what they share.

Each question is a program of its own, `scripts/uv run python -m benchmarks.bench_01_status_change [--full]`, and writes its section of
RESULTS.md. `make bench` and `make bench-full` run all of them.
"""
