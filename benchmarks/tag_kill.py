"""Kill ``apply_tags`` and ``undo_tags`` at random moments, and start them again.

After each kill, every file must be the old or the new one, byte by byte, and the journal must say
which. Each round ends with all files tagged, and then with all files as they were.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile

from skgenre import apply_tags, plan_tags, undo_tags
from skgenre.tags import Tags

_RATE = 16000
_ENDINGS = ("mp3", "flac", "ogg", "opus", "m4a", "wav", "aiff")
_MOST_RUNS = 1000  # of one round


class Round:
    """Files and their plan; what was done and found."""

    def __init__(self, folder: Path, n_files: int, rng: np.random.Generator):
        self.rng = rng
        self.files = [
            write_file(folder / f"{i}.{_ENDINGS[i % len(_ENDINGS)]}", rng) for i in range(n_files)
        ]
        self.plan, self.journal = folder / "plan.jsonl", folder / "plan.jsonl.journal"
        # Long words, so that the files grow too.
        words = ["Dub", "Reggae " * 200]
        records = [
            {"path": str(file), "genre": "dub", "probabilities": {"dub": 0.9, "swing": 0.1}}
            for file in self.files
        ]
        counts = plan_tags(records, self.plan, vocabulary={"dub": words}, evidence=True)
        assert counts["write"] == n_files, counts
        self.old = self.digests()
        self.longest = max(
            self.time(lambda: apply_tags(self.plan)), self.time(lambda: undo_tags(self.journal))
        )
        assert self.digests() == self.old, "undo without a kill does not restore the files"
        self.journal.unlink()
        apply_tags(self.plan)
        self.new = self.digests()
        assert all(Tags(file).genres() == [word.strip() for word in words] for file in self.files)
        undo_tags(self.journal)
        self.journal.unlink()

    def time(self, action: Callable[[], Any]) -> float:
        """Return how many seconds an action takes."""
        start = time.perf_counter()
        action()
        return time.perf_counter() - start

    def digests(self) -> dict[str, str]:
        """Return the digest of each file."""
        return {str(f): hashlib.sha256(f.read_bytes()).hexdigest() for f in self.files}

    def until_done(
        self, action: Callable[[], Any], kills: int, *, undoes: bool = False
    ) -> tuple[int, list[str]]:
        """Run an action, and kill it a number of times at most, until it comes to its end."""
        done = 0
        for _ in range(_MOST_RUNS):
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    code = int(any(result["status"] == "refused" for result in action()))
                finally:
                    os._exit(code)
            if done < kills:
                time.sleep(self.rng.uniform(0, self.longest))
                os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            if faults := self.check(undoes):
                return done, faults
            if not os.WIFSIGNALED(status):
                code = os.waitstatus_to_exitcode(status)
                return done, [f"an action ended with code {code}"] if code else []
            done += 1
        return done, ["an action never came to its end"]

    def check(self, undoes: bool) -> list[str]:
        """Compare the files with the journal, and both with the old and new files."""
        events: dict[str, str] = {}
        lines = self.journal.read_bytes().split(b"\n") if self.journal.exists() else [b""]
        for line in lines[1:-1]:  # the last one is empty, or unfinished
            entry = json.loads(line)
            events[entry["path"]] = entry["event"]
        faults = []
        for path, digest in self.digests().items():
            old, new = self.old[path], self.new[path]
            # A file is restored just before the journal says so.
            allowed = {"begin": (old, new), "done": (new, old) if undoes else (new,)}
            if digest not in (old, new):
                faults.append(f"{path} is neither old nor new")
            elif digest not in allowed.get(events.get(path, ""), (old,)):
                faults.append(f"{path}: the journal says {events.get(path)!r}")
        return faults

    def play(self, kills: int) -> tuple[int, list[str]]:
        """Apply and undo the plan under kills; return their number, and what was wrong."""
        done, faults = self.until_done(lambda: apply_tags(self.plan), kills)
        if not faults and self.digests() != self.new:
            faults = ["not all files are as in a run without kills"]
        if not faults:
            more, faults = self.until_done(
                lambda: undo_tags(self.journal), kills - done, undoes=True
            )
            done += more
            if not faults and self.digests() != self.old:
                faults = ["not all files are restored"]
        left = [p.name for p in self.plan.parent.iterdir() if p.name.startswith(".")]
        if not faults and left:
            faults = [f"unfinished files are left: {left}"]
        return done, faults


def write_file(path: Path, rng: np.random.Generator) -> Path:
    """Write noise, and a title."""
    wave = (0.1 * rng.normal(size=_RATE)).astype(np.float32)
    if path.suffix == ".m4a":
        with av.open(str(path), "w", format="ipod", options={"movflags": "faststart"}) as container:
            stream = container.add_stream("aac", rate=_RATE, layout="mono")
            frame = av.AudioFrame.from_ndarray(wave[np.newaxis], format="fltp", layout="mono")
            frame.sample_rate = _RATE
            for packet in (*stream.encode(frame), *stream.encode(None)):
                container.mux(packet)
    else:
        options = {"format": "OGG", "subtype": "OPUS"} if path.suffix == ".opus" else {}
        soundfile.write(path, wave, _RATE, **options)
    return path


def kill(kills: int, n_files: int, seed: int) -> tuple[int, int, list[str]]:
    """Play rounds until there were that many kills."""
    rng = np.random.default_rng(seed)
    done = rounds = 0
    faults: list[str] = []
    while done < kills and not faults:
        with tempfile.TemporaryDirectory() as name:
            now, faults = Round(Path(name), n_files, rng).play(min(kills - done, 40))
        done += now
        rounds += 1
    return done, rounds, faults


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200, metavar="N")
    parser.add_argument("--files", type=int, default=14, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    start = time.perf_counter()
    done, rounds, faults = kill(args.kills, args.files, args.seed)
    print(
        f"{done} kills in {rounds} rounds of {args.files} files; {len(faults)} failures "
        f"({time.perf_counter() - start:.0f} s)"
    )
    print("\n".join(faults))
    return int(bool(faults))


if __name__ == "__main__":
    raise SystemExit(main())
