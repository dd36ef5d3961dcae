from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from skgenre import Augmenter
from skgenre.audio._augmenter import EFFECTS, apply_effects
from skgenre.utils._waveforms import Waveforms

RATE = 22050


def tones(frequencies=(440.0, 660.0), n_segments=2, n_samples=22050):
    t = np.arange(n_segments * n_samples) / RATE
    X = np.stack([0.5 * np.sin(2 * np.pi * f * t) for f in frequencies])
    return X.reshape(len(frequencies), n_segments, n_samples).astype(np.float32)


def row(**effects):
    table = np.zeros(1, dtype=EFFECTS)
    for name in ("n_steps", "rate", "gain_db", "noise_level", "snr_db"):
        table[name] = effects.get(name, np.nan)
    table["seed"] = 5
    return table[0]


def loudest_frequency(segment):
    spectrum = np.abs(np.fft.rfft(segment * np.hanning(len(segment))))
    return spectrum.argmax() * RATE / len(segment)


def test_copies_follow_the_originals():
    X = tones()
    Xt = Augmenter(n_copies=2, random_state=0).fit_transform(X)
    assert Xt.shape == (2, 6, 22050)
    assert Xt.dtype == np.float32
    np.testing.assert_array_equal(Xt[:, :2], X)
    for copy in (Xt[:, 2:4], Xt[:, 4:]):
        assert (np.abs(copy - X).max(axis=(1, 2)) > 1e-4).all()


def test_transform_changes_nothing():
    X = tones()
    augmenter = Augmenter(random_state=0)
    augmenter.fit_transform(X)
    np.testing.assert_array_equal(augmenter.transform(X), X)
    np.testing.assert_array_equal(Augmenter(n_copies=0).fit_transform(X), X)


def test_draws_depend_on_the_sound_and_the_seed_alone():
    X = tones((220.0, 330.0, 440.0, 550.0))
    augmenter = Augmenter(n_copies=2, effects_per_copy=2, random_state=3)
    whole = augmenter.fit_transform(X)
    np.testing.assert_array_equal(augmenter.fit_transform(X[[2]])[0], whole[2])
    np.testing.assert_array_equal(augmenter.fit_transform(X[::-1])[::-1], whole)
    other = Augmenter(n_copies=2, effects_per_copy=2, random_state=4).fit_transform(X)
    assert np.abs(other - whole).max() > 1e-3


def test_draws_do_not_depend_on_the_process():
    X = tones((220.0, 330.0))
    augmenter = Augmenter(random_state=3)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        there = pool.submit(augmenter.fit_transform, X[1:]).result()
    np.testing.assert_allclose(there, augmenter.fit_transform(X)[1:], rtol=1e-6, atol=1e-7)


def test_without_seed_each_fit_draws_anew():
    X = tones()
    augmenter = Augmenter()
    assert np.abs(augmenter.fit_transform(X) - augmenter.fit_transform(X)).max() > 1e-4


def test_table_is_drawn_first():
    X = tones()
    augmenter = Augmenter(n_copies=3, effects_per_copy=1, gain_db=(-6, 6), random_state=0)
    table = augmenter.draw_effects(X)
    assert table.shape == (6,)
    assert table["track"].tolist() == [0, 0, 0, 1, 1, 1]
    assert table["copy"].tolist() == [0, 1, 2, 0, 1, 2]
    columns = np.stack([table[n] for n in ("n_steps", "rate", "gain_db", "noise_level")])
    assert (np.isfinite(columns).sum(axis=0) == 1).all()
    Xt = augmenter.fit_transform(X)
    np.testing.assert_array_equal(augmenter.effects_["seed"], table["seed"])
    applied = np.concatenate([apply_effects(X[1], r, RATE) for r in table[3:]])
    np.testing.assert_array_equal(Xt[1, 2:], applied)


def test_values_stay_in_their_ranges():
    X = tones(tuple(100.0 + 10 * i for i in range(20)), n_segments=1, n_samples=2048)
    table = Augmenter(
        n_copies=5,
        effects_per_copy="all",
        semitones=(1, 2),
        stretch_rates=(0.5, 2.0),
        gain_db=(-3, -1),
        noise_level=None,
        snr_db=(10, 20),
        random_state=0,
    ).draw_effects(X)
    for name, low, high in (
        ("n_steps", 1, 2),
        ("rate", 0.5, 2.0),
        ("gain_db", -3, -1),
        ("snr_db", 10, 20),
    ):
        assert ((table[name] >= low) & (table[name] <= high)).all()
        assert np.ptp(table[name]) > 0.5 * (high - low)
    assert 0.3 < (table["rate"] < 1).mean() < 0.7  # as often slower as faster


