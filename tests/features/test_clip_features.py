from __future__ import annotations

import itertools
import warnings
from collections import Counter

import librosa
import numpy as np
import pytest
from _clips import (
    GROUPS,
    N_COLUMNS,
    RATE,
    WIDTH,
    chord,
    clicks,
    describe,
    in_bands,
    mel_decibels,
    music,
    noise,
)
from scipy import linalg
from sklearn.pipeline import make_pipeline

from skgenre import ClipFeatures, GroupScaler, PerTrack


@pytest.mark.parametrize("n_fft", [2048, 2001])  # an odd length takes the path without numba
def test_mfcc_equals_librosa(n_fft):
    samples = np.pad(music(), (0, RATE))  # silence, which counts as 80 dB below the loudest
    mfcc = librosa.feature.mfcc(S=mel_decibels(samples, n_fft), n_mfcc=20)
    row = describe(samples, "mfcc", n_fft=n_fft)
    expected = np.concatenate([mfcc.mean(axis=1), mfcc.std(axis=1), np.diff(mfcc).std(axis=1)])
    np.testing.assert_allclose(row, expected, rtol=1e-3, atol=1e-2)
    assert row["3_mean"] == pytest.approx(mfcc[3].mean(), abs=1e-2)
    assert row["19_step"] == pytest.approx(np.diff(mfcc[19]).std(), abs=1e-2)


def covariance_by_hand(samples):
    """Return the logarithm of the covariance of the steps of MFCCs: (20, 20)."""
    steps = np.diff(librosa.feature.mfcc(S=mel_decibels(samples), n_mfcc=20))
    with warnings.catch_warnings():
        # Its limit is 2e-13 of the matrix; 1e-9 would be enough here.
        warnings.filterwarnings("ignore", "logm result may be inaccurate", RuntimeWarning)
        return linalg.logm(np.cov(steps) + 0.01 * np.eye(20))


@pytest.mark.parametrize("samples", [music(), noise(2.0), clicks(0.5, 3.0)])
def test_delta_covariance_by_hand(samples):
    row = describe(samples, "delta_covariance")
    logarithm = covariance_by_hand(samples)
    for i in range(20):
        for j in range(i, 20):
            weight = 1 if i == j else np.sqrt(2)
            expected = pytest.approx(weight * logarithm[i, j], abs=5e-3)
            assert row[f"{i}_with_{j}"] == expected, (i, j)


def test_distances_of_delta_covariance_are_those_of_the_logarithms():
    clips = [music(), music(seed=1), noise(2.0), clicks(0.5, 3.0), chord([0, 4, 7])]
    rows = ClipFeatures(feature_groups=("delta_covariance",)).transform(clips).astype(float)
    logarithms = [covariance_by_hand(clip) for clip in clips]
    for i, j in itertools.combinations(range(len(clips)), 2):
        distance = np.linalg.norm(logarithms[i] - logarithms[j])
        assert distance > 1
        assert np.linalg.norm(rows[i] - rows[j]) == pytest.approx(distance, rel=5e-3)


@pytest.mark.parametrize("n_samples", [1, 500, 512, 1000])  # one frame, or two
def test_delta_covariance_of_one_or_two_frames(n_samples):
    row = describe(noise(1.0)[:n_samples], "delta_covariance")
    same = [i == j for i, j in (name.split("_with_") for name in row.index)]
    assert sum(same) == 20
    np.testing.assert_allclose(row, np.where(same, np.log(0.01), 0), atol=1e-6)
    three = describe(noise(1.0)[:1024], "delta_covariance")  # two steps, which are a covariance
    assert three.max() > 0


def test_melstat_by_hand():
    samples = np.pad(music(), (0, RATE))
    bands = in_bands(mel_decibels(samples), 32)
    row = describe(samples, "melstat")
    quantiles = np.percentile(bands, [10, 50, 90], axis=1)
    expected = np.concatenate([bands.mean(axis=1), bands.std(axis=1), *quantiles])
    np.testing.assert_allclose(row, expected, rtol=1e-3, atol=1e-2)
    assert row["band31_q90"] == pytest.approx(quantiles[2, 31], abs=1e-2)


def test_block_levels_by_hand():
    samples = music()
    decibels = mel_decibels(samples)
    row = describe(samples, "block_levels")
    for band in (0, 17, 63):
        level = decibels[2 * band : 2 * band + 2].mean(axis=0)
        level = level - level.mean()
        blocks = [sorted(level[i : i + 10]) for i in range(0, len(level) - 9, 10)]
        for rank in (1, 5, 8):
            values = [block[rank] for block in blocks]
            assert row[f"band{band}_rank{rank}_median"] == pytest.approx(
                np.median(values), abs=0.02
            )
            assert row[f"band{band}_rank{rank}_std"] == pytest.approx(np.std(values), abs=0.02)
        rises = [max(level[t + 3] - level[t], 0) for t in range(len(level) - 3)]
        assert row[f"band{band}_rise_mean"] == pytest.approx(np.mean(rises), abs=0.02)
        assert row[f"band{band}_rise_q90"] == pytest.approx(np.percentile(rises, 90), abs=0.05)
    correlation = np.corrcoef(in_bands(decibels, 16))
    for i, j in ((0, 1), (3, 11), (14, 15)):
        assert row[f"band{i}_with_band{j}"] == pytest.approx(correlation[i, j], abs=1e-3)


