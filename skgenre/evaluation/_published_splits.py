"""The published partitions of GTZAN as scikit-learn splitters."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils._param_validation import StrOptions, validate_parameter_constraints

from skgenre.datasets.gtzan import clip_name, read_facts, read_groups, read_parts
from skgenre.utils._io import shorten

_SPLIT = tuple[NDArray[np.intp], NDArray[np.intp]]


class _PublishedSplit(BaseCrossValidator):
    """One split into the parts of a partition, of the clips that are there."""

    _partition: str
    _parameter_constraints: dict[str, list[Any]] = {
        "clips": ["array-like", None],
        "validation": [StrOptions({"train", "leave_out", "test"})],
        "on_missing": [StrOptions({"warn", "raise", "ignore"})],
    }

    def __init__(self, *, clips=None, validation="train", on_missing="warn"):
        self.clips = clips
        self.validation = validation
        self.on_missing = on_missing

    def split(
        self, X: ArrayLike, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Iterator[_SPLIT]:
        """Find the rows to train on and those to test on.

        Parameters
        ----------
        X : array-like of shape (n_tracks, ...)
            The tracks: paths of clips, unless ``clips`` names them.
        y : array-like of shape (n_tracks,), default=None
            Not used.
        groups : array-like of shape (n_tracks,), default=None
            Not used.

        Yields
        ------
        train : ndarray of int
            The rows to train on.
        test : ndarray of int
            The rows to test on.

        Raises
        ------
        ValueError
            If a row is no clip of GTZAN, ``clips`` and ``X`` differ in length, no row is
            left on one side, or clips are missing and ``on_missing="raise"``.

        Warns
        -----
        UserWarning
            If clips of the parts in use are missing, with the number of each part.
        """
        validate_parameter_constraints(
            self._parameter_constraints, vars(self), caller_name=type(self).__name__
        )
        # Here, not in the generator: errors and warnings come when split is called.
        return iter([self._split(self._names(X))])

    def get_n_splits(
        self,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> int:
        """Return the number of splits.

        Parameters
        ----------
        X : array-like, default=None
            Not used.
        y : array-like, default=None
            Not used.
        groups : array-like, default=None
            Not used.

        Returns
        -------
        n_splits : int
            One.
        """
        return 1

    def _names(self, X: Any) -> list[str]:
        """Return the name of the clip of each row."""
        if X is None:
            raise ValueError(
                "X is None; expected the tracks: paths, or rows that the parameter clips names."
            )
        n_tracks = X.shape[0] if hasattr(X, "shape") else len(X)
        if self.clips is None:
            given, source = X, "X"
            if getattr(X, "ndim", 1) == 2 and X.shape[1] == 1:  # a table with a column of paths
                given = np.asarray(X, dtype=object)[:, 0]
        else:
            given, source = self.clips, "clips"
            if len(given) != n_tracks:
                raise ValueError(
                    f"clips names {len(given)} tracks, but X has {n_tracks}; give the name of each "
                    "row of X, in the same order. Within a nested search X is a part of the data: "
                    "there the rows have to be paths."
                )
        names = []
        for row, value in enumerate(given):
            if not isinstance(value, str | os.PathLike):
                raise ValueError(
                    f"Row {row} of {source} is of type {type(value).__name__}, expected the path "
                    "or name of a clip of GTZAN, such as jazz/jazz.00054.wav. Where X holds no "
                    f"paths, set {type(self).__name__}(clips=load_gtzan(...).names)."
                )
            name = clip_name(value)
            if name is None:
                raise ValueError(
                    f"Row {row} of {source}, {os.fspath(value)!r}, is no clip of GTZAN; expected "
                    "names such as jazz/jazz.00054.wav."
                )
            names.append(name)
        return names

    def _split(self, names: list[str]) -> _SPLIT:
        parts = read_parts(self._partition)
        sides = {"train": ["train", "valid"], "leave_out": ["train"], "test": ["train"]}
        train_parts = sides[self.validation]
        test_part = "valid" if self.validation == "test" else "test"
        present = set(names)
        counts = {
            part: (len(parts[part] & present), len(parts[part]))
            for part in [*train_parts, test_part]
        }
        self._report_missing(counts)
        in_train = np.isin(names, sorted(set().union(*(parts[part] for part in train_parts))))
        in_test = np.isin(names, sorted(parts[test_part]))
        in_train &= ~self._dropped(names, in_test)
        for side, rows in (("train", in_train), ("test", in_test)):
            if not rows.any():
                of = " and ".join(train_parts if side == "train" else [test_part])
                raise ValueError(
                    f"None of the {len(names)} tracks is left to {side} on: {type(self).__name__} "
                    f"takes the clips of the published part {of}. Load more of GTZAN, or divide "
                    "the tracks by StratifiedGroupKFold and their artists."
                )
        genres = np.array([name.partition(".")[0] for name in names])
        unlearned = sorted(set(genres[in_test]) - set(genres[in_train]))
        if unlearned and self.on_missing != "ignore":
            warnings.warn(
                f"There are tracks to test on but none to train on of these genres: "
                f"{shorten(unlearned)}.",
                stacklevel=3,
            )
        return np.flatnonzero(in_train), np.flatnonzero(in_test)

    def _dropped(self, names: list[str], in_test: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which rows of the training parts are left out."""
        return np.zeros(len(names), dtype=bool)

    def _report_missing(self, counts: dict[str, tuple[int, int]]) -> None:
        if self.on_missing == "ignore" or all(there == whole for there, whole in counts.values()):
            return
        listed = ", ".join(f"{there} of {whole} {part}" for part, (there, whole) in counts.items())
        message = (
            f"Part of the clips of {type(self).__name__} is missing; there are {listed}. Scores "
            "are not comparable with those on the whole partition."
        )
        if self.on_missing == "raise":
            raise ValueError(f"{message} Set on_missing='warn' to go on with these.")
        warnings.warn(message, stacklevel=4)


