"""Running an experiment of a paper again."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral
from pathlib import Path
from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils._param_validation import Interval, validate_params

from skgenre.classifiers import RejectingClassifier
from skgenre.evaluation._material import prepare
from skgenre.papers._data import as_tracks, compare_genres, load_music, thin
from skgenre.papers._experiments import Cell, Experiment, get_experiment
from skgenre.papers._figures import FIGURES, blank_rows, make_reports
from skgenre.papers._registry import get_system
from skgenre.papers._report import ReproductionResult
from skgenre.papers._runs import run_division, run_protocol
from skgenre.utils._environment import environment
from skgenre.utils._io import shorten

_N_FOLDS = 5
_QUICK_FOLDS = 2
_QUICK_EPOCHS = 2
_QUICK_TRACKS = 8


@validate_params(
    {
        "experiment": [str],
        "quick": ["boolean"],
        "epochs": [Interval(Integral, 1, None, closed="left"), None],
        "n_folds": [Interval(Integral, 2, None, closed="left"), None],
        "only": [str, "array-like", None],
        "checkpoint": [str, os.PathLike, None],
        "random_state": [Interval(Integral, 0, 2**32 - 1, closed="both")],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
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
        A run to try it out: few cells, 8 tracks a genre, 2 epochs, 2 folds. Its figures mean
        nothing.
    epochs : int or None, default=None
        Epochs of all networks; None means the paper's, or 2 where quick.
    n_folds : int or None, default=None
        Folds of the honest protocol, and of the paper's where it has folds. The paper's
        repeated trainings are made at most so often. None means 5, or 2 where quick.
    only : str, sequence of str or None, default=None
        The cells to run, by name or by patterns such as "mlp-*". None means all, or a few
        where quick.
    memory : str, PathLike, joblib.Memory or None, default=None
        Folder for the features of each track, as in :class:`PerTrack`. None means one for
        the time of the run.
    checkpoint : str, PathLike or None, default=None
        Folder in which each training is kept when it is done. The same call finds it there
        after a kill and goes on.
    random_state : int, default=0
        Decides how the data are divided. The networks have the seeds of their presets.
    verbose : int, default=0
        1 tells each training on standard error.

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
        If no cell could run for want of a file, such as the weights of a network.

    Warns
    -----
    UserWarning
        If a genre has fewer artists than there are folds, or a cell did not run for want of a
        file.

    See Also
    --------
    list_experiments : What can be run.
    evaluate : The honest half, for a pipeline of your own.

    Notes
    -----
    - The systems are those of :mod:`skgenre.papers`, and so are the published figures, but the
      F1 by genre, which are those of the two reports of kumar2021.
    - What the paper drew at random is drawn here by genre, so that each has its share on each
      side.
    - The honest protocol is "artist-grouped" where artists are known, else "track-random".
      Segment figures and track figures of it are in rows of their own: a new track gets the
      vote of its segments.
    - The votes of bai are counted over pieces that are each judged by the model that did not
      learn it; the other pieces of the track it did learn.

    Examples
    --------
    >>> from skgenre import make_genres, reproduce
    >>> music = make_genres(4, genres=["dub", "swing"], duration=3.0, random_state=0)
    >>> result = reproduce("hu2022-table2", music, quick=True, epochs=1, only="mlp-relu")
    >>> [(row["figure"], row["paper"]) for row in result.rows]
    [('validation accuracy', 0.2688), ('track accuracy', None)]
    >>> result.honest_protocol
    'artist-grouped'
    """
    plan = get_experiment(experiment)
    cells = plan.choose(only, quick=quick)
    if isinstance(dataset, (str, os.PathLike)):
        dataset = load_music(dataset)
    tracks = as_tracks(dataset)
    notes = [*plan.notes, *_data_notes(dataset), *_genre_notes(plan, tracks)]
    if quick:
        tracks = thin(tracks, _QUICK_TRACKS, random_state)
        notes.append(
            "A quick run, to try it out: few tracks, epochs and folds. Its figures mean nothing."
        )
    left_out = [cell.name for cell in plan.cells if cell not in cells]
    if left_out:
        notes.append(f"Not run: {', '.join(left_out)}.")
    folds = n_folds or (_QUICK_FOLDS if quick else _N_FOLDS)
    epochs = epochs or (_QUICK_EPOCHS if quick else None)
    found: dict[str, Any] = {"rows": [], "reports": {}, "evaluations": {}, "trainings": []}
    failed: dict[str, str] = {}
    protocols: dict[str, str] = {}
    changed: dict[tuple[int, int], list[str]] = {}
    teller = _Teller(len(cells), verbose)
    with _folders(memory, checkpoint) as (features, kept), _each_warning_once():
        for number, cell in enumerate(cells):
            teller.start(number, cell)
            run = _Run(tracks, cell, folds, epochs, random_state, features, kept)
            protocols[cell.name] = run.division
            try:
                run.do(found, teller)
            except OSError as error:
                if len(cells) == 1 or len(failed) == len(cells) - 1:
                    raise
                failed[cell.name] = " ".join(str(error).split())
                warnings.warn(f"{cell.name} did not run: {error}", UserWarning, stacklevel=2)
                blank = blank_rows(get_system(cell.system))
                found["rows"] += [{"cell": cell.name, **row} for row in blank]
            if run.epochs != run.published_epochs:
                changed.setdefault((run.epochs, run.published_epochs), []).append(cell.name)
            notes += [note for note in run.open_points() if note not in notes]
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
        honest_protocol=_honest(tracks),
        failed=failed,
        n_tracks=len(tracks.target),
        n_artists=None if tracks.artists is None else len(set(tracks.artists.tolist())),
        genres=sorted(map(str, set(tracks.target.tolist()))),
        notes=notes,
        settings={
            "quick": quick,
            "epochs": None if epochs is None else int(epochs),
            "n_folds": int(folds),
            "only": [cell.name for cell in cells],
            "random_state": int(random_state),
        },
        environment=environment(),
        **found,
    )