@pytest.mark.parametrize("rate", [0.6, 1.6, 4.1, 11.0])
def test_modulation_peaks_at_the_rate_of_the_swing(rate):
    t = np.arange(int(RATE * 12)) / RATE
    swing = 6 * np.sin(2 * np.pi * rate * t)  # in decibels
    samples = (0.1 * np.sin(2 * np.pi * 1000 * t) * 10 ** (swing / 20)).astype(np.float32)
    row = describe(samples, "modulation")
    loud = describe(samples, "melstat").filter(like="_mean").to_numpy().argmax()
    rates = row.filter(regex=f"^band{loud}_")
    named = [float(name.split("_")[1].removesuffix("hz")) for name in rates.index]
    edge = (20 / 0.5) ** (1 / 22)  # half the width of a range, as a ratio
    assert named[rates.to_numpy().argmax()] == pytest.approx(rate, rel=edge - 1 + 0.1)
    # Not more than the swing, of which frames of 0.1 s see less and less towards 10 Hz.
    assert (0.6 if rate < 10 else 0.3) < 10 ** rates.max() < 6.5
    quiet = describe(samples * 0.1, "modulation").filter(regex=f"^band{loud}_")
    np.testing.assert_allclose(quiet, rates, atol=0.05)


@pytest.mark.parametrize("period", [0.4, 0.5, 0.77])
def test_tempo_peaks_at_the_lag_of_the_clicks(period):
    row = describe(clicks(period), "tempo")
    edges = np.geomspace(0.2, 3.0, 49)
    below = edges[1:] < 1.9 * period  # before the second click
    found = np.flatnonzero(below)[row.to_numpy()[below].argmax()]
    frame = 512 / RATE
    assert edges[found] - frame < period < edges[found + 1] + frame
    assert row.iloc[found] > 0.5
    assert row.index[found] == f"lag_{np.sqrt(edges[found] * edges[found + 1]):.2f}s"


def test_clicks_are_percussive_and_tones_are_not():
    short, sustained = (
        describe(clicks(0.3), "harmonic_percussive"),
        describe(chord([0, 4, 7]), "harmonic_percussive"),
    )
    assert short.filter(like="_mean").mean() > 3
    assert sustained.filter(like="_mean").mean() < short.filter(like="_mean").mean() - 3


def test_names_and_groups_of_columns_agree():
    features = ClipFeatures()
    names, groups = features.get_feature_names_out(), features.get_feature_groups_out()
    assert dict(Counter(groups)) == N_COLUMNS
    assert len(names) == len(groups) == features.transform([music(0.3)]).shape[1] == WIDTH
    assert len(set(names)) == len(names)
    assert [name.split("__")[0] for name in names] == groups.tolist()
    assert tuple(dict.fromkeys(groups)) == GROUPS
    assert {
        "mfcc__3_mean",
        "delta_covariance__3_with_19",
        "block_levels__band5_rise_q90",
        "harmonic_percussive__band0_std",
        "tonal__interval11_after8_std",
        "recurrence__harmony_9.90s_q90",
        "contrast__band12_flatness",
    } <= set(names)


def test_a_group_alone_is_the_same_and_order_is_kept():
    samples = [music()]
    whole = ClipFeatures()
    Xt, groups = whole.transform(samples), whole.get_feature_groups_out()
    for group in GROUPS:
        alone = ClipFeatures(feature_groups=(group,))
        np.testing.assert_array_equal(alone.transform(samples), Xt[:, groups == group])
        assert alone.get_feature_groups_out().tolist() == [group] * (groups == group).sum()
    backwards = ClipFeatures(feature_groups=GROUPS[::-1])
    parts = [Xt[:, groups == group] for group in GROUPS[::-1]]
    np.testing.assert_array_equal(backwards.transform(samples), np.hstack(parts))
    turned = ClipFeatures(feature_groups=["tempo", "mfcc"])
    assert turned.get_feature_names_out()[0].startswith("tempo__")
    expected = np.hstack([Xt[:, groups == group] for group in ("tempo", "mfcc")])
    np.testing.assert_array_equal(turned.transform(samples), expected)


