"""Running an experiment of a paper again."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from numbers import Integral
from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, validate_parameter_constraints

from skgenre.classifiers import RejectingClassifier
from skgenre.datasets import load_music
from skgenre.evaluation import (
    EvaluationResult,
    EvaluationTask,
    iter_folds,
    make_splits,
    unpack_dataset,
)
from skgenre.papers._experiments import Cell
from skgenre.papers._figures import FIGURES, blank_rows, make_reports
from skgenre.papers._plans import get_experiment
from skgenre.papers._progress import ProgressReporter, each_warning_once, folders
from skgenre.papers._registry import PaperSystem, get_system
from skgenre.papers._report import ReproductionResult
from skgenre.papers._tracks import data_notes, genre_notes, keep_genres, subsample
from skgenre.utils._environment import environment

_N_FOLDS = 5
_QUICK_FOLDS = 2
_QUICK_EPOCHS = 2
_QUICK_TRACKS = 8
_WEIGHTS = "classifier__weights"
_NODES = "classifier__node_params"


_CONSTRAINTS: dict[str, list[Any]] = {
    "experiment": [str],
    "quick": ["boolean"],
    "epochs": [Interval(Integral, 1, None, closed="left"), None],
    "n_folds": [Interval(Integral, 2, None, closed="left"), None],
    "only": [str, "array-like", None],
    "genres": ["array-like", None],
    "weights": [str, os.PathLike, None],
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
    genres: Sequence[str] | None = None,
    weights: str | os.PathLike[str] | None = None,
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
        Such as "hu2022/table1"; :func:`list_experiments` has all.
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
    genres : sequence of str or None, default=None
        The genres of the data to keep, in any spelling. None means all, but six for
        "zhang/table5-1".
    weights : str, PathLike or None, default=None
        For the networks of kumar2021 that start from weights learned on photographs: a weights
        file of VGG16 without its top (``.weights.h5``, ``.h5`` or ``.keras``). None means
        those of ImageNet, which Keras downloads.
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
        If there is no such experiment or cell, the data do not allow it, or ``weights`` is
        given but no cell takes any.
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
    >>> result = reproduce("hu2022/table2", music, quick=True, epochs=1, only="mlp-relu")
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
    _check_weights(weights, cells)
    tracks, kept = keep_genres(tracks, plan, genres)
    notes = [*plan.notes, *data_notes(dataset), *genre_notes(plan, tracks.target, genres), *kept]
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
    own_folds = n_folds is None and not quick  # the paper's number of folds, if it has one
    epochs = epochs or (_QUICK_EPOCHS if quick else None)
    honest = "track-random" if tracks.artists is None else "artist-grouped"
    found: dict[str, Any] = {"rows": [], "reports": {}, "evaluations": {}, "trainings": []}
    failed: dict[str, str] = {}
    protocols: dict[str, str] = {}
    changed: dict[tuple[int, int], list[str]] = {}
    progress = ProgressReporter(len(cells), verbose)
    with folders(memory, checkpoint) as (features, trainings), each_warning_once():
        for cell in cells:
            progress.start(cell.name)
            system = get_system(cell.system)
            pipeline, here, published = _load(system, epochs, memory=features, n_jobs=n_jobs)
            if weights is not None and pipeline.get_params().get(_WEIGHTS) is not None:
                pipeline.set_params(**{_WEIGHTS: weights})
            n_trainings = min(cell.split.n_trainings, settings["n_folds"])
            paper_folds = (own_folds and cell.split.n_folds) or settings["n_folds"]
            protocols[cell.name] = cell.split.describe(paper_folds, n_trainings)
            try:
                measured = _run_cell(
                    cell,
                    system,
                    pipeline,
                    tracks,
                    honest,
                    n_trainings=n_trainings,
                    paper_folds=paper_folds,
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
            "weights": None if weights is None else os.fspath(weights),
            **settings,
        },
        environment=environment(),
        **found,
    )


def _load(
    system: PaperSystem, epochs: int | None, *, memory: Any, n_jobs: int | None
) -> tuple[Any, int, int]:
    """Return the pipeline of a system, its epochs here, and those of the paper.

    The epochs are 0 for nearest neighbours.
    """
    pipeline = system.load(memory=memory, n_jobs=n_jobs)
    params = pipeline.get_params()
    names = ("classifier__epochs", "classifier__estimator__epochs")
    name = next((name for name in names if name in params), None)
    if name is None:
        return pipeline, 0, 0
    here = params[name]
    if epochs is not None:
        here = int(epochs)
        pipeline.set_params(**{name: here})
        if params.get(_NODES):  # epochs of single nodes
            pipeline.set_params(**{_NODES: None})
    return pipeline, here, params[name]


def _check_weights(weights: Any, cells: Sequence[Cell]) -> None:
    """Refuse weights that are not there, or that no cell takes."""
    if weights is None:
        return
    if all(get_system(cell.system).load().get_params().get(_WEIGHTS) is None for cell in cells):
        raise ValueError(
            f"weights={os.fspath(weights)!r}, but no cell to run starts from weights; leave it "
            "out, or run the cell transfer of kumar2021/reports."
        )
    if not os.path.isfile(weights):
        raise FileNotFoundError(
            f"weights={os.fspath(weights)!r}: there is no such file; give a weights file of VGG16 "
            "without its top (.weights.h5, .h5 or .keras)."
        )


def _run_cell(
    cell: Cell,
    system: PaperSystem,
    pipeline: Any,
    tracks: Bunch,
    honest: str,
    *,
    n_folds: int,
    n_trainings: int,
    paper_folds: int,
    random_state: int,
    run: dict[str, Any],
    progress: ProgressReporter,
) -> dict[str, Any]:
    """Evaluate a cell as the paper did and honestly; return rows, trainings, and so on."""
    lenient = pipeline
    if isinstance(lenient[-1], RejectingClassifier) and cell.split.unit == "segment":
        # A single segment has one vote and would always be rejected: the votes are counted
        # when all segments are predicted.
        lenient = Pipeline([*lenient.steps[:-1], ("classifier", lenient[-1].estimator)])
    data = (tracks.data, tracks.target, tracks.artists)
    task = EvaluationTask(lenient, *data)
    splits = cell.split.make_splits(
        task, n_folds=paper_folds, n_trainings=n_trainings, random_state=random_state
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
            "history": fold.history,
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
