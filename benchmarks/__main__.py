"""Run the speed benchmarks and print one table; CI runs the form with ``--short``.

Ratios are medians of interleaved runs, so that a busy machine slows both sides equally. The
short form fails on wrong results, never on time. To run one benchmark:
``python -m benchmarks.NAME [--short]``.
"""

from __future__ import annotations

import time

from benchmarks._measure import Row, environment, parse_short, run, run_in_fresh_process, table

# Modules that have a function of the same name.
NAMES = (
    "mfcc",
    "mel",
    "wav_to_features",
    "downmix",
    "memory",
    "cache_in_grid",
    "training",
    "predict_latency",
    "scaling",
    "import_time",
)


def main() -> None:
    short = parse_short(__doc__)
    print(environment(), flush=True)
    rows: list[Row] = []
    for name in NAMES:
        start = time.perf_counter()
        rows += run(name, short) if short else run_in_fresh_process(name, short)
        print(f"{name}: {time.perf_counter() - start:.1f} s", flush=True)
    print("\n" + table(rows))


if __name__ == "__main__":
    main()
