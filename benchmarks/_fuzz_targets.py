"""What benchmarks.fuzz does with an input, and what must come of it."""

from __future__ import annotations

import io
import json
import os
import shutil
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from sklearn.pipeline import make_pipeline

from benchmarks._fuzz_inputs import (
    KINDS,
    RATE,
    artists_table,
    audio_file,
    hostile_array,
    model_file,
    sound,
)
from benchmarks._peak import extra_peak
from skgenre import (
    AudioLoader,
    ClipFeatures,
    MFCCExtractor,
    PerTrack,
    Segmenter,
    load,
    load_genre_folder,
    make_genres,
)
from skgenre.audio import probe_audio
from skgenre.cli import main as command_line

_FREE_MEMORY = 100e6  # bytes beside four times the input


def prepare(folder: Path) -> None:
    """Make the good files and the fitted model of all workers."""
    make_genres(3, genres=2, duration=1.0, path=folder / "music", random_state=0)
    model = str(folder / "good.skgenre")
    options = ["--duration", "1.5", "--cv", "0", "--metadata", "none"]
    with redirect_stdout(io.StringIO()):
        code = command_line(["train", str(folder / "music"), "--out", model, *options])
    if code:
        raise SystemExit("the model cannot be trained")


class Workbench:
    """A folder with good music, a bad file in its midst, and a fitted model.

    Parameters
    ----------
    prepared : Path
        The folder of :func:`prepare`.
    own : Path
        A folder that no other process uses.
    """

    def __init__(self, prepared: Path, own: Path):
        shutil.copytree(prepared, own, dirs_exist_ok=True)
        self.folder, self.music = own, own / "music"
        (self.music / "tracks.csv").unlink(missing_ok=True)
        self.good_model = (own / "good.skgenre").read_bytes()
        self.model = load(own / "good.skgenre")
        self.tracks = sorted(str(path) for path in self.music.glob("*/*.*"))
        self.waveform = sound(np.random.default_rng(0), RATE)[:, 0].astype(np.float32)
        self.model.predict(self.tracks)  # finishes all imports and compilation

    def make(self, seed: int, number: int) -> Call:
        """Make the input of a number, and choose what to call with it."""
        rng = np.random.default_rng([seed, number])
        kind = KINDS[number % len(KINDS)]
        if kind.startswith("array"):
            return self._array(rng, in_list=kind == "array in a list")
        if kind == "table":
            return self._table(rng)
        if kind == "model file":
            return self._model_file(rng)
        return self._audio_file(rng, kind, number)

    def _audio_file(self, rng: Generator, kind: str, number: int) -> Call:
        data, ending, what = audio_file(rng, kind)
        ending = str(rng.choice([ending] * 4 + ["wav", "mp3"]))
        stem = str(rng.choice([str(number)] * 3 + [f"\u00fc \u97f3 %s {{0}} {number}"]))
        path = Path(self.tracks[0]).parent / f"{stem}.{ending}"
        path.write_bytes(data)
        targets: dict[str, Callable[[], str]] = {
            "probe_audio": lambda: _check_info(probe_audio(path)),
            "load_genre_folder": lambda: self._check_folder(path, ending, "raise"),
            "load_genre_folder, skip": lambda: self._check_folder(path, ending, "skip"),
            "skgenre predict": lambda: _predict(self.folder / "good.skgenre", path),
            **self._track_targets(rng, [self.tracks[1], str(path)]),
        }
        target = str(rng.choice(list(targets)))
        names = [str(path)]
        is_intact = what.endswith("intact")
        what = f"{what}, {target}"
        return Call(what, targets[target], names, self.tracks, [path], len(data), is_intact)

    def _track_targets(self, rng: Generator, X: Any) -> dict[str, Callable[[], str]]:
        """Return what takes a list of tracks."""
        loader = AudioLoader(
            position=str(rng.choice(["start", "center"])),
            short=str(rng.choice(["repeat", "zeros"])),
            duration=float(rng.choice([0.1, 1.0, 3.0])),
            sampling_rate=int(rng.choice([8000, RATE])),
        )
        front_end = make_pipeline(
            AudioLoader(duration=1.0),
            Segmenter(n_segments=2, track_duration=1.0),
            MFCCExtractor(),
        )
        table = PerTrack(make_pipeline(AudioLoader(short="keep"), ClipFeatures()))
        transformers = {"AudioLoader": loader, "MFCC": front_end, "ClipFeatures": table}
        return {
            **{
                name: lambda step=step: _check_rows(step.fit_transform(X), X)  # type: ignore[misc]  # bound now
                for name, step in transformers.items()
            },
            "GenreClassifier": lambda: _check_rows(self.model.predict_proba(X), X, "float64"),
        }

    def _array(self, rng: Generator, *, in_list: bool) -> Call:
        # Alone, each sample may count as a track.
        value, what = hostile_array(rng, [1, 2, 100, 4000, RATE] if in_list else [1, 2, 100])
        row = int(rng.integers(3))
        X = [self.waveform] * row + [value] + [self.waveform] if in_list else value
        targets = {
            "bare Segmenter": lambda: _check_rows(
                Segmenter(n_segments=2, track_duration=0.5, short="zeros").transform(X), X
            ),
            "bare MFCC": lambda: _check_rows(MFCCExtractor().transform(X), X),
            "bare ClipFeatures": lambda: _check_rows(ClipFeatures().transform(X), X),
            **self._track_targets(rng, X),
        }
        target = str(rng.choice(list(targets)))
        names = [f"track {row}", "came out with the shape"] if in_list else ["X ", "track "]
        is_several = isinstance(value, (list, tuple)) or getattr(value, "ndim", 0) > 0
        paths = value if is_several and not in_list else [value]
        texts = [str(path) for path in paths if isinstance(path, (str, os.PathLike)) and path]
        names += [*texts, *map(repr, texts)]
        n_bytes = getattr(value, "nbytes", 0)
        return Call(f"{what}, row {row}, {target}", targets[target], names, ["track "], [], n_bytes)

    def _table(self, rng: Generator) -> Call:
        files = [str(Path(track).relative_to(self.music)) for track in self.tracks]
        data, what = artists_table(rng, files)
        places = [self.music / "tracks.csv", self.folder / "music.csv", self.music / "other.csv"]
        path = places[rng.integers(3)]
        path.write_bytes(data)
        metadata = path if rng.integers(2) else "auto"
        on_error = str(rng.choice(["raise", "skip"]))

        def load() -> str:
            music = load_genre_folder(self.music, metadata=metadata, on_error=on_error)
            known = music.artists is None or len(music.artists) == len(music.data)
            known = known and not ({*music.data} - {*self.tracks})
            return "" if known else f"{len(music.data)} tracks, artists {music.artists}"

        named = [str(path), str(self.music)]
        return Call(f"{what}, {path.name}, {on_error}", load, named, [], [path], len(data))

    def _model_file(self, rng: Generator) -> Call:
        data, what = model_file(rng, self.good_model)
        path = self.folder / "bad.skgenre"
        path.write_bytes(data)
        call = lambda: _predict(path, Path(self.tracks[0]))  # noqa: E731 - it fits a line
        return Call(what, call, [str(path)], self.tracks, [path], len(data))

    def _check_folder(self, path: Path, ending: str, on_error: str) -> str:
        music = load_genre_folder(
            self.music, on_error=on_error, extensions=("wav", ending), metadata=None
        )
        found, skipped = {*music.data}, {track for track, _ in music.skipped}
        wrong = found | skipped != {*self.tracks, str(path)} or found & skipped
        return "the lists of the folder are wrong" if wrong else ""


