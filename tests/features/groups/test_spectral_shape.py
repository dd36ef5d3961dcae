from __future__ import annotations

import librosa
import numpy as np
import pandas as pd
import pytest
from _clips import RATE, chord, describe, music, noise, spectrum

from skgenre import ClipFeatures

# Hz: where the bands of the contrast begin, and the highest frequency.
EDGES = [0, 200, 400, 600, 800, 1100, 1500, 2000, 2700, 3600, 4800, 6400, 8500, RATE / 2]


def tone(hertz, seconds=2.0, rate=RATE):
    t = np.arange(int(rate * seconds)) / rate
    return (0.1 * np.sin(2 * np.pi * hertz * t)).astype(np.float32)


def test_spectral_shape_by_librosa():
    samples = music()
    row = describe(samples, "spec")
    magnitude = np.abs(librosa.stft(samples, n_fft=2048, hop_length=512, pad_mode="constant"))
    given = {"S": magnitude, "sr": RATE}
    shapes = {
        "centroid": librosa.feature.spectral_centroid(**given),
        "bandwidth": librosa.feature.spectral_bandwidth(**given),
        "rolloff": librosa.feature.spectral_rolloff(**given),
        "flatness": np.log10(librosa.feature.spectral_flatness(S=magnitude)),
    }
    for name, values in shapes.items():
        assert row[f"{name}_mean"] == pytest.approx(values.mean(), rel=2e-3), name
        assert row[f"{name}_std"] == pytest.approx(values.std(), rel=1e-2), name
    # The octave of 400 to 800 Hz: bins 38 to 74, of which one is 2 %.
    octave = 20 * np.log10(magnitude[38:75])
    contrast = octave.max(axis=0) - octave.min(axis=0)
    assert row["contrast2_mean"] == pytest.approx(contrast.mean(), rel=1e-3)
    assert row["contrast2_std"] == pytest.approx(contrast.std(), rel=1e-2)


@pytest.mark.parametrize("n_fft", [2, 60, 62, 64, 128, 2048])  # 2 to 1025 bins
def test_roll_off_of_any_number_of_bins(n_fft):
    samples = np.pad(music(1.0), (0, RATE // 2))  # ends in silence
    row = describe(samples, "spec", n_fft=n_fft)
    given = {"n_fft": n_fft, "hop_length": 512, "pad_mode": "constant"}
    rolloff = librosa.feature.spectral_rolloff(S=np.abs(librosa.stft(samples, **given)), sr=RATE)
    assert row["rolloff_mean"] == pytest.approx(rolloff.mean(), rel=1e-3)
    assert row["rolloff_std"] == pytest.approx(rolloff.std(), rel=1e-3)


def test_zero_crossings_by_counting():
    samples = noise(5000 / RATE)
    row = describe(samples, "spec", n_fft=1024, hop_length=256)
    changes = np.diff(samples < 0)
    shares = []
    for center in range(0, len(samples) + 1, 256):
        first, stop = max(0, center - 512), min(len(samples), center + 512)
        # A change counts to the frame of the sample before it.
        shares.append(changes[first:stop].sum() / (stop - first))
    assert row["zero_crossings_mean"] == pytest.approx(np.mean(shares))
    assert row["zero_crossings_std"] == pytest.approx(np.std(shares))


def test_zero_crossings_of_a_tone():
    row = describe(chord([0], seconds=1.0), "spec")
    assert row["zero_crossings_mean"] == pytest.approx(2 * 440 / RATE, rel=0.02)


@pytest.mark.parametrize("band", [0, 4, 12])
def test_contrast_by_hand(band):
    samples = music()
    row = describe(samples, "contrast")
    frequencies = np.arange(1025) * RATE / 2048
    inside = (frequencies >= EDGES[band]) & (frequencies < EDGES[band + 1])
    if band == 12:
        inside[-1] = True
    power = np.maximum(spectrum(samples)[inside], 1e-10)
    levels = np.sort(10 * np.log10(power), axis=0)
    n = len(levels)
    middle = levels[n // 2]
    shapes = {
        "peaks": levels[n - max(1, n // 10) :].mean(axis=0) - middle,
        "valleys": middle - levels[: max(1, n // 5)].mean(axis=0),
    }
    for name, values in shapes.items():
        expected = {
            "mean": values.mean(),
            "std": values.std(),
            "step": np.diff(values).std(),
            "q10": np.percentile(values, 10),
            "q90": np.percentile(values, 90),
        }
        found = {statistic: row[f"band{band}_{name}_{statistic}"] for statistic in expected}
        assert found == pytest.approx(expected, abs=0.02)
    # Of the geometric mean over the arithmetic one, in decibels.
    flatness = levels.mean(axis=0) - 10 * np.log10(power.mean(axis=0))
    assert row[f"band{band}_flatness"] == pytest.approx(flatness.mean(), abs=0.02)


@pytest.mark.parametrize("band", range(2, 13))
def test_a_tone_peaks_in_its_band(band):
    hertz = np.mean(EDGES[band : band + 2])
    row = describe(tone(hertz), "contrast")
    plain = describe(noise(2.0), "contrast")
    assert row.filter(like="peaks_mean").idxmax() == f"band{band}_peaks_mean"
    assert row.filter(like="flatness").idxmin() == f"band{band}_flatness"
    assert row[f"band{band}_peaks_mean"] > plain[f"band{band}_peaks_mean"] + 10
    assert row[f"band{band}_flatness"] < plain[f"band{band}_flatness"] - 8


def test_noise_has_no_peaks():
    row = describe(noise(5.0), "contrast")
    # The power of a bin of noise is exponential: its logarithm lies 2.5 dB below its mean.
    wide = [f"band{band}" for band in range(4, 13)]
    np.testing.assert_allclose(row[[f"{band}_flatness" for band in wide]], -2.5, atol=0.3)
    # The highest tenth of exponential values lies about 6.6 dB above their median.
    np.testing.assert_allclose(row[[f"{band}_peaks_mean" for band in wide]], 6.6, atol=1.2)
    loud = describe(10 * noise(5.0), "contrast")
    np.testing.assert_allclose(loud, row, atol=1e-3)


def test_bands_beyond_the_highest_frequency_are_zero():
    features = ClipFeatures(feature_groups=("contrast",), sampling_rate=8000)
    names = [name.removeprefix("contrast__") for name in features.get_feature_names_out()]
    row, high = (
        pd.Series(features.transform([samples])[0], index=names)
        for samples in (noise(3.0), tone(950, rate=8000))
    )
    for band in range(13):
        values = row.filter(regex=f"^band{band}_")
        assert len(values) == 11
        assert (values == 0).all() == (EDGES[band] > 4000), band
    # The band that the highest frequency cuts is taken as far as it goes, as that of noise.
    assert row["band9_flatness"] == pytest.approx(-2.5, abs=0.4)
    # A band is the same frequencies at any rate.
    assert high.filter(like="peaks_mean").idxmax() == "band4_peaks_mean"


def test_names_of_the_contrast():
    names = ClipFeatures(feature_groups=("contrast",)).get_feature_names_out().tolist()
    statistics = [
        f"{shape}_{statistic}"
        for shape in ("peaks", "valleys")
        for statistic in ("mean", "std", "step", "q10", "q90")
    ]
    assert names == [
        f"contrast__band{band}_{statistic}"
        for statistic in [*statistics, "flatness"]
        for band in range(13)
    ]
