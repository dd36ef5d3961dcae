"""Whether a track has sound."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.base import TrackTableTransformer
from skgenre.utils._waveforms import has_sound


class SoundDetector(TrackTableTransformer):
    """Tell whether each track, or each of its segments, has sound: one column of 1 or 0.

    A track has sound if its level, the standard deviation of the samples in 0.02 s, reaches -80 dB
    of full scale for 0.1 s or more. Silence, a constant and the noise of 16 bits are no sound:
    other features of them are finite, but mean nothing.

    Parameters
    ----------
    sampling_rate : float, default=22050
        Rate of the waveforms in Hz. Waveforms known to have another rate are refused.

    See Also
    --------
    NoSoundWarning : The warning of :class:`AudioLoader` about such tracks.
    GenreClassifier : Predicts no genre where there is no sound.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import SoundDetector
    >>> noise = 0.1 * np.random.default_rng(0).normal(size=22050)
    >>> SoundDetector().fit_transform([noise, 0.001 * noise, 0 * noise + 0.5, noise[:100]]).tolist()
    [[1.0], [1.0], [0.0], [0.0]]
    """

    def __init__(self, *, sampling_rate=22050):
        self.sampling_rate = sampling_rate

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the name of the column.

        Parameters
        ----------
        input_features : None
            Present by convention: samples have no names.

        Returns
        -------
        names : ndarray of shape (1,), str objects
            "has_sound".
        """
        return np.array(["has_sound"], dtype=object)

    def describe(self, samples: NDArray[np.float32]) -> list[bool]:
        return [has_sound(samples, self.sampling_rate)]