@dataclass(frozen=True)
class Call:
    """A call, the names that its refusal may use for the input, and those of tracks beside it."""

    what: str
    call: Callable[[], str]
    names: list[str]
    others: list[str]
    files: list[Path]
    n_bytes: int
    is_intact: bool = False

    def judge(self) -> tuple[str, str]:
        """Return the outcome and, if it is none that the package promises, why."""
        peak = extra_peak(trim=False)
        messages: list[str] = []
        failure = ""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                failure = self.call()
                outcome = "success"
            except (ValueError, OSError) as error:
                outcome = type(error).__name__
                messages = [str(error)]
                if self.is_intact:
                    failure = f"an intact file is refused: {error}"
            except BaseException as error:
                outcome = type(error).__name__
                place = traceback.extract_tb(error.__traceback__)[-1]
                failure = f"{outcome} in {Path(place.filename).name}:{place.lineno}: {error}"
        # A list of a number and a waveform is one pair, and no list of tracks.
        names = ("X is a reversed pair", *self.names)
        unnamed = [text for text in messages if not any(name in text for name in names)]
        for warning in caught:
            text = str(warning.message)
            if not any(name in text for name in (*self.names, *self.others)):
                unnamed.append(text)
            if not issubclass(warning.category, UserWarning):
                failure = failure or f"{warning.category.__name__}: {warning.message}"
            elif outcome == "success":
                outcome = "UserWarning"
        if unnamed:
            failure = failure or f"{outcome} does not name the input: {unnamed[0]}"
        if peak() > 4 * self.n_bytes + _FREE_MEMORY:
            failure = failure or f"takes {peak() / 1e6:.0f} MB for {self.n_bytes / 1e6:.1f} MB"
        for path in self.files:
            path.unlink()
        return outcome, failure


def _check_rows(Xt: Any, X: Any, dtype: str = "float32") -> str:
    """Check the result of a transformer or of predict_proba."""
    if not isinstance(Xt, np.ndarray) or len(Xt) != len(X):
        return f"{len(X)} rows became {np.shape(Xt)}"
    if Xt.dtype != dtype:
        return f"the result is {Xt.dtype}"
    return "" if np.isfinite(Xt).all() else "the result is not finite"


def _check_info(info: Any) -> str:
    positive = min(info.frames, info.sampling_rate, info.channels) > 0
    return "" if positive else f"probe_audio returns {info}"


class RefusedError(ValueError):
    """The command line reports an error."""


def _predict(model: Path, track: Path) -> str:
    """Run ``skgenre predict``; its report of an error is raised."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = command_line(["predict", str(model), str(track), "--json"])
    lines: Sequence[str] = err.getvalue().splitlines()
    if any("unexpected" in line or not line.startswith("skgenre: ") for line in lines):
        return f"the command line prints {lines}"
    if code:
        raise RefusedError("\n".join(lines))
    (result,) = json.loads(out.getvalue())
    if not result["probabilities"]:  # a track without sound
        return "" if result.get("reason") else f"no genre and no reason: {result}"
    total = sum(result["probabilities"].values())
    return "" if abs(total - 1) < 1e-4 else f"the probabilities add up to {total}"