class FaultFilteredSplit(_PublishedSplit):
    """Split GTZAN into the published parts without faulty clips and, nearly, shared artists.

    One split, of 640 clips to train on and 290 to test on; 70 clips that are repeated or
    distorted are in neither. For :func:`~sklearn.model_selection.cross_validate`,
    :class:`~sklearn.model_selection.GridSearchCV` and the like, on all of GTZAN or a part.

    Parameters
    ----------
    clips : array-like of str or PathLike of shape (n_tracks,), default=None
        The name or path of the clip of each row of ``X``, if the rows are no paths. None
        means the rows of ``X``.
    validation : {"train", "leave_out", "test"}, default="train"
        Use of the validation part: joined to the training part, left out, or used as the test
        part, which is then left out (to choose parameters without it).
    shared_artists : {"keep", "drop"}, default="keep"
        "drop" trains on no clip of an artist with test clips, see Notes.
    on_missing : {"warn", "raise", "ignore"}, default="warn"
        If clips of the parts are missing: a warning with the counts, an error, or nothing.

    See Also
    --------
    StratifiedSplit : The published partition that divides by genre alone.
    skgenre.load_gtzan : Lists the clips, with their parts.

    Notes
    -----
    The parts are the lists of the authors: train 443, valid 197, test 290 clips. They were
    made to divide artists too. The index of artists was completed since: 13 artists or
    groups of them have clips in more than one part. With ``validation="train"`` ten of them
    are on both sides, with 53 clips that are trained on; ``shared_artists="drop"`` leaves those
    out, and is stricter than what the papers report. Clips whose artist is not
    known stay.

    As most tracks are never tested on, :func:`~sklearn.model_selection.cross_val_predict`
    refuses such a split. A search that refits does so on all rows given, those to be tested
    on included; give it the others only, with ``validation="test"``.

    References
    ----------
    .. [1] C. Kereliuk, B. L. Sturm and J. Larsen, "Deep learning and music adversaries",
       IEEE Transactions on Multimedia 17(11), pp. 2059-2071, 2015.

    Examples
    --------
    >>> from skgenre.evaluation import FaultFilteredSplit
    >>> paths = ["blues/blues.00029.wav", "blues/blues.00012.wav", "rock/rock.00040.wav",
    ...          "rock/rock.00016.wav", "metal/metal.00058.wav"]
    >>> split = FaultFilteredSplit(on_missing="ignore")
    >>> for train, test in split.split(paths):
    ...     print(train, test)  # metal.00058 is rock.00016 once more
    [0 3] [1 2]
    """

    _partition = "fault_filtered"
    _parameter_constraints = {
        **_PublishedSplit._parameter_constraints,
        "shared_artists": [StrOptions({"keep", "drop"})],
    }

    def __init__(self, *, clips=None, validation="train", shared_artists="keep", on_missing="warn"):
        super().__init__(clips=clips, validation=validation, on_missing=on_missing)
        self.shared_artists = shared_artists

    def _dropped(self, names: list[str], in_test: NDArray[np.bool_]) -> NDArray[np.bool_]:
        if self.shared_artists == "keep":
            return super()._dropped(names, in_test)
        facts, groups = read_facts(), read_groups()
        # Two clips of unknown artists may or may not share one.
        known = np.array([bool(facts[name].artist) for name in names])
        artists = np.array([groups[name] for name in names])
        return known & np.isin(artists, artists[in_test & known])


class StratifiedSplit(_PublishedSplit):
    """Split GTZAN into the published parts that have as many clips of each genre.

    One split, of 750 clips to train on and 250 to test on, drawn without regard to artists
    and faults: artists, and clips that repeat each other, are on both sides. It is here to
    show what that does to a score, and for comparison with figures obtained so.

    Parameters
    ----------
    clips : array-like of str or PathLike of shape (n_tracks,), default=None
        The name or path of the clip of each row of ``X``, if the rows are no paths. None
        means the rows of ``X``.
    validation : {"train", "leave_out", "test"}, default="train"
        Use of the validation part: joined to the training part, left out, or used as the test
        part, which is then left out.
    on_missing : {"warn", "raise", "ignore"}, default="warn"
        If clips of the parts are missing: a warning with the counts, an error, or nothing.

    See Also
    --------
    FaultFilteredSplit : The published partition without faulty clips.
    sklearn.model_selection.StratifiedKFold : The usual folds by track, with ``shuffle=True``.

    Notes
    -----
    The parts are the lists of the authors: train 500, valid 250, test 250 clips.

    References
    ----------
    .. [1] C. Kereliuk, B. L. Sturm and J. Larsen, "Deep learning and music adversaries",
       IEEE Transactions on Multimedia 17(11), pp. 2059-2071, 2015.

    Examples
    --------
    >>> from skgenre.evaluation import StratifiedSplit
    >>> names = ["blues.00000", "blues.00005", "rock.00000", "rock.00099"]
    >>> split = StratifiedSplit(on_missing="ignore")
    >>> [(train.tolist(), test.tolist()) for train, test in split.split(names)]
    [([0, 3], [1, 2])]
    """

    _partition = "stratified"

    # Spelled out: scikit-learn reads the parameters off the class's own constructor.
    def __init__(self, *, clips=None, validation="train", on_missing="warn"):
        super().__init__(clips=clips, validation=validation, on_missing=on_missing)
