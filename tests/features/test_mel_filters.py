"""The mel filters equal those of librosa to the last bit."""

from __future__ import annotations

import warnings

import librosa
import numpy as np
import pytest

from skgenre import MelSpectrogramExtractor
from skgenre.features._mel_filters import mel_filters


@pytest.mark.parametrize("sampling_rate", [8000, 22050, 44100])
@pytest.mark.parametrize(("fmin", "fmax", "htk"), [(0.0, None, False), (27.5, 3000.0, True)])
@pytest.mark.parametrize(("n_fft", "n_mels"), [(25, 13), (1023, 40), (2048, 128), (512, 2)])
def test_equal_librosa(sampling_rate, n_fft, n_mels, fmin, fmax, htk):
    with warnings.catch_warnings(record=True) as ours:
        warnings.simplefilter("always")
        found = mel_filters(
            sampling_rate=sampling_rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=htk
        )
    with warnings.catch_warnings(record=True) as theirs:
        warnings.simplefilter("always")
        expected = librosa.filters.mel(
            sr=sampling_rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=htk
        )
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.float32
    assert len(ours) == len(theirs)


def test_bands_without_a_bin_are_counted():
    extractor = MelSpectrogramExtractor(n_mels=64, n_fft=128, hop_length=64)
    with pytest.warns(UserWarning, match=r"\d+ of 64 mel bands lie between two bins.*Raise n_fft"):
        extractor.transform(np.ones((1, 4096), dtype=np.float32))
