from __future__ import annotations

import librosa
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgenre import FrameScaler, SummaryExtractor
from skgenre.features import _summary_measures
from skgenre.utils._waveforms import Waveforms

RATE = 22050
SHORT = {"sampling_rate": 8000, "n_fft": 512, "hop_length": 128}
HEAD = [
    "chroma_stft_mean",
    "chroma_stft_var",
    "rms_mean",
    "rms_var",
    "spectral_centroid_mean",
    "spectral_centroid_var",
    "spectral_bandwidth_mean",
    "spectral_bandwidth_var",
    "rolloff_mean",
    "rolloff_var",
    "zero_crossing_rate_mean",
    "zero_crossing_rate_var",
    "harmony_mean",
    "harmony_var",
    "perceptr_mean",
    "perceptr_var",
    "tempo",
    "mfcc1_mean",
    "mfcc1_var",
    "mfcc2_mean",
]


def music(rate=RATE, seconds=3.0, bpm=140.0, detune=0.0, seed=0):
    """Return chords that change with the beat, drums on it, and a loud second half."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(rate * seconds)) / rate
    beat = (t * bpm / 60).astype(int)
    since = t - beat * 60 / bpm
    root = np.array([220.0, 261.6, 293.7, 329.6])[beat % 4] * 2 ** (detune / 12)
    phase = 2 * np.pi * np.cumsum(root) / rate
    chord = sum(np.sin(ratio * phase) / ratio for ratio in (1, 1.5, 2, 3))
    drums = rng.normal(size=t.size) * np.exp(-since / 0.03)
    loudness = np.where(t < seconds / 2, 0.05, 0.2)
    return (loudness * (chord + drums) + 0.003).astype(np.float32)


def click_track(bpm, seconds=12.0):
    t = np.arange(int(RATE * seconds)) / RATE
    noise = np.random.default_rng(0).normal(size=t.size)
    return (0.3 * noise * np.exp(-np.mod(t, 60 / bpm) / 0.01)).astype(np.float32)


def tone(frequency=1000.0, seconds=1.0):
    t = np.arange(int(RATE * seconds)) / RATE
    return (0.5 * np.sin(2 * np.pi * frequency * t)).astype(np.float32)


def by_librosa(y, sampling_rate=RATE, n_fft=2048, hop_length=512, pad_mode="reflect"):
    """Call librosa's functions one by one."""
    frames = {"n_fft": n_fft, "hop_length": hop_length, "pad_mode": pad_mode}
    spectral = {"y": y, "sr": sampling_rate, **frames}
    blocks = {"frame_length": n_fft, "hop_length": hop_length}
    measures = [
        librosa.feature.chroma_stft(**spectral),
        librosa.feature.rms(y=y, pad_mode=pad_mode, **blocks),
        librosa.feature.spectral_centroid(**spectral),
        librosa.feature.spectral_bandwidth(**spectral),
        librosa.feature.spectral_rolloff(**spectral),
        librosa.feature.zero_crossing_rate(y, **blocks),
        *librosa.effects.hpss(y, **frames),
    ]
    row = [f(values) for values in measures for f in (np.mean, np.var)]
    # What beat_track does for the tempo; the tracker itself takes long to compile.
    onsets = librosa.onset.onset_strength(aggregate=np.median, **spectral)
    tempo = librosa.feature.tempo(onset_envelope=onsets, sr=sampling_rate, hop_length=hop_length)
    row += tempo.tolist() if onsets.any() else [0.0]
    mfcc = librosa.feature.mfcc(n_mfcc=20, **spectral)
    return np.array(row + [f(values) for values in mfcc for f in (np.mean, np.var)])


def summarise(y, **params):
    """Return the row of one waveform as name -> value."""
    summary = SummaryExtractor(**params)
    return dict(zip(summary.get_feature_names_out(), summary.transform([y])[0], strict=True))


def _assert_equal(ours, theirs):
    np.testing.assert_allclose(ours[:17], theirs[:17], rtol=1e-4, atol=1e-8)
    # The mean of a coefficient may be small, but it is the difference of large numbers.
    np.testing.assert_allclose(ours[17:], theirs[17:], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"pad_mode": "constant"},
        {**SHORT, "hop_length": 100, "pad_mode": "constant"},  # no divisor of n_fft
    ],
)
# librosa warns of mel bands without a bin where a filterbank is narrow.
@pytest.mark.filterwarnings("ignore:Empty filters:UserWarning")
def test_equals_librosa_called_one_by_one(params):
    rate = params.get("sampling_rate", RATE)
    sounds = [music(rate), music(rate, detune=0.3, bpm=90.0, seed=1)]
    Xt = SummaryExtractor(**params).transform(sounds)
    assert Xt.dtype == np.float32
    for row, y in zip(Xt, sounds, strict=True):
        _assert_equal(row, by_librosa(y, **params))