@pytest.mark.parametrize("n_steps", [-12.0, 12.0])
def test_pitch_shift_moves_the_tone_by_semitones(n_steps):
    (changed,) = apply_effects(tones((440.0,))[0, :1], row(n_steps=n_steps), RATE)
    assert loudest_frequency(changed) == pytest.approx(440 * 2 ** (n_steps / 12), rel=0.01)


@pytest.mark.parametrize("rate", [0.8, 1.25])
def test_time_stretch_keeps_pitch_and_length(rate):
    burst = tones((440.0,))[0, :1]
    burst[:, RATE // 2 :] = 0  # half sound, half silence
    stretched = apply_effects(burst, row(rate=rate), RATE)
    assert stretched.shape == burst.shape
    loudness = np.abs(stretched[0, : RATE // 100 * 100]).reshape(-1, 100).max(axis=1)
    ends_at = 100 * np.flatnonzero(loudness < 0.1)[0]
    assert ends_at == pytest.approx(RATE / 2 / rate, abs=1200)
    (tone,) = apply_effects(tones((440.0,))[0, :1], row(rate=rate), RATE)
    assert loudest_frequency(tone) == pytest.approx(440, rel=0.01)


def test_faster_segment_is_filled_from_its_start():
    segment = tones((440.0,))[0, :1]
    stretched = apply_effects(segment, row(rate=2.0), RATE)[0]
    assert np.abs(stretched[-5000:]).max() > 0.3


def test_gain_is_in_decibels():
    X = tones()[0]
    np.testing.assert_allclose(apply_effects(X, row(gain_db=-20.0), RATE), X / 10, rtol=1e-5)


def test_noise_level_is_its_standard_deviation():
    X = tones()[0]
    noise = apply_effects(X, row(noise_level=0.01), RATE) - X
    assert noise.std() == pytest.approx(0.01, rel=0.02)
    assert abs(noise.mean()) < 2e-4
    assert abs(np.corrcoef(noise[0], noise[1])[0, 1]) < 0.05  # each segment its own noise


def test_snr_is_by_segment():
    X = tones()[0]
    X[1] *= 0.01
    noise = apply_effects(X, row(snr_db=20.0), RATE) - X
    rms = np.sqrt((X**2).mean(axis=1))
    np.testing.assert_allclose(noise.std(axis=1), rms / 10, rtol=0.05)


def test_silence_survives_every_effect():
    X = np.zeros((1, 2, 4096), dtype=np.float32)
    Xt = Augmenter(
        effects_per_copy="all", noise_level=None, snr_db=(10, 10), random_state=0
    ).fit_transform(X)
    assert np.isfinite(Xt).all()
    assert (Xt == 0).all()


def test_short_segments_pass():
    X = np.random.default_rng(0).normal(size=(1, 1, 300)).astype(np.float32)
    Xt = Augmenter(effects_per_copy="all", random_state=0).fit_transform(X)
    assert Xt.shape == (1, 2, 300)


def test_input_is_not_changed():
    X = tones()
    before = X.copy()
    Augmenter(effects_per_copy="all", gain_db=(-6, 6), random_state=0).fit_transform(X)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"semitones": (2, -2)}, r"semitones=\(2, -2\) is not a range"),
        ({"semitones": (1, 2, 3)}, "is not a range"),
        ({"stretch_rates": (0, 1)}, "stretch_rates=.* must be above 0"),
        ({"snr_db": (10, 20)}, "both set the noise"),
        (
            {"semitones": None, "stretch_rates": None, "noise_level": None},
            "no effect to apply",
        ),
        ({"effects_per_copy": 4}, "only 3 effects are switched on: semitones"),
        ({"n_copies": -1}, "'n_copies' parameter"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        Augmenter(**params).fit_transform(tones())


def test_rate_is_checked():
    with pytest.raises(ValueError, match=r"16000 Hz, but Augmenter is set to .*22050"):
        Augmenter().fit_transform(Waveforms(tones(), 16000))
