"""Features of frames, laid out as a table."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from skgenre.base import TrackTableTransformer, TrackTransformer


class FlatFeatures(TrackTableTransformer):
    """Lay the frames of an extractor out as one row of named columns per track.

    A table can stand beside other tables in scikit-learn's ``FeatureUnion``, and a network reads
    the frames from it by ``X.reshape(len(X), n_frames, -1)``.

    Parameters
    ----------
    extractor : transformer
        Extractor of frames with named features and a parameter ``sampling_rate``, such as
        :class:`MelSpectrogramExtractor`.
    n_frames : int
        Number of frames in a row. Those of a shorter track start again from its beginning; those
        of a longer one are cut off.

    See Also
    --------
    ExcerptFeatures : Puts the rows of a track and of its excerpts beside each other.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import FlatFeatures, MelSpectrogramExtractor
    >>> tracks = np.random.default_rng(0).normal(size=(2, 22050))
    >>> flat = FlatFeatures(MelSpectrogramExtractor(n_mels=32), n_frames=40)
    >>> flat.fit_transform(tracks).shape
    (2, 1280)
    >>> flat.get_feature_names_out()[[0, -1]].tolist()
    ['frame0__mel0', 'frame39__mel31']
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "extractor": "no_validation",  # type: ignore[dict-item]  # _check_settings says more
        "n_frames": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, extractor, *, n_frames):
        self.extractor = extractor
        self.n_frames = n_frames

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
            The frame, two underscores, and the extractor's name: "frame0__mel0".
        """
        names = self.extractor.get_feature_names_out()
        return np.array(
            [f"frame{i}__{name}" for i in range(self.n_frames) for name in names], dtype=object
        )

    def _check_settings(self) -> None:
        if not (
            isinstance(self.extractor, TrackTransformer)
            and hasattr(self.extractor, "get_feature_names_out")
        ):
            raise TypeError(
                "FlatFeatures takes an extractor of frames with named features, such as "
                f"MelSpectrogramExtractor(); got {self.extractor!r}."
            )

    def describe(self, samples: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
        frames = self.extractor.transform(samples[np.newaxis])[0, 0]  # of its only segment
        return frames[np.arange(self.n_frames) % len(frames)].ravel()
