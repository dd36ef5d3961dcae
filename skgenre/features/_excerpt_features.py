"""Features of a track as a whole, and of excerpts of it."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from skgenre.base import TrackTableTransformer


class ExcerptFeatures(TrackTableTransformer):
    """Describe each track by the features of the whole and of excerpts of it.

    An excerpt can be typical of a genre where the track as a whole is not. This wraps an
    extractor of one row per track, such as :class:`ClipFeatures`, and puts the row of the whole
    track and the rows of its excerpts beside each other.

    Parameters
    ----------
    extractor : transformer
        Extractor of one row of named columns per track, with a parameter ``sampling_rate``:
        :class:`ClipFeatures`, :class:`SummaryExtractor` or :class:`FlatFeatures`, for example.
    n_excerpts : int, default=3
        Number of excerpts, spread evenly from the start to the end of the track. They overlap
        in short tracks. A single excerpt is the middle of the track. Beside the whole track, and
        where the extractor has a ``hop_length``, an excerpt starts at the multiple of it before
        that place.
    excerpt_duration : float, default=10.0
        Seconds of an excerpt. In a shorter track, each excerpt is the whole track, which is
        then described only once.
    include_track : bool, default=True
        Whether the row begins with the features of the whole track.

    See Also
    --------
    ClipFeatures : The features that :class:`GenreClassifier` takes of a track and its excerpts.
    Segmenter : Cuts tracks into segments, as the networks take them.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import ClipFeatures, ExcerptFeatures
    >>> tracks = np.random.default_rng(0).normal(size=(2, 4 * 22050))
    >>> tempo = ClipFeatures(feature_groups=["tempo"])
    >>> features = ExcerptFeatures(tempo, n_excerpts=2, excerpt_duration=3.0)
    >>> features.fit_transform(tracks).shape
    (2, 144)
    >>> features.get_feature_names_out()[[0, 48, 96]].tolist()
    ['track__tempo__lag_0.21s', 'excerpt0__tempo__lag_0.21s', 'excerpt1__tempo__lag_0.21s']
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "extractor": "no_validation",  # type: ignore[dict-item]  # _check_settings says more
        "n_excerpts": [Interval(Integral, 0, None, closed="left")],
        "excerpt_duration": [Interval(Real, 0, None, closed="neither")],
        "include_track": ["boolean"],
    }

    def __init__(self, extractor, *, n_excerpts=3, excerpt_duration=10.0, include_track=True):
        self.extractor = extractor
        self.n_excerpts = n_excerpts
        self.excerpt_duration = excerpt_duration
        self.include_track = include_track

    @property
    def sampling_rate(self) -> float:  # type: ignore[override]  # read from the extractor
        """Rate of the waveforms in Hz, which is that of the extractor."""
        return self.extractor.sampling_rate

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the columns.

        Parameters
        ----------
        input_features : None
            Present by convention: samples have no names.

        Returns
        -------
        names : ndarray of shape (n_columns,), str objects
            "track" or "excerpt0", "excerpt1", ..., two underscores, and the extractor's name:
            "excerpt0__mfcc__3_mean".
        """
        names = self.extractor.get_feature_names_out()
        views = ["track"] * self.include_track
        views += [f"excerpt{i}" for i in range(self.n_excerpts)]
        return np.array([f"{view}__{name}" for view in views for name in names], dtype=object)

    def _check_settings(self) -> None:
        if not isinstance(self.extractor, TrackTableTransformer):
            raise TypeError(
                f"ExcerptFeatures takes an extractor of one row per track, such as "
                f"ClipFeatures(); got {self.extractor!r}."
            )
        if not (self.include_track or self.n_excerpts):
            raise ValueError(
                "ExcerptFeatures with n_excerpts=0 and include_track=False has no columns; set "
                "one of them."
            )
        self.extractor._validate_params()
        self.extractor._check_settings()

    def describe(self, samples: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
        length = min(samples.size, max(1, round(self.excerpt_duration * self.sampling_rate)))
        rest = samples.size - length
        starts = np.linspace(0, rest, self.n_excerpts).round().astype(int)
        if self.n_excerpts == 1:
            starts[0] = rest // 2
        if self.include_track:
            # Frames of an excerpt are then frames of the track, whose spectrum they can share.
            starts -= starts % getattr(self.extractor, "hop_length", 1)
        excerpts = [(int(start), int(start) + length) for start in starts]
        excerpts = [(0, samples.size)] * self.include_track + excerpts
        distinct = list(dict.fromkeys(excerpts))  # one, if the track is shorter than an excerpt
        rows = self.extractor.describe_excerpts(samples, distinct)
        return np.concatenate([rows[distinct.index(excerpt)] for excerpt in excerpts])
