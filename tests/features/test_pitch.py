from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skgenre import PitchHistogramExtractor

RATE = 22050


def tone(midi, n_overtones=6, duration=1.0):
    """Return a steady tone with overtones."""
    t = np.arange(int(duration * RATE)) / RATE
    frequency = 440.0 * 2 ** ((midi - 69) / 12)
    return sum(np.sin(2 * np.pi * frequency * k * t) / k for k in range(1, n_overtones + 1))


def row(X, **params):
    """Return the columns of one track."""
    extractor = PitchHistogramExtractor(**params).set_output(transform="pandas")
    table = extractor.fit_transform(np.asarray(X)[np.newaxis])
    assert isinstance(table, pd.DataFrame)
    return table.iloc[0]


@pytest.mark.parametrize("n_overtones", [1, 6])
@pytest.mark.parametrize("midi", [36, 45, 57, 69, 76, 88])
def test_one_tone_is_one_note(midi, n_overtones):
    found = row(tone(midi, n_overtones))
    assert found["unfolded_note1"] == midi
    assert found["unfolded_peak1"] > 0.95
    assert found["folded_class1"] == 7 * midi % 12
    assert found["folded_peak1"] > 0.95
    assert found["pitch_sum"] > 0.4


def test_intervals_by_semitones_and_by_fifths():
    """C for two seconds, then the G above for one: a fifth up."""
    melody = np.concatenate([tone(60, duration=2.0), tone(67)])
    found = row(melody, n_pitches=1)
    assert (found["unfolded_note1"], found["unfolded_note2"]) == (60, 67)
    assert found["unfolded_interval"] == 7
    assert found["unfolded_peak1"] == pytest.approx(2 / 3, abs=0.05)
    assert (found["folded_class1"], found["folded_class2"]) == (0, 1)
    assert found["folded_interval"] == 1
    down = row(np.concatenate([tone(60, duration=2.0), tone(65)]), n_pitches=1)
    assert (down["unfolded_interval"], down["folded_interval"]) == (5, -1)


def test_octaves_fold_to_one_class():
    melody = np.concatenate([tone(48), tone(60), tone(72), tone(67, duration=1.2)])
    found = row(melody, n_pitches=1)
    assert found["unfolded_note1"] == 67
    assert found["folded_class1"] == 0
    assert found["folded_peak1"] == pytest.approx(3 / 4.2, abs=0.05)


def test_notes_of_a_chord_are_heard_together():
    chord = tone(48) + tone(64) + tone(67)  # C, E, G
    one, three = row(chord, n_pitches=1), row(chord, n_pitches=3)
    assert three["pitch_sum"] > 1.5 * one["pitch_sum"]
    heard = {three["unfolded_note1"], three["unfolded_note2"]}
    assert heard < {48, 64, 67}


def test_clear_pitches_sum_to_more_than_noise():
    noise = np.random.default_rng(0).normal(size=RATE)
    assert row(tone(60))["pitch_sum"] > 20 * row(noise)["pitch_sum"]
    assert row(tone(60) + noise)["pitch_sum"] < row(tone(60))["pitch_sum"]
    assert row(noise, threshold=0.2)["pitch_sum"] == 0


def test_range_of_pitches():
    found = row(np.concatenate([tone(45, 1), tone(81, 1, duration=2.0)]), fmin=100.0, fmax=500.0)
    assert found["unfolded_note1"] == 45
    high = row(tone(45) + tone(81), fmin=400.0)
    assert high["unfolded_note1"] == 81


def test_loudness_plays_no_part():
    np.testing.assert_allclose(row(tone(60)), row(1e-4 * tone(60)), rtol=1e-3)


@pytest.mark.parametrize("n_samples", [1, 700, RATE])
def test_without_pitch_all_is_zero(n_samples):
    assert (row(np.zeros(n_samples)) == 0).all()
    assert (row(np.ones(n_samples)) == 0).all()
    assert np.isfinite(row(np.random.default_rng(0).normal(size=n_samples))).all()


def test_low_rates_have_one_band():
    t = np.arange(4000) / 2000
    X = np.sin(2 * np.pi * 220.0 * t)
    found = row(X, sampling_rate=2000, fmin=100.0, fmax=900.0, n_fft=256, hop_length=128)
    assert found["unfolded_note1"] == 57
