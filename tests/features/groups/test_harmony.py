from __future__ import annotations

import librosa
import numpy as np
import pytest
from _clips import (
    FRAME,
    RATE,
    chord,
    chords,
    clicks,
    describe,
    mel_decibels,
    music,
    noise,
    spectrum,
)

from skgenre import ClipFeatures

TOGETHER = 16 * 512  # samples in one sum of pitch classes
MAJOR, MINOR = [0, 4, 7], [0, 3, 7]
# How well notes fit a key, from the tonic on: the ratings of Krumhansl and Kessler.
RATINGS = {
    "major": [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88],
    "minor": [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17],
}
LAGS = np.geomspace(0.1, 9.9, 38)  # seconds


def transposed(sequence, semitones):
    return [np.add(notes, semitones).tolist() for notes in sequence]


def cadence(triad):
    """Return the chords on the first, fourth, fifth and first degree."""
    return [np.add(triad, degree).tolist() for degree in (0, 5, 7, 0)]


def pitch_classes(samples):
    """Return the power of the pitch classes of tones tuned to 440 Hz: (12, n_frames)."""
    # Between bins, a parabola finds most of these tones 0.02 semitones too high.
    return librosa.filters.chroma(sr=RATE, n_fft=2048, tuning=0.02) @ spectrum(samples)


def test_chroma_is_nearly_the_same_in_any_key():
    triad = [0, 4, 7]
    home = describe(chord(triad), "chroma")
    for shift in (-3, 1, 2, 5):
        moved = describe(chord(np.add(triad, shift)), "chroma")
        assert np.abs(moved - home).max() < 0.25
    other = describe(chord([0, 1, 2]), "chroma")
    assert np.abs(other - home).max() > 1


def test_chroma_follows_the_tuning():
    home, sharp = (describe(chord(np.add([0, 4, 7], x)), "chroma") for x in (0, 0.4))
    assert np.abs(sharp - home).max() < 0.25


def test_tonal_by_hand():
    samples = chords(cadence(MAJOR) * 3, TOGETHER)
    row = describe(samples, "tonal")
    chroma = np.sqrt(pitch_classes(samples))
    n = chroma.shape[1] // 16
    sums = [chroma[:, 16 * i : 16 * i + 16].sum(axis=1) for i in range(n)]
    sums = np.array([frame / np.linalg.norm(frame) for frame in sums])  # (n, 12)
    for delay in (0, 1, 2, 4, 8):
        for interval in range(12) if delay else range(1, 7):
            found = [
                sum(sums[i][note] * sums[i + delay][(note + interval) % 12] for note in range(12))
                for i in range(n - delay)
            ]
            name = f"interval{interval}_after{delay}"
            assert row[f"{name}_mean"] == pytest.approx(np.mean(found), abs=1e-4), name
            assert row[f"{name}_std"] == pytest.approx(np.std(found), abs=1e-4), name
    circle = np.fft.fft(sums, axis=1)[:, 1:7]
    change = np.abs(np.diff(circle, axis=0)).mean(axis=0)
    np.testing.assert_allclose(row.filter(like="change"), change, atol=1e-4)


def test_notes_at_once_show_in_their_interval_or_its_complement():
    one = describe(chord([0]), "tonal")
    for interval, other in ((3, 9), (4, 8), (5, 7)):
        names = [f"interval{k}_after0_mean" for k in (3, 4, 5)]
        narrow, wide = (describe(chord([0, notes]), "tonal")[names] for notes in (interval, other))
        for more in (narrow - one[names], wide - one[names]):
            assert more.idxmax() == f"interval{interval}_after0_mean"
            assert more.max() > 0.4
        np.testing.assert_allclose(narrow, wide, atol=0.1)


