from __future__ import annotations

import numpy as np
import pytest

from skgenre import ChromaExtractor

RATE = 22050
CLASSES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]


def note(midi, duration):
    """Return a note with overtones that starts at once and fades."""
    t = np.arange(int(duration * RATE)) / RATE
    frequency = 440.0 * 2 ** ((midi - 69) / 12)
    waves = sum(np.sin(2 * np.pi * frequency * k * t) / k for k in (1, 2, 3))
    return waves * np.exp(-6 * t)


def melody(notes, tempo=120):
    """Return a waveform with one note on each beat."""
    return np.concatenate([note(midi, 60 / tempo) for midi in notes]).astype(np.float32)[np.newaxis]


@pytest.mark.parametrize("aggregate", ["mean", "median"])
def test_first_vectors_follow_the_melody_beat_by_beat(aggregate):
    notes = [60, 62, 64, 65, 67, 69, 71, 72] * 2
    Xt = ChromaExtractor(n_vectors=10, aggregate=aggregate).transform(melody(notes))
    heard = Xt.reshape(10, 12).argmax(axis=1).tolist()
    played = [midi % 12 for midi in notes]
    # The tracker may begin with the first, second or third beat.
    assert any(heard == played[start : start + 10] for start in range(3))
    np.testing.assert_array_equal(Xt.reshape(10, 12).max(axis=1), 1)


def test_beats_make_the_numbers_independent_of_tempo():
    notes = [60, 64, 67, 72] * 8
    slow, fast = (
        ChromaExtractor(n_vectors=12).transform(melody(notes, tempo)).reshape(12, 12)
        for tempo in (100, 140)
    )
    found = [vectors.argmax(axis=1).tolist() for vectors in (slow, fast)]
    assert any(found[0][2:10] == found[1][shift : shift + 8] for shift in range(5))


def test_tuning_is_taken_out():
    """A track between two keys of the piano still has one clear pitch class."""
    sharp = melody([60.4] * 16)
    vectors = ChromaExtractor(n_vectors=8).transform(sharp).reshape(8, 12)
    assert (vectors.argmax(axis=1) == 0).all()
    assert (vectors[:, 1] < 0.6).all()


def test_random_vectors_keep_the_order_of_time():
    X = melody(np.tile([60, 62, 64, 65, 67, 69, 71], 6))
    every = ChromaExtractor(n_vectors=35).transform(X).reshape(35, 12)
    drawn = ChromaExtractor(n_vectors=10, selection="random", random_state=0)
    vectors = drawn.transform(X).reshape(10, 12)
    places = [int(np.flatnonzero((every == vector).all(axis=1))[0]) for vector in vectors]
    assert places == sorted(places)
    assert len(set(places)) == 10
    assert places != list(range(10))
    np.testing.assert_array_equal(drawn.transform(X), drawn.transform(X))
    other = drawn.set_params(random_state=1).transform(X).reshape(10, 12)
    assert (other != vectors).any()


@pytest.mark.parametrize("selection", ["first", "random"])
def test_too_few_beats_cut_the_track_in_equal_stretches(selection):
    t = np.arange(2 * RATE) / RATE
    # Two tones without a beat: the first half A, the second half D.
    frequency = np.where(t < 1, 440.0, 587.33)
    X = np.sin(2 * np.pi * np.cumsum(frequency) / RATE)[np.newaxis]
    chroma = ChromaExtractor(n_vectors=20, selection=selection)
    heard = chroma.transform(X).reshape(20, 12).argmax(axis=1)
    assert [CLASSES[i] for i in heard[1:9]] == ["A"] * 8
    assert [CLASSES[i] for i in heard[11:19]] == ["D"] * 8


@pytest.mark.parametrize("n_samples", [1, 700, 5000])
def test_very_short_tracks(n_samples):
    X = np.random.default_rng(0).normal(size=(1, n_samples))
    Xt = ChromaExtractor().transform(X)
    assert Xt.shape == (1, 360)
    np.testing.assert_array_equal(Xt.reshape(30, 12).max(axis=1), 1)
    np.testing.assert_array_equal(ChromaExtractor().transform(0 * X), 0)


def test_only_a_random_choice_without_seed_is_not_deterministic():
    from sklearn.utils import get_tags

    assert get_tags(ChromaExtractor(selection="random")).non_deterministic
    assert not get_tags(ChromaExtractor(selection="random", random_state=0)).non_deterministic
    assert not get_tags(ChromaExtractor()).non_deterministic