def test_silent_and_steady_sounds_equal_librosa():
    """Silence that sound follows, clicks, and a tone, which has no onset."""
    late = music()
    late[: RATE * 2] = 0
    clicks = np.zeros(RATE, dtype=np.float32)
    clicks[5000::6000] = 0.5
    # Without noise the bandwidth of a tone would consist of rounding errors.
    noise = np.random.default_rng(0).normal(scale=1e-4, size=RATE).astype(np.float32)
    for y in (late, clicks, tone() + noise):
        _assert_equal(np.array(list(summarise(y).values())), by_librosa(y))


def test_names_are_those_of_the_published_table():
    names = SummaryExtractor().get_feature_names_out().tolist()
    assert len(names) == 57
    assert names[: len(HEAD)] == HEAD
    assert names[17:] == [f"mfcc{i}_{s}" for i in range(1, 21) for s in ("mean", "var")]


def test_a_tone_by_hand():
    row = summarise(tone(1000.0))
    assert row["rms_mean"] == pytest.approx(0.5 / np.sqrt(2), rel=1e-2)
    assert row["zero_crossing_rate_mean"] == pytest.approx(2 * 1000 / RATE, rel=5e-2)
    assert row["spectral_centroid_mean"] == pytest.approx(1000, rel=5e-2)
    assert row["rolloff_mean"] == pytest.approx(1000, rel=5e-2)
    assert row["harmony_var"] == pytest.approx(0.5**2 / 2, rel=2e-2)
    assert row["perceptr_var"] < 0.02 * row["harmony_var"]


def test_clicks_are_percussive():
    row = summarise(click_track(100.0, seconds=3.0))
    assert row["perceptr_var"] > 5 * row["harmony_var"]


@pytest.mark.parametrize("bpm", [90.0, 120.0, 150.0])
def test_tempo_of_a_click_track(bpm):
    lag = RATE * 60 / bpm / 512  # in frames, which tempi are rounded to
    assert summarise(click_track(bpm))["tempo"] == pytest.approx(bpm, rel=0.6 / lag)


def test_segments_are_tracks_of_their_own():
    X = np.stack([music(seconds=2.0, seed=seed) for seed in range(2)]).reshape(2, 4, -1)
    Xt = SummaryExtractor().fit_transform(X)
    assert Xt.shape == (2, 4, 1, 57)
    assert Xt.dtype == np.float32
    alone = SummaryExtractor().transform(X.reshape(8, -1))
    np.testing.assert_array_equal(Xt.reshape(8, 57), alone)
    assert FrameScaler().fit_transform(Xt).shape == Xt.shape
    nested = SummaryExtractor().transform(list(X))
    np.testing.assert_array_equal(nested, Xt)


def test_batch_equals_one_by_one_and_lengths_may_differ():
    tracks = [music(seconds=s) for s in (0.5, 0.7, 0.9)]
    Xt = SummaryExtractor().transform(tracks)
    one_by_one = [SummaryExtractor().transform(t[np.newaxis])[0] for t in tracks]
    np.testing.assert_array_equal(Xt, one_by_one)
    again = SummaryExtractor().fit_transform(tracks)
    np.testing.assert_array_equal(again, Xt)


@pytest.mark.parametrize(
    ("container", "kind"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)]
)
def test_tables_become_data_frames(container, kind):
    X = np.stack([music(seconds=0.4, seed=seed) for seed in range(3)])
    plain = SummaryExtractor(**SHORT).transform(X)
    summary = clone(SummaryExtractor(**SHORT).set_output(transform=container))
    for table in (summary.fit_transform(X), summary.transform(X)):
        assert type(table) is kind
        assert list(table.columns) == summary.get_feature_names_out().tolist()
        np.testing.assert_array_equal(table.to_numpy(), plain)
    segments = summary.transform(X.reshape(3, 2, -1))
    assert type(segments) is np.ndarray
    assert type(summary.set_output(transform="default").transform(X)) is np.ndarray
    with sklearn.config_context(transform_output=container):
        assert type(SummaryExtractor(**SHORT).transform(X)) is kind


def test_names_reach_the_next_step():
    X = np.stack([music(seconds=0.4, seed=seed) for seed in range(3)])
    pipeline = make_pipeline(SummaryExtractor(**SHORT), StandardScaler())
    frame = pipeline.set_output(transform="pandas").fit_transform(X)
    assert frame.columns[16] == "tempo"
    assert pipeline[-1].feature_names_in_[0] == "chroma_stft_mean"


def test_rows_keep_their_index():
    X = pd.DataFrame(np.stack([music(seconds=0.1)] * 2), index=["first", "second"])
    frame = SummaryExtractor(**SHORT).set_output(transform="pandas").transform(X)
    assert frame.index.tolist() == ["first", "second"]


