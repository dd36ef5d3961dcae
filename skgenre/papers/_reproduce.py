"""Running an experiment of a paper again."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, validate_parameter_constraints

from skgenre.classifiers import RejectingClassifier
from skgenre.datasets import load_music
from skgenre.datasets.gtzan import GENRES
from skgenre.evaluation import (
    EvaluationResult,
    EvaluationTask,
    FoldResult,
    Splits,
    iter_folds,
    make_splits,
    unpack_dataset,
)
from skgenre.papers._experiments import Cell, Experiment, get_experiment
from skgenre.papers._figures import FIGURES, blank_rows, make_reports, plain_name
from skgenre.papers._registry import PaperSystem, get_system
from skgenre.papers._report import ReproductionResult
from skgenre.utils._environment import environment
from skgenre.utils._io import shorten
from skgenre.utils._random import draw_seeds

_N_FOLDS = 5
_QUICK_FOLDS = 2
_QUICK_EPOCHS = 2
_QUICK_TRACKS = 8


_CONSTRAINTS: dict[str, list[Any]] = {
    "experiment": [str],
    "quick": ["boolean"],
    "epochs": [Interval(Integral, 1, None, closed="left"), None],
    "n_folds": [Interval(Integral, 2, None, closed="left"), None],
    "only": [str, "array-like", None],
    "checkpoint": [str, os.PathLike, None],
    "n_jobs": [Integral, None],
    "random_state": [Interval(Integral, 0, 2**32 - 1, closed="both")],
    "verbose": ["verbose"],
}


def reproduce(
    experiment: str,
    dataset: Any,
    *,
    quick: bool = False,
    epochs: int | None = None,
    n_folds: int | None = None,
    only: str | Sequence[str] | None = None,
    memory: Any = None,
    checkpoint: str | os.PathLike[str] | None = None,
    n_jobs: int | None = None,
    random_state: int = 0,
    verbose: int = 0,
) -> ReproductionResult:
    """Run an experiment of a paper again, as the paper measured and as it should be measured.

    Parameters
    ----------
    experiment : str
        Such as "hu2022-table1"; :func:`list_experiments` has all.
    dataset : Bunch, tuple, str or PathLike
        As for :func:`evaluate`, with paths or waveforms; or a folder: of GTZAN, or one that
        :func:`load_genre_folder` reads.
    quick : bool, default=False
        Whether to try it out: few cells, 8 tracks a genre, 2 epochs, 2 folds. The figures of
        such a run mean nothing.
    epochs : int or None, default=None
        Epochs of all networks; None means the paper's, or 2 if quick.
    n_folds : int or None, default=None
        Folds of the honest protocol, and of the paper's if it has folds. It also limits the
        number of the paper's repeated trainings. None means 5, or 2 if quick.
    only : str, sequence of str or None, default=None
        The cells to run, by name or by patterns such as ``"mlp-*"``. None means all, or a few
        if quick.
    memory : str, PathLike, joblib.Memory or None, default=None
        Folder for the features of each track, as in :class:`PerTrack`. None means a
        temporary one.
    checkpoint : str, PathLike or None, default=None
        Folder in which each training is written when it is done. The same call after a kill
        finds it there and continues.
    n_jobs : int or None, default=None
        Tracks, and then trainings, that run at the same time, as for :class:`PerTrack` and
        :func:`evaluate`.
    random_state : int, default=0
        Seed of the division of the data. The networks have the seeds of their presets.
    verbose : int, default=0
        1 reports each training on standard error.

    Returns
    -------
    result : skgenre.papers.ReproductionResult
        The published and the measured figures; it has ``to_markdown``, ``to_frame``,
        ``save`` and ``read``.

    Raises
    ------
    ValueError
        If there is no such experiment or cell, or the data do not allow it.
    OSError
        If no cell could run because a file is missing, such as the weights of a network.

    Warns
    -----
    UserWarning
        If a genre has fewer artists than there are folds, or a cell did not run because a
        file is missing.

    See Also
    --------
    list_experiments : The experiments.
    evaluate : The honest half, for a pipeline of your own.

    Notes
    -----
    - The systems are those of ``skgenre.papers``, and so are the published figures, except
      the F1 by genre, which are those of the two reports of kumar2021.
    - What the paper drew at random is drawn here by genre, so that each genre has its share
      on both sides.
    - The honest protocol is "artist-grouped" if artists are known, else "track-random".
      Its segment figures and track figures are in rows of their own: a new track gets the
      vote of its segments.
    - The votes of bai are those of segments predicted by models that were not trained on
      them, but on other segments of the same track.

    Examples
    --------
    >>> from skgenre import make_genres, reproduce
    >>> music = make_genres(4, genres=["dub", "swing"], duration=15.0, random_state=0)
    >>> result = reproduce("hu2022-table2", music, quick=True, epochs=1, only="mlp-relu")
    >>> [(row["figure"], row["paper"]) for row in result.rows]
    [('validation accuracy', 0.2688), ('track accuracy', None)]
    >>> result.honest_protocol
    'artist-grouped'
    """
    validate_parameter_constraints(_CONSTRAINTS, locals(), caller_name="reproduce")
    plan = get_experiment(experiment)
    cells = plan.choose(only, quick=quick)
    if isinstance(dataset, (str, os.PathLike)):
        dataset = load_music(dataset)
    tracks = Bunch(**dict(zip(("data", "target", "artists"), unpack_dataset(dataset), strict=True)))
    notes = [*plan.notes, *_data_notes(dataset), *_genre_notes(plan, tracks.target)]
    if quick:
        tracks = subsample(tracks, _QUICK_TRACKS, random_state)
        notes.append(
            "A quick run, to try it out: few tracks, epochs and folds. Its figures mean nothing."
        )
    left_out = [cell.name for cell in plan.cells if cell not in cells]
    if left_out:
        notes.append(f"Not run: {', '.join(left_out)}.")
    settings = {
        "n_folds": int(n_folds or (_QUICK_FOLDS if quick else _N_FOLDS)),
        "random_state": int(random_state),
    }
    epochs = epochs or (_QUICK_EPOCHS if quick else None)
    honest = "track-random" if tracks.artists is None else "artist-grouped"
    found: dict[str, Any] = {"rows": [], "reports": {}, "evaluations": {}, "trainings": []}
    failed: dict[str, str] = {}
    protocols: dict[str, str] = {}
    changed: dict[tuple[int, int], list[str]] = {}
    progress = ProgressReporter(len(cells), verbose)
    with _folders(memory, checkpoint) as (features, trainings), _each_warning_once():
        for cell in cells:
            progress.start(cell.name)
            system = get_system(cell.system)
            pipeline, here, published = _load(system, epochs, memory=features, n_jobs=n_jobs)
            n_trainings = min(cell.split.n_trainings, settings["n_folds"])
            protocols[cell.name] = cell.split.describe(settings["n_folds"], n_trainings)
            try:
                measured = _run_cell(
                    cell,
                    system,
                    pipeline,
                    tracks,
                    honest,
                    n_trainings=n_trainings,
                    **settings,
                    run={"checkpoint": trainings, "n_jobs": n_jobs},
                    progress=progress,
                )
            except OSError as error:
                if len(failed) == len(cells) - 1:
                    raise
                failed[cell.name] = str(error)
                warnings.warn(f"{cell.name} did not run: {error}", UserWarning, stacklevel=2)
                measured = {"rows": blank_rows(system)}
            for name in ("rows", "trainings"):
                found[name] += [{"cell": cell.name, **row} for row in measured.get(name, [])]
            for name in ("reports", "evaluations"):
                if name in measured:
                    found[name][cell.name] = measured[name]
            if here != published:
                changed.setdefault((here, published), []).append(cell.name)
            open_points = [note for note in (system.choices, cell.split.note) if note]
            notes += [note for note in open_points if note not in notes]
    notes += [
        f"Epochs: {here} instead of {published} ({', '.join(names)})."
        for (here, published), names in changed.items()
    ]
    return ReproductionResult(
        experiment=plan.name,
        title=plan.title,
        paper=plan.paper,
        published_protocol=plan.protocol,
        measured_protocols=protocols,
        honest_protocol=honest,
        failed=failed,
        n_tracks=len(tracks.target),
        n_artists=None if tracks.artists is None else len(set(tracks.artists.tolist())),
        genres=sorted(map(str, set(tracks.target.tolist()))),
        notes=notes,
        settings={
            "quick": quick,
            "epochs": None if epochs is None else int(epochs),
            "only": [cell.name for cell in cells],
            **settings,
        },
        environment=environment(),
        **found,
    )


def _load(
    system: PaperSystem, epochs: int | None, *, memory: Any, n_jobs: int | None
) -> tuple[Any, int, int]:
    """Return the pipeline of a system, its epochs here, and those of the paper."""
    pipeline = system.load(memory=memory, n_jobs=n_jobs)
    params = pipeline.get_params()
    names = ("classifier__epochs", "classifier__estimator__epochs")
    (name,) = [name for name in names if name in params]
    here = params[name] if epochs is None else int(epochs)
    return pipeline.set_params(**{name: here}), here, params[name]


def _run_cell(
    cell: Cell,
    system: PaperSystem,
    pipeline: Any,
    tracks: Bunch,
    honest: str,
    *,
    n_folds: int,
    n_trainings: int,
    random_state: int,
    run: dict[str, Any],
    progress: ProgressReporter,
) -> dict[str, Any]:
    """Evaluate a cell as the paper did and honestly; return rows, trainings, and so on."""
    lenient = pipeline
    if isinstance(lenient[-1], RejectingClassifier):
        # A single segment has one vote and would always be rejected: the votes are counted
        # when all segments are predicted.
        lenient = Pipeline([*lenient.steps[:-1], ("classifier", lenient[-1].estimator)])
    data = (tracks.data, tracks.target, tracks.artists)
    task = EvaluationTask(lenient, *data)
    splits = cell.split.make_splits(
        task, n_folds=n_folds, n_trainings=n_trainings, random_state=random_state
    )
    folds = progress.report("the paper's protocol", splits, iter_folds(task, splits, **run))
    task = EvaluationTask(pipeline, *data)
    splits = make_splits(task, honest, n_folds=n_folds, random_state=random_state)
    honest_folds = progress.report(honest, splits, iter_folds(task, splits, **run))
    result = EvaluationResult.from_folds(task, splits, honest_folds, random_state=random_state)
    trainings = [
        {
            "protocol": protocol,
            "n_train": fold.n_train,
            "n_scored": len(fold.test) - (fold.n_train if scores_training else 0),
            "fit_time": fold.fit_time,
        }
        for protocol, scores_training, of in (
            ("paper", cell.split.scores_training, folds),
            (honest, False, honest_folds),
        )
        for fold in of
    ]
    found = {
        "rows": FIGURES[cell.figures](system, folds, result, pipeline[-1]),
        "trainings": trainings,
        "evaluations": result,
    }
    if cell.figures == "report":
        found["reports"] = make_reports(folds, result)
    return found


def subsample(tracks: Bunch, n_per_genre: int, random_state: int) -> Bunch:
    """Keep a few tracks of each genre, by as many artists as possible.

    Parameters
    ----------
    tracks : Bunch
        With ``data``, ``target`` and ``artists``, which may be None.
    n_per_genre : int
        Tracks to keep of each genre, or all if there are fewer.
    random_state : int
        Seed of the choice.

    Returns
    -------
    fewer : Bunch
        In the same order.
    """
    (seed,) = draw_seeds(random_state, 1)
    order = np.random.default_rng(seed).permutation(len(tracks.target))
    artists = np.arange(len(order)) if tracks.artists is None else tracks.artists
    seen: dict[Any, int] = {}
    turn = np.zeros(len(order), dtype=int)
    for row in order:  # the first track of each artist comes before the second of any
        turn[row] = seen.get(artists[row], 0)
        seen[artists[row]] = turn[row] + 1
    order = order[np.argsort(turn[order], kind="stable")]
    kept: list[int] = []
    for genre in np.unique(tracks.target):
        kept += [row for row in order if tracks.target[row] == genre][:n_per_genre]
    rows = np.sort(kept)
    data = tracks.data
    return Bunch(
        data=data[rows] if isinstance(data, np.ndarray) else [data[row] for row in rows],
        target=tracks.target[rows],
        artists=None if tracks.artists is None else tracks.artists[rows],
    )


def _data_notes(dataset: Any) -> list[str]:
    """Return a note on the files that were left out."""
    skipped = [str(path) for path, _ in getattr(dataset, "skipped", None) or []]
    if not skipped:
        return []
    return [f"{len(skipped)} files were left out: {shorten(skipped)}."]


def _genre_notes(plan: Experiment, target: Any) -> list[str]:
    """Return notes on genres that differ from the papers'; refuse those outside the tree."""
    found = {plain_name(label): str(label) for label in np.unique(target).tolist()}
    lacking = [genre for genre in GENRES if genre not in found]
    others = sorted(name for key, name in found.items() if key not in GENRES)
    if others and any(cell.figures == "nodes" for cell in plan.cells):
        raise ValueError(
            f"{plan.name} has a place for the ten genres of GTZAN only, but the data have "
            f"{', '.join(others)}; leave their tracks out, or cross-validate "
            "HierarchicalGenreClassifier, which grows a tree of its own."
        )
    if others and len(lacking) == len(GENRES):
        return [
            f"The data have none of the paper's genres: it ran on {', '.join(others)}. The figures "
            "are of another task than the paper's."
        ]
    notes = []
    if lacking:
        notes.append(f"The data lack these genres of the paper: {', '.join(lacking)}.")
    if others:
        notes.append(f"The data have genres that the paper has not: {', '.join(others)}.")
    return notes


