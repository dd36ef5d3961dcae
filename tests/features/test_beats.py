from __future__ import annotations

import numpy as np
import pytest
from _clips import RATE, impulses

from skgenre.features._beats import autocorrelate, find_beats, find_tempo, onset_strength
from skgenre.features._peaks import refine, two_peaks

HOP = 512
FRAME_RATE = RATE / HOP


def strength(waveform):
    return onset_strength(waveform, RATE, 2048, HOP)


@pytest.mark.parametrize("tempo", [50, 85, 120, 140, 170])
def test_known_tempo_and_beats(tempo):
    waveform, times = impulses(tempo)
    onsets = strength(waveform)
    assert find_tempo(onsets, FRAME_RATE) == pytest.approx(tempo, rel=0.02)
    beats = find_beats(onsets, FRAME_RATE) / FRAME_RATE
    distances = np.abs(beats[:, np.newaxis] - times).min(axis=1)
    assert distances.max() < 1.5 / FRAME_RATE
    assert len(beats) >= len(times) - 2
    np.testing.assert_allclose(np.diff(beats), 60 / tempo, atol=2.5 / FRAME_RATE)


def test_a_missing_click_is_filled_in():
    waveform, times = impulses(100)
    gap = int(times[8] * RATE)
    waveform[gap - 100 : gap + 100] = 0
    beats = find_beats(strength(waveform), FRAME_RATE) / FRAME_RATE
    assert np.abs(beats - times[8]).min() < 0.06


def test_onset_strength_rises_where_the_sound_begins():
    waveform = np.zeros(2 * RATE, dtype=np.float32)
    waveform[RATE:] = np.random.default_rng(0).normal(size=RATE)
    onsets = strength(waveform)
    assert onsets.shape == (1 + 2 * RATE // HOP,)
    assert abs(onsets.argmax() - RATE / HOP) <= 1
    np.testing.assert_allclose(strength(0.5 * waveform), onsets, atol=1e-3)


@pytest.mark.parametrize("n_samples", [1, 600, 3000, 30000])
def test_without_onsets_there_is_no_beat(n_samples):
    silence = strength(np.zeros(n_samples, dtype=np.float32))
    assert silence.shape == (1 + n_samples // HOP,)
    assert find_tempo(silence, FRAME_RATE) == 0
    assert find_beats(silence, FRAME_RATE).tolist() == []


def test_short_hops_delay_more_frames_than_a_short_track_has():
    assert not onset_strength(np.ones(200, dtype=np.float32), RATE, 2048, 1).any()


def test_autocorrelation_equals_its_definition():
    values = np.random.default_rng(0).normal(size=50)
    centred = values - values.mean()
    expected = [centred[: 50 - lag] @ centred[lag:] / (centred @ centred) for lag in range(50)]
    np.testing.assert_allclose(autocorrelate(values, 60), expected + [0.0] * 10, atol=1e-12)
    np.testing.assert_array_equal(autocorrelate(np.full(20, 0.1), 5), 0)


def test_peaks():
    curve = np.array([9.0, 1.0, 3.0, 2.0, 2.0, 5.0, 5.0, 0.0, -2.0, -1.0, -3.0, 8.0])
    assert two_peaks(curve) == (5, 2)
    assert two_peaks(curve, first=3) == (5, None)
    assert two_peaks(np.zeros(5)) == (None, None)
    parabola = -((np.arange(5) - 2.3) ** 2)
    assert refine(parabola, 2) == pytest.approx(0.3)
    assert refine(np.ones(3), 1) == 0
