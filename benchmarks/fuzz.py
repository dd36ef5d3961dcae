"""Feed the package damaged files, hostile arrays, tables and model files, and judge what it does.

Promised are: a result of the right shape that is finite, or a ValueError, OSError or UserWarning
that names the track. A crash, a hang, memory far above the size of the input, any other error,
and one without a name are failures. Inputs run in processes that are watched, so that none
takes the others along. Each is made from the seed and its number alone: ``--only`` runs one again.
"""

from __future__ import annotations

import argparse
import faulthandler
import multiprocessing
import os
import re
import tempfile
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks._fuzz_inputs import KINDS
from benchmarks._fuzz_targets import Workbench, prepare

_START = 120.0  # seconds for a process to start


def serve(prepared: Path, own: Path, seed: int, timeout: float, connection: Any) -> None:
    """Answer each number by what the input is and then by what comes of it.

    What C code prints is a failure of the input. At a crash and before the end of the time, the
    place in the code is printed.
    """
    printed = os.open(own / "printed", os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    faulthandler.enable()
    bench = Workbench(prepared, own)
    connection.send(None)
    while (number := connection.recv()) is not None:
        os.ftruncate(printed, 0)
        faulthandler.dump_traceback_later(0.9 * timeout)
        call = bench.make(seed, number)
        connection.send(call.what)
        outcome, failure = call.judge()
        faulthandler.cancel_dump_traceback_later()
        failure = failure or _printed(own)
        connection.send((outcome, failure))


def _printed(own: Path) -> str:
    text = (own / "printed").read_text(errors="replace")
    return f"prints {text!r:.300}" if text else ""


@dataclass(frozen=True)
class Verdict:
    """What came of an input.

    Parameters
    ----------
    kind : str
        Row of the table.
    what : str
        The input and what was called.
    outcome : str
        "success", "UserWarning", or the type of the error.
    failure : str
        Why the package does not promise this outcome; "" if it does.
    """

    kind: str
    what: str
    outcome: str
    failure: str


class Worker:
    """A process that is started again after a crash or a hang."""

    def __init__(self, prepared: Path, own: Path, seed: int, timeout: float):
        self._args = (prepared, own, seed, timeout)
        self._own, self._timeout = own, timeout
        self._process: Any = None

    def run(self, number: int) -> Verdict:
        """Run one input, and once more in a new process if it hangs: the machine may be busy."""
        verdict = self._try(number)
        return self._try(number) if verdict.outcome == "hang" else verdict

    def _try(self, number: int) -> Verdict:
        if self._process is None:
            self._start()
        kind, what = KINDS[number % len(KINDS)], "the input itself"
        self._connection.send(number)
        try:
            what = self._connection.recv()
            if self._connection.poll(self._timeout):
                return Verdict(kind, what, *self._connection.recv())
            outcome, failure = "hang", f"no answer within {self._timeout:g} s"
            self._process.kill()
            self._process.join()
        except (EOFError, ConnectionResetError):
            self._process.join()
            outcome, failure = "crash", f"ends with {self._process.exitcode}"
        self._process = None
        return Verdict(kind, what, outcome, f"{failure}, {_printed(self._own)}")

    def _start(self) -> None:
        context = multiprocessing.get_context("forkserver")
        self._connection, theirs = context.Pipe()
        self._own.mkdir(exist_ok=True)
        self._process = context.Process(target=serve, args=(*self._args, theirs), daemon=True)
        self._process.start()
        theirs.close()
        if not self._connection.poll(_START):
            raise SystemExit("a worker does not start")
        self._connection.recv()

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._connection.send(None)
            self._process.join()


def fuzz(numbers: Sequence[int], seed: int, n_jobs: int, timeout: float) -> dict[int, Verdict]:
    """Return the verdict of each input by its number."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks._fuzz_targets"])
    verdicts: dict[int, Verdict] = {}
    with tempfile.TemporaryDirectory() as name:
        prepared = Path(name) / "prepared"
        prepared.mkdir()
        first = context.Process(target=prepare, args=(prepared,))
        first.start()
        first.join()
        queue = deque(numbers)

        def work(i: int) -> None:
            worker = Worker(prepared, Path(name) / str(i), seed, timeout)
            while queue:
                with suppress(IndexError):  # another thread took the last
                    number = queue.popleft()
                    verdicts[number] = worker.run(number)
            worker.stop()

        with ThreadPoolExecutor(n_jobs) as threads:
            list(threads.map(work, range(n_jobs)))
    return dict(sorted(verdicts.items()))


def table(verdicts: Mapping[int, Verdict]) -> str:
    """Count the outcomes of each kind in a Markdown table."""
    outcomes = sorted({verdict.outcome for verdict in verdicts.values() if not verdict.failure})
    lines = [["kind", "inputs", *outcomes, "failures"]]
    for kind in (*KINDS, "all"):
        of_kind = [v for v in verdicts.values() if kind in (v.kind, "all")]
        counts = Counter("failure" if v.failure else v.outcome for v in of_kind)
        numbers = [len(of_kind), *(counts[name] for name in outcomes), counts["failure"]]
        lines.append([kind, *map(str, numbers)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(f"{cell:{w}}" for cell, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    )


def failures(verdicts: Mapping[int, Verdict], seed: int) -> list[str]:
    """Describe the failures, those that differ only in numbers and names together."""
    alike: dict[str, list[int]] = {}
    for number, verdict in verdicts.items():
        if verdict.failure:
            target = verdict.what.rsplit(", ", 1)[-1]
            text = re.sub(r"/\S+|'[^']*'|[\d.e+-]+", "_", verdict.failure)
            alike.setdefault(f"{target}: {text}", []).append(number)
    lines = []
    for numbers in sorted(alike.values(), key=len, reverse=True):
        verdict = verdicts[numbers[0]]
        lines.append(f"{len(numbers)} like --seed {seed} --only {numbers[0]}")
        lines.append(f"    {verdict.kind}: {verdict.what}\n    {verdict.failure:.300}")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=10_000, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, metavar="N", help="run the input of this number again")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes")
    parser.add_argument("--timeout", type=float, default=5.0, help="seconds; longer is a hang")
    args = parser.parse_args()
    numbers = range(args.inputs) if args.only is None else [args.only]
    start = time.perf_counter()
    verdicts = fuzz(numbers, args.seed, min(args.jobs, len(numbers)), args.timeout)
    if args.only is not None:
        print(verdicts[args.only])
    else:
        print(table(verdicts))
        print(f"\nseed {args.seed}, {time.perf_counter() - start:.0f} s, {args.jobs} processes")
    described = failures(verdicts, args.seed)
    print("\n".join(described))
    return int(bool(described))


if __name__ == "__main__":
    raise SystemExit(main())