@pytest.mark.parametrize("n_samples", [1, 2, 700, 5000])
@pytest.mark.parametrize("pad_mode", ["reflect", "constant"])
def test_any_length_of_anything_gives_numbers(n_samples, pad_mode):
    rng = np.random.default_rng(0)
    click = np.zeros(n_samples)
    click[n_samples // 2] = 1
    kinds = [
        np.zeros(n_samples),
        np.full(n_samples, -0.5),
        np.full(n_samples, 1e-42),
        1e-30 * rng.normal(size=n_samples),
        1e10 * rng.normal(size=n_samples),
        (-1.0) ** np.arange(n_samples),
        click,
    ]
    assert np.isfinite(SummaryExtractor(pad_mode=pad_mode).transform(np.array(kinds))).all()


def test_silence():
    row = summarise(np.zeros(20000, dtype=np.float32))
    # -100 dB in each of 128 bands, through an orthonormal transform.
    assert row.pop("mfcc1_mean") == pytest.approx(-100 * np.sqrt(128), rel=1e-6)
    assert set(row.values()) == {0.0}


def test_constant_input_has_neither_tempo_nor_crossings():
    row = summarise(np.full(20000, 0.5, dtype=np.float32))
    assert row["tempo"] == 0
    assert row["zero_crossing_rate_mean"] == 0
    assert row["rms_mean"] == pytest.approx(0.5)
    assert row["harmony_mean"] + row["perceptr_mean"] == pytest.approx(0.5)


def test_narrow_filterbanks_are_silent():
    """librosa's warning of mel bands without a bin does not come through."""
    summary = SummaryExtractor(sampling_rate=6000, n_fft=128, hop_length=32)
    assert np.isfinite(summary.transform([music(6000, seconds=0.2)])).all()


def test_one_fourier_transform_of_the_frames(monkeypatch):
    import scipy.fft

    widths = []
    transform = scipy.fft.rfft
    monkeypatch.setattr(
        scipy.fft, "rfft", lambda x, *a, **k: widths.append(x.shape[-1]) or transform(x, *a, **k)
    )
    SummaryExtractor().transform([music(seconds=0.5)])
    assert widths.count(2048) == 1


def test_rate_is_checked():
    for shape in ((1, 4000), (1, 2, 2000)):
        X = Waveforms(np.zeros(shape, dtype=np.float32), 44100)
        with pytest.raises(ValueError, match=r"44100 Hz, but SummaryExtractor is set to .*22050"):
            SummaryExtractor().transform(X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"hop_length": 1025},
            r"hop_length=1025 is more than half of n_fft=2048.*Lower hop_length",
        ),
        ({"sampling_rate": 100}, r"hop_length=512 at sampling_rate=100 Hz.*find a tempo"),
        ({"pad_mode": "edge"}, "'pad_mode' parameter"),
        ({"n_fft": 1}, "'n_fft' parameter"),
        ({"hop_length": 0}, "'hop_length' parameter"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        SummaryExtractor(**params).fit(np.zeros((1, 4000)))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (["song.wav"], "takes waveforms, not paths"),
        (np.zeros((1, 4000), dtype=np.int16), "floating-point samples; got int16"),
        (np.zeros(4000), "single waveform of 4000 numbers"),
        (np.zeros((1, 1, 1, 4000)), r"segments of .* track 0 has the shape \(1, 1, 4000\)"),
        ([], "X has 0 tracks"),
        ([np.zeros(10), np.array([0.0, np.nan])], r"track 1 contains NaN"),
    ],
)
def test_bad_input(X, message):
    with pytest.raises(ValueError, match=message):
        SummaryExtractor().transform(X)


def test_too_loud_a_track_is_named():
    X = np.stack([music(seconds=0.1), np.float32(1e20) * music(seconds=0.1)])
    with pytest.raises(ValueError, match=r"track 1 has samples as large as .*between -1 and 1"):
        SummaryExtractor().transform(X)


@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (2, 15), (5, 16), (4, 31), (7, 200)])
@pytest.mark.parametrize("compiled", [True, False], ids=["numba", "scipy"])
def test_medians_are_those_of_the_mirrored_row(shape, compiled, monkeypatch):
    if not compiled:
        monkeypatch.setattr(_summary_measures, "compiled_stage", lambda: None)
    rng = np.random.default_rng(0)
    ramp = np.arange(np.prod(shape)).reshape(shape)
    drawn = (rng.normal(size=shape), rng.integers(0, 3, size=shape))
    for array in (*drawn, np.zeros(shape), ramp, -ramp):
        array = array.astype(np.float32)
        around = np.pad(array, ((0, 0), (15, 15)), mode="symmetric")
        windows = np.lib.stride_tricks.sliding_window_view(around, 31, axis=1)
        medians = _summary_measures.median_along_rows(array)
        np.testing.assert_array_equal(medians, np.median(windows, axis=2))
        assert medians.dtype == np.float32


def test_medians_of_what_is_no_number_end():
    array = np.full((2, 50), np.nan, dtype=np.float32)
    array[1, ::3] = 1
    assert _summary_measures.median_along_rows(array).shape == (2, 50)