@pytest.mark.parametrize("interval", [1, 2, 5, 7])
@pytest.mark.parametrize("length", [1, 2])
def test_notes_in_sequence_show_in_their_interval_after_their_distance(interval, length):
    sequence = [[interval * i % 12] for i in range(20)]  # each note above the one before
    row = describe(chords(sequence, length * TOGETHER), "tonal")
    for delay in (delay for delay in (1, 2, 4, 8) if delay % length == 0):
        found = row[[f"interval{k}_after{delay}_mean" for k in range(12)]]
        expected = interval * (delay // length) % 12
        assert found.idxmax() == f"interval{expected}_after{delay}_mean"
        assert found.max() > 0.95
        assert np.sort(found)[-2] < 0.8


def test_a_step_up_is_not_a_step_down():
    up, down = (
        describe(chords([[5 * step * i % 12] for i in range(12)], TOGETHER), "tonal")
        for step in (1, -1)
    )
    for row, interval in ((up, 5), (down, 7)):
        assert row[f"interval{interval}_after1_mean"] > 0.95
        assert row[f"interval{12 - interval}_after1_mean"] < 0.8


@pytest.mark.parametrize("key", [-12, -9, -7, -4])
def test_major_and_minor_keys(key):
    major_scale = [[note] for note in (0, 2, 4, 5, 7, 9, 11, 12)]
    minor_scale = [[note] for note in (0, 2, 3, 5, 7, 8, 10, 12)]
    for major, minor in ((major_scale, minor_scale), (cadence(MAJOR), cadence(MINOR))):
        row = describe(chords(transposed(major, key), 2 * TOGETHER), "tonal")
        assert row["major"] > row["minor"] + 0.05
        other = describe(chords(transposed(minor, key), 2 * TOGETHER), "tonal")
        assert other["minor"] > other["major"] + 0.05
        for fit in (row, other):
            assert fit["major_less_minor"] == pytest.approx(fit["major"] - fit["minor"], abs=1e-6)
            assert 0.3 < fit[["major", "minor"]].max() < 1


@pytest.mark.parametrize("key", RATINGS)
def test_key_by_hand(key):
    samples = chords(cadence(MAJOR if key == "major" else MINOR), TOGETHER)
    chroma = np.sqrt(pitch_classes(samples))[:, : 4 * 16]
    sums = chroma.reshape(12, 4, 16).sum(axis=2)
    mean = (sums / np.linalg.norm(sums, axis=0)).mean(axis=1)
    fits = [np.corrcoef(mean, np.roll(RATINGS[key], tonic))[0, 1] for tonic in range(12)]
    assert np.argmax(fits) == 9  # A, counted from C
    assert describe(samples, "tonal")[key] == pytest.approx(max(fits), abs=1e-4)


def test_tonal_is_nearly_the_same_in_any_key():
    piece = transposed(cadence(MAJOR) * 2, -9)
    home = describe(chords(piece, TOGETHER), "tonal")
    for shift in (-5, -3, 2, 5):
        row = describe(chords(transposed(piece, shift), TOGETHER), "tonal")
        assert np.abs(row - home).max() < 0.15
    other = describe(chords(transposed(cadence(MINOR) * 2, -9), TOGETHER), "tonal")
    assert np.abs(other - home).max() > 0.25


def test_change_is_zero_for_a_held_chord():
    held = describe(chord(MAJOR, 6.0), "tonal").filter(like="change")
    moving = describe(chords(cadence(MAJOR) * 3, TOGETHER), "tonal").filter(like="change")
    assert len(held) == len(moving) == 6
    assert held.max() < 0.03
    assert moving.max() > 0.3


def test_tonal_of_short_tracks_is_zero():
    single = describe(chords([MAJOR], TOGETHER - 512), "tonal")  # 16 frames
    np.testing.assert_array_equal(single.filter(regex="after[1-8]|change"), 0)
    pair = describe(chords(cadence(MAJOR)[:2], TOGETHER), "tonal")
    assert pair.filter(like="change").max() > 0.3
    row = describe(chords([MAJOR] * 3, TOGETHER), "tonal")
    late = row.filter(regex="after[48]")
    assert len(late) == 2 * 2 * 12
    np.testing.assert_array_equal(late, 0)
    assert row.filter(like="after2_mean").max() > 0.9


def likeness(frames, lag):
    """Return the mean and the 90 % quantile of the cosine of frames a lag apart."""
    if lag >= frames.shape[1]:
        return 0.0, 0.0
    early, late = frames[:, :-lag].T, frames[:, lag:].T
    lengths = np.linalg.norm(early, axis=1) * np.linalg.norm(late, axis=1)
    cosine = (early * late).sum(axis=1) / lengths
    return cosine.mean(), np.percentile(cosine, 90)


def test_recurrence_by_hand():
    samples = chords(cadence(MAJOR), TOGETHER // 2) + 0.1 * clicks(0.4)[: 2 * TOGETHER]
    row = describe(samples, "recurrence")
    mfcc = librosa.feature.mfcc(S=mel_decibels(samples), n_mfcc=20)[1:]
    chroma = pitch_classes(samples) ** 0.25
    frames = {
        "timbre": mfcc - mfcc.mean(axis=1, keepdims=True),
        "harmony": chroma - chroma.mean(axis=0),
    }
    for what, seen in frames.items():
        found = row.filter(like=what).to_numpy().reshape(38, 2)
        expected = [likeness(seen, round(lag / FRAME)) for lag in LAGS]
        np.testing.assert_allclose(found, expected, atol=2e-3)
        assert np.abs(found).max() > 0.5


def best_return(row, what, above, below):
    """Return the name of the greatest mean likeness in a range of lags in seconds."""
    names = [f"{what}_{lag:.2f}s_mean" for lag in LAGS if above < lag < below]
    return row[names].idxmax()


@pytest.mark.parametrize("lag", LAGS[[16, 22, 26]])
def test_textures_come_back_after_their_period(lag):
    n_samples = round(lag / FRAME) * 512 // 2  # for each of the two, together one period
    white = noise(12.0)
    dark = np.convolve(noise(12.0, seed=1), np.ones(16) / 4, mode="same").astype(np.float32)
    turns = np.arange(white.size) // n_samples % 2
    row = describe(np.where(turns, dark, white), "recurrence")
    assert best_return(row, "timbre", lag / 2, 1.9 * lag) == f"timbre_{lag:.2f}s_mean"
    assert row[f"timbre_{lag:.2f}s_mean"] > 0.5
    half = np.abs(LAGS - lag / 2).argmin()
    assert row[f"timbre_{LAGS[half]:.2f}s_mean"] < -0.3
    steady = describe(white, "recurrence").filter(regex="timbre.*mean")
    assert steady.abs().max() < 0.3


@pytest.mark.parametrize("lag", LAGS[[20, 24, 27]])
def test_chords_come_back_after_their_period(lag):
    n_samples = round(lag / FRAME) * 512 // 4
    sequence = [[-9, -5, -2], [-4, 0, 3], [-2, 2, 5], [-7, -3, 0]]
    row = describe(chords(sequence * 5, n_samples), "recurrence")
    assert best_return(row, "harmony", lag / 4, 1.9 * lag) == f"harmony_{lag:.2f}s_mean"
    assert row[f"harmony_{lag:.2f}s_mean"] > 0.7
    assert row[f"harmony_{lag:.2f}s_q90"] > 0.95


@pytest.mark.parametrize("seconds", [0.3, 1.0, 4.0, 12.0])
@pytest.mark.parametrize("make", [music, noise, lambda s: clicks(0.5, s), lambda s: chord([0], s)])
def test_likeness_lies_within_one_and_is_zero_beyond_the_clip(make, seconds):
    samples = make(seconds)
    n_frames = 1 + len(samples) // 512
    row = describe(samples, "recurrence")
    assert row.abs().max() <= 1 + 1e-5
    for what in ("timbre", "harmony"):
        for lag in LAGS:
            values = row[[f"{what}_{lag:.2f}s_mean", f"{what}_{lag:.2f}s_q90"]]
            assert (values == 0).all() == (round(lag / FRAME) >= n_frames), (what, lag)


@pytest.mark.parametrize("rate", [8000, 300])
def test_frames_that_are_slower_than_the_shortest_lag(rate):
    features = ClipFeatures(
        feature_groups=("recurrence",), sampling_rate=rate, n_fft=256, hop_length=256
    )
    row = features.transform([noise(1.0)])[0]
    assert np.isfinite(row).all()
    assert np.abs(row).max() > 0.1


@pytest.mark.parametrize("group", ["chroma", "tonal", "recurrence"])
def test_loudness_changes_no_harmony(group):
    samples = music(6.0)
    for factor in (0.03, 4.0):
        row = describe(np.float32(factor) * samples, group)
        np.testing.assert_allclose(row, describe(samples, group), atol=1e-3)
