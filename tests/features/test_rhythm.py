from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from _clips import RATE, impulses

from skgenre import RhythmExtractor


def clicks(tempo, **params):
    return impulses(tempo, **params)[0][np.newaxis]


def row(X, **params):
    """Return the columns of one track."""
    table = RhythmExtractor(**params).set_output(transform="pandas").fit_transform(X)
    assert isinstance(table, pd.DataFrame)
    return table.iloc[0]


@pytest.mark.parametrize("envelope", ["onset", "energy"])
@pytest.mark.parametrize("tempo", [90, 120, 150])
def test_known_tempo_in_all_columns(tempo, envelope):
    found = row(clicks(tempo), envelope=envelope)
    assert found["tempo"] == pytest.approx(tempo, rel=0.02)
    assert tempo in (found["beat_tempo1"], found["beat_tempo2"])
    periods = found["autocorrelation_lag1"] * tempo / 60  # in beats
    assert periods == pytest.approx(round(periods), abs=0.05)
    assert found["autocorrelation_peak1"] > 0.7


def test_second_peak_shows_the_slower_pulse_of_accents():
    found = row(clicks(160, every_other=0.05), envelope="energy")
    tempi = {round(found["beat_tempo1"]), round(found["beat_tempo2"])}
    assert tempi == {80, 160}
    assert found["beat_peak_ratio"] == pytest.approx(found["beat_peak2"] / found["beat_peak1"])
    ratio = found["beat_tempo2"] / found["beat_tempo1"]
    assert found["beat_tempo_ratio"] == pytest.approx(ratio)


def test_swing_of_the_envelope_is_what_the_histogram_measures():
    """Noise that swings by a half, twice a second: the histogram has 0.5 at 120."""
    t = np.arange(24 * RATE) / RATE
    noise = np.random.default_rng(0).normal(size=t.size)
    X = np.sqrt(1 + 0.5 * np.cos(2 * np.pi * 2 * t)) * noise
    found = row(X[np.newaxis], envelope="energy")
    assert found["beat_tempo1"] == pytest.approx(120, abs=1)
    height = found["beat_peak1"] * found["beat_sum"] * 201  # of 40 to 240
    assert height == pytest.approx(0.5, abs=0.05)


def test_a_regular_beat_correlates_more_than_noise():
    noise = np.random.default_rng(0).normal(size=(1, 15 * RATE))
    regular, irregular = row(clicks(120)), row(noise)
    assert regular["autocorrelation_peak1"] > 3 * irregular["autocorrelation_peak1"]
    assert regular["onset_std"] > irregular["onset_std"]


def test_low_energy_share_counts_each_run_of_windows():
    # Of each 100 windows of 512 samples, 25 are loud; the second run is louder as a whole.
    loud = np.tile(np.repeat([1.0, 0.1], [25 * 512, 75 * 512]), 2)
    loud[100 * 512 :] *= 10
    assert row(loud[np.newaxis])["low_energy_share"] == 0.75
    # Against the mean of all 200, the loud ones of the first run are low as well.
    assert row(loud[np.newaxis], n_windows=200)["low_energy_share"] == 0.875
    # A track that is too short for a whole run is one.
    assert row(loud[np.newaxis, : 50 * 512])["low_energy_share"] == 0.5


def test_loudness_plays_no_part():
    X = clicks(110) + 0.01 * np.random.default_rng(0).normal(size=(1, 15 * RATE))
    for envelope in ("onset", "energy"):
        np.testing.assert_allclose(
            row(X, envelope=envelope), row(0.1 * X, envelope=envelope), rtol=2e-3
        )


@pytest.mark.parametrize("n_samples", [1, 700, 5000, 3 * RATE])
def test_nothing_found_is_zero(n_samples):
    assert (row(np.zeros((1, n_samples))) == 0).all()
    constant = row(np.ones((1, n_samples)), envelope="energy")
    histogram = [name for name in constant.index if name.startswith(("beat", "auto"))]
    assert (constant[histogram] == 0).all()
    assert np.isfinite(row(np.random.default_rng(0).normal(size=(1, n_samples)))).all()
