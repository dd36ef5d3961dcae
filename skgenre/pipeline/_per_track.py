"""The steps from file to features, track by track: in bounded memory, in parallel, cached."""

from __future__ import annotations

import os
import warnings
from numbers import Integral
from typing import Any, Self

import joblib
import numpy as np
from joblib import Memory
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context, clone
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if

from skgenre.base import as_table
from skgenre.pipeline._cache import TrackCache, n_bytes, open_cache
from skgenre.pipeline._steps import (
    check_steps,
    has_names,
    holding_weights,
    names_out,
    rows_of,
    validate_steps,
)
from skgenre.pipeline._tasks import TrackTask, transform_tracks
from skgenre.utils._blas import one_blas_thread
from skgenre.utils._cache_key import UnidentifiedError, front_end_key
from skgenre.utils._parallel import stream
from skgenre.utils._pipeline import augments, hold_weights, leaf_steps
from skgenre.utils._site import DocLinkMixin
from skgenre.utils._validation import check_genres
from skgenre.utils._warnings import TrackWarning, warn_of_tracks
from skgenre.utils._waveforms import TrackStack, track_name


class PerTrack(
    DocLinkMixin,
    CallbackSupportMixin,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]  # the mixin of scikit-learn takes it
):
    """Run the steps of a pipeline that treat each row by itself, one track at a time.

    Loading, segmenting, augmenting and extracting treat each track by itself. As steps of an
    ordinary pipeline, each passes an array of all tracks to the next: the raw segments of 1000
    tracks of 30 s are 2.6 GB, their MFCCs 68 MB. PerTrack takes each track through all steps
    and keeps the last result only. Tracks run in parallel. With ``memory`` the result of each
    track is stored, and reused in all folds, in all grid candidates that share these steps,
    and in later runs.

    Parameters
    ----------
    transformer : transformer or Pipeline
        Transformers that learn nothing from the tracks: those of skgenre, those whose
        scikit-learn tag ``requires_fit`` is false, a ``FunctionTransformer``, and those whose
        class declares ``stateless = True``. Pipelines and FeatureUnions of them may be nested.
        One that learns from all tracks, such as :class:`FrameScaler`, is refused.
    n_jobs : int or None, default=None
        Tracks that run at the same time, as joblib counts: None means 1, or what
        ``joblib.parallel_config`` says; -1 means all cores. Threads are used, because decoding
        and transforming release Python's lock; ``joblib.parallel_config(backend="loky")`` uses
        processes instead, ``backend="dask"`` the workers of a Dask cluster, unless this is 1.
    memory : str, PathLike, joblib.Memory or None, default=None
        Folder in which the result of each track is kept (that of a Memory); None keeps nothing.
    batch_size : int, default=1
        Tracks in one task. At most ``2 * n_jobs * batch_size`` tracks are held at a time.
    file_identity : {"stat", "content"}, default="stat"
        How the cache identifies a file. "stat" takes its path, size and modification time,
        and so misses an edit that changes neither size nor time. "content" hashes the bytes,
        which takes longer, sees every edit, and also finds a file that was moved.
    bytes_limit : int, str or None, default=None
        Size to which the cache is pruned, least recently used entries first: bytes, or text
        such as "500M" or "2G". All results of tracks in ``memory`` count. None lets it grow.

    Attributes
    ----------
    transformer_ : transformer or Pipeline
        The clone of ``transformer`` that the last fit used. The ``effects_`` of an
        :class:`Augmenter` in it are those of the last ``fit_transform``.
    n_hits_ : int
        Tracks of the last ``fit_transform`` that were found in the cache.

    See Also
    --------
    make_genre_pipeline : Builds pipelines that begin with PerTrack.

    Notes
    -----
    The result equals that of the transformer by itself. ``fit_transform`` augments where
    there is an :class:`Augmenter`; ``transform`` never does. A ``RandomState`` instance as the
    augmenter's ``random_state`` is copied with it, so that each fit draws the same copies.

    A step from elsewhere gets a copy of one track at a time, as a batch of one. A declared one
    that has a ``fit`` is fitted on that track first.

    While PerTrack runs, BLAS has one thread in the whole process. If other threads of the process
    limit BLAS too, as KMeans does, call ``threadpoolctl.threadpool_limits`` once, around all of
    them.

    The key of a cached result consists of the track (a file as ``file_identity`` says, a
    waveform by a hash of its samples and its rate), of the classes and parameters of all
    steps, and of the code: the release of skgenre with a digest of its source, and the
    versions of the libraries that compute. Code from elsewhere counts by the release of its
    package if that is installed, else by its compiled code and that of the functions and
    classes it names; where it uses anything else that cannot be identified, such as a module
    of your own, nothing is cached and a warning says why.

    The key of augmented copies includes the augmenter's seed. The output of a step that draws
    new random numbers is never stored: a step with scikit-learn's tag ``non_deterministic``, and
    an augmenter or a step from elsewhere whose ``random_state`` is None.

    Entries are plain ``.npy`` data: reading one runs no code, but others who can write the folder
    can exchange features. Arrays of Python objects are not kept, and a warning says so. An entry
    that is damaged is computed again, with a warning. Processes may share a folder. Where it
    cannot be written, PerTrack works without it, with a warning.

    If ``transformer`` is a Pipeline, the parameters of its steps can be set without
    naming the transformer: ``segmenter__n_segments`` is
    ``transformer__segmenter__n_segments``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skgenre import MFCCExtractor, PerTrack, Segmenter
    >>> front_end = make_pipeline(Segmenter(n_segments=5, track_duration=5), MFCCExtractor())
    >>> tracks = np.random.default_rng(0).normal(size=(4, 5 * 22050)).astype(np.float32)
    >>> PerTrack(front_end, n_jobs=2).fit_transform(tracks).shape
    (4, 5, 44, 13)
    """

    _runs_per_track = True

    _parameter_constraints: dict[str, Any] = {
        "transformer": "no_validation",  # check_steps says more
        "n_jobs": [Integral, None],
        "memory": [str, os.PathLike, Memory, None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "file_identity": [StrOptions({"stat", "content"})],
        "bytes_limit": [Interval(Integral, 0, None, closed="neither"), str, None],
    }

    def __init__(
        self,
        transformer,
        *,
        n_jobs=None,
        memory=None,
        batch_size=1,
        file_identity="stat",
        bytes_limit=None,
    ):
        self.transformer = transformer
        self.n_jobs = n_jobs
        self.memory = memory
        self.batch_size = batch_size
        self.file_identity = file_identity
        self.bytes_limit = bytes_limit

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the steps and try them on the first tracks; there is nothing to learn.

        Parameters
        ----------
        X : array-like of n_tracks
            Tracks as the first step takes them.
        y : array-like of shape (n_tracks,) or None, default=None
            Genres, of which none may be missing: the classifier after this step would refuse
            them when all features are computed. Nothing is learnt from them.

        Returns
        -------
        self : object
            The transformer itself.

        Raises
        ------
        ValueError
            If a step learns from the tracks or does not say that it learns nothing, if it
            refuses the input, or if a track has no genre.
        TypeError
            If a step is not a transformer.
        """
        context = self._init_callback_context()
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        steps = self._begin()
        rows = rows_of(steps, X)
        check_genres(y, rows)
        self._each(steps, rows[: self.batch_size], training=False)
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X: Any, y: Any = None) -> NDArray[Any]:
        """Transform the training tracks, with copies where a step augments.

        Parameters
        ----------
        X : array-like of n_tracks
            Tracks as the first step takes them.
        y : array-like of shape (n_tracks,) or None, default=None
            Genres, of which none may be missing: the classifier after this step would refuse
            them when all features are computed. Nothing is learnt from them.

        Returns
        -------
        Xt : ndarray of shape (n_tracks, ...)
            One row for each track, the output of the last step; a data frame where it has
            two dimensions and ``set_output`` asks for one.
        """
        steps = self._begin()
        rows = rows_of(steps, X)
        check_genres(y, rows)
        context = self._init_callback_context(max_subtasks=len(rows))
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        out = self._each(steps, rows, training=True, context=context)
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return as_table(self, out, X, lambda: names_out(steps))

    def transform(self, X: Any) -> NDArray[Any]:
        """Transform tracks; nothing is augmented.

        Nothing was learnt, so the current parameters apply, without a new fit.

        Parameters
        ----------
        X : array-like of n_tracks
            Tracks as the first step takes them.

        Returns
        -------
        Xt : ndarray of shape (n_tracks, ...)
            As for ``fit_transform``.
        """
        self._validate_params()
        check_steps(self.transformer)
        steps = leaf_steps(holding_weights(self.transformer))
        out = self._each(steps, rows_of(steps, X), training=False)
        return as_table(self, out, X, lambda: names_out(steps))

    @available_if(has_names)
    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the last axis, as the steps give them.

        Parameters
        ----------
        input_features : None
            Present by convention: tracks have no names.

        Returns
        -------
        names : ndarray of str objects
            The names.
        """
        names = names_out(leaf_steps(self.transformer))
        if names is None:
            raise ValueError(
                "The steps do not name their columns; give each a get_feature_names_out."
            )
        return names

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, those of a pipeline's steps also by the step's name alone.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the parameters of the transformer.

        Returns
        -------
        params : dict of str to value
            The parameters.
        """
        params = super().get_params(deep=deep)
        if deep and isinstance(self.transformer, Pipeline):
            inner = self.transformer.get_params(deep=True)
            for name, value in inner.items():
                if name.partition("__")[0] in self.transformer.named_steps:
                    params.setdefault(name, value)
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters, those of a pipeline's steps also by the step's name alone.

        Parameters
        ----------
        **params : dict
            Names and values.

        Returns
        -------
        self : object
            The transformer itself.
        """
        own = set(self._get_param_names())
        if "transformer" in params:
            self.transformer = params.pop("transformer")
        if isinstance(self.transformer, Pipeline):
            names = set(self.transformer.named_steps) - own
            inner = {k: params.pop(k) for k in list(params) if k.partition("__")[0] in names}
            if inner:
                self.transformer.set_params(**inner)
        return super().set_params(**params)

    def set_output(self, *, transform: str | None = None) -> Self:
        """Ask for data frames, where the output has two dimensions and names.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None
            The container asked for; None leaves it as it is.

        Returns
        -------
        self : object
            The transformer itself.
        """
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = ["float32"]
        steps = leaf_steps(self.transformer)
        if steps and hasattr(steps[0], "__sklearn_tags__"):
            tags.input_tags = get_tags(steps[0]).input_tags
        return tags

    def _begin(self) -> list[Any]:
        """Clone the transformer and draw the seeds of this fit."""
        check_steps(self.transformer)
        self.transformer_ = clone(self.transformer, safe=False)
        hold_weights(self.transformer_)
        steps = leaf_steps(self.transformer_)
        for step in filter(augments, steps):
            step.draw_seed()
        return steps

    @one_blas_thread()
    def _each(
        self, steps: list[Any], rows: Any, *, training: bool, context: Any = None
    ) -> NDArray[Any]:
        """Fill one output array, task by task."""
        limit = n_bytes(self.bytes_limit)  # a wrong one is an error before the work, not after
        validate_steps(steps)
        cache, front_end = self._open_cache(steps, training=training)
        task = TrackTask(steps, training, cache, front_end, self.file_identity)
        calls = (
            (rows[first : first + self.batch_size], first)
            for first in range(0, len(rows), self.batch_size)
        )
        out = TrackStack(len(rows))
        row = n_hits = n_unpruned = 0
        tables: list[list[NDArray[np.void]]] = []
        said: set[str] = set()
        found: list[TrackWarning] = []
        # Starting threads takes longer than reading what is there, or than a single task.
        alone = len(rows) <= self.batch_size or task.finds_all(rows)
        n_jobs = 1 if alone else self.n_jobs
        for result in stream(joblib, transform_tracks, task, calls, n_jobs, prefer="threads"):
            for problem in result.problems:
                if problem not in said:
                    warnings.warn(problem, UserWarning, stacklevel=4)
                said.add(problem)
            for array in result.arrays:
                subtask = None if context is None else context.subcontext(task_name="track")
                if subtask is not None:
                    subtask.call_on_fit_task_begin(estimator=self)
                out.append(array, track_name(rows[row], row))
                row += 1
                if subtask is not None:
                    subtask.call_on_fit_task_end(estimator=self)
            n_hits += result.n_hits
            tables += result.effects
            found += result.warnings
            n_unpruned += result.n_bytes_stored
            # Now and then, because all files are listed, and at the end.
            if cache and limit and n_unpruned > (0 if row == len(rows) else limit / 10):
                cache.prune(limit)
                n_unpruned = 0
        if training:
            self.n_hits_ = n_hits
            for i, step in enumerate(filter(augments, steps)):
                step.effects_ = np.concatenate([table[i] for table in tables])
        warn_of_tracks(found)
        return out.array()

    def _open_cache(
        self, steps: list[Any], *, training: bool
    ) -> tuple[TrackCache | None, str | None]:
        """Return the cache and the key of the steps; None where nothing is kept."""
        cache = open_cache(self.memory)
        if cache is None:
            return None, None
        try:
            return cache, front_end_key(steps, training=training)
        except UnidentifiedError as error:
            warnings.warn(
                f"PerTrack keeps no results in {cache.location}: {error}.",
                UserWarning,
                stacklevel=5,
            )
            return None, None