class _Run:
    """One cell: its pipeline, with the epochs that are asked for, under both protocols."""

    def __init__(
        self,
        tracks: Any,
        cell: Cell,
        n_folds: int,
        epochs: int | None,
        random_state: int,
        memory: Any,
        checkpoint: Path,
    ):
        self.tracks, self.cell, self.system = tracks, cell, get_system(cell.system)
        self.n_folds, self.random_state, self.checkpoint = n_folds, random_state, checkpoint
        self.n_trainings = min(cell.division.n_trainings, n_folds)
        self.pipeline = self.system.load(memory=memory)
        params = self.pipeline.get_params()
        names = ("classifier__epochs", "classifier__estimator__epochs")
        (name,) = [name for name in names if name in params]
        self.published_epochs = params[name]
        self.epochs = self.published_epochs if epochs is None else int(epochs)
        self.pipeline.set_params(**{name: self.epochs})

    @property
    def division(self) -> str:
        """How the paper's protocol is carried out, in words."""
        return self.cell.division.describe(self.n_folds, self.n_trainings)

    def do(self, found: dict[str, Any], teller: _Teller) -> None:
        """Run both protocols and add what came out."""
        data = (self.tracks.data, self.tracks.target, self.tracks.artists)
        settings: dict[str, Any] = {
            "n_folds": self.n_folds,
            "random_state": self.random_state,
            "checkpoint": self.checkpoint,
        }
        lenient = self.pipeline
        if isinstance(lenient[-1], RejectingClassifier):
            # A single segment has one vote and would always be rejected: the votes are counted
            # when each segment has been judged.
            lenient = Pipeline([*lenient.steps[:-1], ("classifier", lenient[-1].estimator)])
        outcomes = run_division(
            prepare(lenient, data),
            self.cell.division,
            n_trainings=self.n_trainings,
            report=teller.reports("the paper's protocol"),
            **settings,
        )
        protocol = _honest(self.tracks)
        result = run_protocol(
            prepare(self.pipeline, data), protocol, report=teller.reports(protocol), **settings
        )
        rows = FIGURES[self.cell.figures](self.system, outcomes, result, self.pipeline[-1])
        found["rows"] += [{"cell": self.cell.name, **row} for row in rows]
        found["evaluations"][self.cell.name] = result
        if self.cell.figures == "report":
            found["reports"][self.cell.name] = make_reports(outcomes, result)
        trainings = [
            ("paper", outcome, len(outcome["test"]) - outcome["n_learnt"]) for outcome in outcomes
        ]
        trainings += [(protocol, fold, fold["n_test"]) for fold in result.folds]
        found["trainings"] += [
            {
                "cell": self.cell.name,
                "protocol": which,
                "n_train": training["n_train"],
                "n_judged": n_judged,
                "fit_time": training["fit_time"],
            }
            for which, training, n_judged in trainings
        ]

    def open_points(self) -> list[str]:
        """Tell what the paper leaves open, and what is done here."""
        return [part for part in (self.system.choices, self.cell.division.why) if part]