@contextmanager
def _folders(memory: Any, checkpoint: Any) -> Iterator[tuple[Any, Path]]:
    """Yield the folders of the features and of the trainings, temporary ones for None."""
    for name, place in (("memory", memory), ("checkpoint", checkpoint)):
        if isinstance(place, (str, os.PathLike)) and os.path.isfile(place):
            raise NotADirectoryError(
                f"{name}={os.fspath(place)!r} is a file; give a folder, new or not."
            )
    with tempfile.TemporaryDirectory(prefix="skgenre-") as folder:
        features = Path(folder) / "features" if memory is None else memory
        yield features, Path(folder) / "trainings" if checkpoint is None else Path(checkpoint)


@contextmanager
def _each_warning_once() -> Iterator[None]:
    """Show a warning only once: all cells have the same folds and warn of the same."""
    seen: set[str] = set()
    show = warnings.showwarning

    def show_new(message: Any, *args: Any, **kwargs: Any) -> None:
        if str(message) not in seen:
            seen.add(str(message))
            show(message, *args, **kwargs)

    with warnings.catch_warnings():
        warnings.showwarning = show_new
        yield


class ProgressReporter:
    """Report each training on standard error, a line each, if verbose.

    Parameters
    ----------
    n_cells : int
        Cells of the run.
    verbose : int
        0 for silence.
    """

    def __init__(self, n_cells: int, verbose: int):
        self.n_cells, self.verbose = n_cells, verbose
        self.n_started = 0
        self.head = ""

    def start(self, cell: str) -> None:
        """Begin a cell."""
        self.n_started += 1
        self.head = f"[{self.n_started}/{self.n_cells}] {cell}"
        self._print("features")

    def report(
        self, protocol: str, splits: Splits, folds: Iterable[FoldResult]
    ) -> list[FoldResult]:
        """Collect the folds of a protocol, and report each when it is done."""
        done = []
        for fold in folds:
            done.append(fold)
            seconds = f"{fold.fit_time + fold.predict_time:.1f} s"
            how = "from the checkpoint" if fold.from_checkpoint else seconds
            self._print(f"{protocol}, training {len(done)} of {len(splits)}: {how}")
        return done

    def _print(self, text: str) -> None:
        if self.verbose:
            print(f"{self.head}: {text}", file=sys.stderr, flush=True)