def test_anything_80_decibels_below_the_maximum_is_silence():
    loud = music(6.0)
    tails = [np.zeros(RATE * 4, np.float32), noise(4.0, 1e-5), noise(4.0, 1e-2)]
    silence, tape, audible = (describe(np.concatenate([loud, tail])) for tail in tails)
    for group in (
        "mfcc",
        "delta_covariance",
        "melstat",
        "block_levels",
        "modulation",
        "tempo",
        "recurrence__timbre",
        "harmonic_percussive",
    ):
        seen = silence.index[silence.index.str.startswith(group)]
        np.testing.assert_allclose(tape[seen], silence[seen], atol=5e-3, err_msg=group)
        assert (audible - silence)[seen].abs().max() > 0.05, group
    level = silence.filter(like="melstat__").filter(like="_q10")
    np.testing.assert_allclose(level, mel_decibels(loud).max() - 80, atol=0.01)


def test_all_groups_share_one_fourier_transform(monkeypatch):
    import scipy.fft

    n_frames = []
    transform = scipy.fft.rfft

    def counted(x, *args, **kwargs):
        if x.shape[-1] == 2000:
            n_frames.append(len(x))
        return transform(x, *args, **kwargs)

    monkeypatch.setattr(scipy.fft, "rfft", counted)  # which no power of two takes
    samples = music(seconds=9.0)
    ClipFeatures(n_fft=2000).transform([samples])
    assert sum(n_frames) == 1 + len(samples) // 512


@pytest.mark.parametrize("n_samples", [511, 512, 2000, 40000, 135000])
def test_long_tracks_and_the_loudest_are_finite(n_samples):
    rng = np.random.default_rng(0)
    click = np.zeros(n_samples)
    click[n_samples // 2] = 1
    loudest = [1e15 * rng.uniform(-1, 1, size=n_samples), np.full(n_samples, 1e15)]
    half = np.where(np.arange(n_samples) < n_samples // 2, 0, rng.normal(size=n_samples))
    kinds = [np.zeros(n_samples), np.full(n_samples, 1e-42), *loudest, click, half]
    assert np.isfinite(ClipFeatures().transform(np.array(kinds))).all()


def test_silence():
    row = describe(np.zeros(RATE * 7, dtype=np.float32))
    np.testing.assert_allclose(row.filter(regex="melstat__.*_(mean|q10)"), -100, rtol=1e-5)
    still = ("mfcc__.*(std|step)", "block_levels", "tempo", "harmonic_percussive")
    for nothing in (*still, "chroma", "tonal", "recurrence", "spec__(con|cen|zero)", "contrast"):
        np.testing.assert_allclose(row.filter(regex=f"^{nothing}"), 0, atol=1e-3)
    np.testing.assert_allclose(row.filter(like="modulation__"), -1, atol=1e-3)  # log10 of 0.1 dB
    np.testing.assert_allclose(row.filter(like="scatter__"), -4, atol=1e-2)
    assert row.filter(like="delta_covariance__").min() == pytest.approx(np.log(0.01))


def test_measures_that_a_track_is_too_short_for_are_zero():
    row = describe(music(seconds=0.02))  # one frame
    still = ("mfcc__.*step", "block_levels", "tempo", "recurrence")
    for nothing in (*still, "tonal__.*(after[1-8]|change)", "contrast__.*(std|step)"):
        np.testing.assert_array_equal(row.filter(regex=f"^{nothing}"), 0)
    second = describe(music(seconds=1.0), "tempo")
    np.testing.assert_array_equal(second[second.index > "lag_1.1"], 0)
    assert second.abs().max() > 0.1


def test_group_names_reach_the_scaler():
    X = np.stack([music(seconds=0.5, seed=seed) for seed in range(4)])
    pair = ("mfcc", "tempo")
    front = PerTrack(ClipFeatures(feature_groups=pair))
    by_name = make_pipeline(front, GroupScaler()).set_output(transform="pandas").fit_transform(X)
    labels = ClipFeatures(feature_groups=pair).get_feature_groups_out()
    by_label = make_pipeline(front, GroupScaler(feature_groups=labels)).fit_transform(X)
    np.testing.assert_allclose(by_name.to_numpy(), by_label)
    assert by_name.columns[0] == "mfcc__0_mean"


@pytest.mark.parametrize(
    ("sampling_rate", "n_fft", "hop_length"),
    [(8000, 512, 128), (44100, 4096, 1024), (22050, 64, 64), (300, 16, 7)],
)
def test_other_settings_give_numbers(sampling_rate, n_fft, hop_length):
    features = ClipFeatures(sampling_rate=sampling_rate, n_fft=n_fft, hop_length=hop_length)
    Xt = features.transform([music(1.0), np.zeros(5000, dtype=np.float32)])
    assert Xt.shape == (2, WIDTH)
    assert np.isfinite(Xt).all()


def test_slow_frames_are_enough_without_modulation():
    features = ClipFeatures(feature_groups=("mfcc", "tempo"), hop_length=1024)
    assert features.transform([music(1.0)]).shape == (1, 108)