def _honest(tracks: Any) -> str:
    return "track-random" if tracks.artists is None else "artist-grouped"


def _data_notes(dataset: Any) -> list[str]:
    """Tell of the files that could not be used."""
    skipped = [str(path) for path, _ in getattr(dataset, "skipped", None) or []]
    if not skipped:
        return []
    return [f"{len(skipped)} files cannot be used and were left out: {shorten(skipped)}."]


def _genre_notes(plan: Experiment, tracks: Any) -> list[str]:
    """Tell how the genres differ from the papers'; refuse what has no place in the tree."""
    lacking, others = compare_genres(tracks.target)
    if others and any(cell.figures == "nodes" for cell in plan.cells):
        raise ValueError(
            f"{plan.name} has a place for the ten genres of GTZAN only, but the data have "
            f"{', '.join(others)}; leave their tracks out, or cross-validate "
            "HierarchicalGenreClassifier, which grows a tree of its own."
        )
    notes = []
    if others and len(lacking) == 10:
        notes.append(
            f"The data have none of the paper's genres: it ran on {', '.join(others)}. The figures "
            "are of another task than the paper's."
        )
        return notes
    if lacking:
        notes.append(f"The data lack these genres of the paper: {', '.join(lacking)}.")
    if others:
        notes.append(f"The data have genres that the paper has not: {', '.join(others)}.")
    return notes


@contextmanager
def _folders(memory: Any, checkpoint: Any) -> Iterator[tuple[Any, Path]]:
    """Yield the folders of the features and of the trainings, some for the time of the run."""
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
    """Let a warning through when it is new: each cell has the same to say of the same folds."""
    seen: set[str] = set()
    show = warnings.showwarning

    def show_new(message: Any, *args: Any, **kwargs: Any) -> None:
        if str(message) not in seen:
            seen.add(str(message))
            show(message, *args, **kwargs)

    with warnings.catch_warnings():
        warnings.showwarning = show_new
        yield


class _Teller:
    """Tells on standard error what is done, a line for each training."""

    def __init__(self, n_cells: int, verbose: int):
        self.n_cells, self.verbose = n_cells, verbose
        self.head = ""

    def start(self, number: int, cell: Cell) -> None:
        """Begin a cell."""
        self.head = f"[{number + 1}/{self.n_cells}] {cell.name}"
        if self.verbose:
            print(f"{self.head}: features", file=sys.stderr, flush=True)

    def reports(self, protocol: str) -> Any:
        """Return what is told of each training under a protocol."""

        def report(number: int, total: int, seconds: float, was_kept: bool) -> None:
            if self.verbose:
                how = "kept from before" if was_kept else f"{seconds:.1f} s"
                line = f"{self.head}: {protocol}, training {number} of {total}: {how}"
                print(line, file=sys.stderr, flush=True)

        return report
