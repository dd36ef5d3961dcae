"""What every extractor promises: shape, dtype, names, batch equals one by one, what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from _clips import music
from _musicnn import SmallWeights
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgenre import (
    ChromaExtractor,
    ClipFeatures,
    FrameScaler,
    MelSpectrogramExtractor,
    MFCCExtractor,
    MusicnnExtractor,
    PitchHistogramExtractor,
    RhythmExtractor,
    SoundDetector,
    SpectrogramImage,
    STFTExtractor,
    SummaryExtractor,
)
from skgenre.utils._waveforms import Waveforms

RATE = 22050
LSTM = {"n_fft": 2048, "hop_length": 1024, "center": False, "bands": "octave"}
MFCC2 = ["mfcc0", "mfcc1", "mfcc0_delta", "mfcc1_delta", "mfcc0_delta2", "mfcc1_delta2"]

# Extractor, samples of a segment, shape of the frames of a segment, first names. The first line of
# each extractor is the shape of the paper that it comes from.
FRAMES = [
    (MFCCExtractor(), 66150, (130, 13), ["mfcc0", "mfcc1"]),  # jain2021
    (MFCCExtractor(deltas=1), 12000, (24, 26), ["mfcc0", "mfcc1"]),
    (MFCCExtractor(n_mfcc=2, deltas=2), 12000, (24, 6), MFCC2),
    # As in librosa, an odd frame is padded by one sample less.
    (MFCCExtractor(n_fft=1001, hop_length=1450), 11600, (8, 13), ["mfcc0"]),
    (MelSpectrogramExtractor(), 66150, (130, 96), ["mel0", "mel1"]),  # kumar2021
    (MelSpectrogramExtractor(n_mels=3), 8000, (16, 3), ["mel0", "mel1", "mel2"]),
    (STFTExtractor(center=False, n_frames=166), 2 * RATE, (166, 33), ["stft0"]),  # bai
    (STFTExtractor(center=False), 2 * RATE, (169, 33), ["stft0"]),
    (STFTExtractor(**LSTM), RATE, (20, 72), ["stft0", "stft1"]),
    (STFTExtractor(bands=None), 6000, (24, 513), ["stft0", "stft1"]),
    (STFTExtractor(n_bands=7), 6000, (24, 7), ["stft0", "stft1"]),
    (STFTExtractor(n_fft=1001, n_bands=7), 256 * 9, (9, 7), ["stft0"]),
]
# Extractor, number of columns, some names by place.
TABLES = [
    (ChromaExtractor(), 360, {0: "chroma0_C", 1: "chroma0_C#", 12: "chroma1_C", 359: "chroma29_B"}),
    (ChromaExtractor(n_vectors=5, selection="random", random_state=0), 60, {59: "chroma4_B"}),
    (RhythmExtractor(), 16, {0: "tempo", 15: "low_energy_share"}),
    (PitchHistogramExtractor(), 11, {0: "unfolded_peak1", 10: "pitch_sum"}),
    (SummaryExtractor(), 57, {0: "chroma_stft_mean", 16: "tempo", 56: "mfcc20_var"}),
    (ClipFeatures(), 2380, {3: "mfcc__3_mean", -1: "contrast__band12_flatness"}),
    (SoundDetector(), 1, {0: "has_sound"}),
    (MusicnnExtractor(SmallWeights()), 51, {0: "musicnn_mean__layer0_filter0_mean"}),
]
SIMPLEST = [MFCCExtractor(), MelSpectrogramExtractor(), STFTExtractor()]
OF_TABLES = [extractor for extractor, *_ in TABLES]


def name_of(value):
    return type(value).__name__ if hasattr(value, "get_params") else None


def noise(*shape):
    return np.random.default_rng(0).normal(scale=0.3, size=shape).astype(np.float32)


@pytest.fixture(scope="module")
def tracks():
    """Waveforms of several lengths, one much louder than the others."""
    loudness = (0.1, 3.0, 0.5)
    return [
        np.float32(loud) * music(seconds, seed)
        for seed, (seconds, loud) in enumerate(zip((0.25, 1.0, 0.5), loudness, strict=True))
    ]


@pytest.mark.parametrize(("extractor", "n_samples", "shape", "names"), FRAMES, ids=name_of)
def test_frames_have_the_documented_shape(extractor, n_samples, shape, names):
    X = noise(2, 3, n_samples)
    X[0, 1] *= 100  # a loud neighbour
    Xt = extractor.fit_transform(X)
    assert Xt.shape == (2, 3, *shape)
    assert Xt.dtype == np.float32
    given = extractor.get_feature_names_out().tolist()
    assert given[: len(names)] == names
    assert len(set(given)) == len(given) == shape[1]
    one_by_one = [extractor.transform(X[[i]])[0] for i in range(2)]
    np.testing.assert_array_equal(one_by_one, Xt)
    # Two dimensions are one segment a track, and a segment does not depend on its neighbours.
    np.testing.assert_allclose(extractor.transform(X[:, 2])[:, 0], Xt[:, 2], rtol=0, atol=1e-3)


@pytest.mark.parametrize(("extractor", "n_columns", "names"), TABLES, ids=name_of)
def test_tables_have_the_documented_columns(extractor, n_columns, names, tracks):
    Xt = extractor.transform(tracks)
    assert Xt.shape == (3, n_columns)
    assert Xt.dtype == np.float32
    given = extractor.get_feature_names_out()
    assert {place: given[place] for place in names} == names
    assert len(set(given)) == len(given) == n_columns
    one_by_one = [extractor.transform(track[np.newaxis])[0] for track in tracks]
    np.testing.assert_array_equal(one_by_one, Xt)
    np.testing.assert_array_equal(extractor.fit_transform(tracks[::-1]), Xt[::-1])


@pytest.mark.parametrize("extractor", OF_TABLES, ids=name_of)
def test_segments_are_rows_of_one_frame(extractor, tracks):
    X = np.stack([tracks[1], tracks[1][::-1]]).reshape(2, 2, -1)
    Xt = extractor.fit_transform(X)
    assert Xt.shape == (2, 2, 1, len(extractor.get_feature_names_out()))
    assert Xt.dtype == np.float32
    alone = extractor.transform(X.reshape(4, -1))
    np.testing.assert_array_equal(Xt.reshape(4, -1), alone)
    np.testing.assert_array_equal(extractor.transform(list(X)), Xt)  # nested
    assert FrameScaler().fit_transform(Xt).shape == Xt.shape


@pytest.mark.parametrize("extractor", [*SIMPLEST, SpectrogramImage(height=4, width=4)], ids=name_of)
def test_frames_stay_arrays_where_data_frames_are_asked_for(extractor):
    X = noise(2, 12000)
    assert type(clone(extractor).set_output(transform="pandas").fit_transform(X)) is np.ndarray
    with sklearn.config_context(transform_output="pandas"):
        assert type(clone(extractor).transform(X)) is np.ndarray


@pytest.mark.parametrize("extractor", OF_TABLES, ids=name_of)
def test_tables_become_data_frames(extractor):
    X = np.stack([music(0.2), music(0.2, seed=1)])
    plain = extractor.transform(X)
    for container, kind in (("pandas", pd.DataFrame), ("polars", pl.DataFrame)):
        framed = clone(clone(extractor).set_output(transform=container))
        for table in (framed.fit_transform(X), framed.transform(X)):
            assert type(table) is kind
            assert list(table.columns) == extractor.get_feature_names_out().tolist()
            np.testing.assert_array_equal(table.to_numpy(), plain)
        with sklearn.config_context(transform_output=container):
            assert type(extractor.transform(X)) is kind
    assert type(framed.transform(X.reshape(2, 2, -1))) is np.ndarray
    assert type(framed.set_output(transform="default").transform(X)) is np.ndarray


def test_names_and_labels_of_rows_reach_the_next_step():
    X = pd.DataFrame(noise(3, 4000), index=["first", "second", "third"])
    pipeline = make_pipeline(RhythmExtractor(), StandardScaler()).set_output(transform="pandas")
    table = pipeline.fit_transform(X)
    assert table.index.tolist() == ["first", "second", "third"]
    assert table.columns[0] == pipeline[-1].feature_names_in_[0] == "tempo"


@pytest.mark.parametrize("extractor", [*SIMPLEST, *OF_TABLES], ids=name_of)
@pytest.mark.parametrize("shape", [(1, 4000), (1, 2, 4000)])
def test_another_sampling_rate_is_refused(extractor, shape):
    X = Waveforms(np.zeros(shape, dtype=np.float32), 44100)
    message = f"44100 Hz, but {type(extractor).__name__} is set to sampling_rate=22050"
    for method in (extractor.fit, extractor.transform, extractor.fit_transform):
        with pytest.raises(ValueError, match=message):
            method(X)


@pytest.mark.parametrize("extractor", [*SIMPLEST[:2], *OF_TABLES], ids=name_of)
def test_a_track_too_loud_for_float32_is_named(extractor):
    X = np.stack([noise(4000), np.float32(1e20) * noise(4000)])
    with pytest.raises(ValueError, match=r"track 1 has samples as large as .*between -1 and 1"):
        extractor.transform(X)


@pytest.mark.parametrize("extractor", OF_TABLES, ids=name_of)
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (["song.wav"], "takes waveforms, not paths"),
        (np.zeros((1, 4000), dtype=np.int16), "floating-point samples; got int16"),
        (np.zeros(4000), "single waveform of 4000 numbers"),
        (np.zeros((1, 1, 1, 40)), r"segments of .* track 0 has the shape \(1, 1, 40\)"),
        ([], "X has 0 tracks"),
        ([np.zeros(10), np.array([0.0, np.nan])], r"track 1 contains NaN"),
    ],
    ids=["paths", "integers", "1-D", "4-D", "empty", "nan"],
)
def test_bad_input_of_tables_is_refused(extractor, X, message):
    with pytest.raises(ValueError, match=message):
        extractor.transform(X)


@pytest.mark.parametrize(
    ("track", "message"),
    [
        ("song.wav", "song.wav: .* takes waveforms, not paths"),
        (np.zeros(4000, dtype=np.int16), "track 1: .* floating-point samples; got int16"),
        (np.zeros(4000, dtype=complex), "track 1: .* got ndarray .Complex data not supported"),
        (np.zeros(4000, dtype="f4,f4"), "track 1: .* real numbers; got ndarray"),
        ((np.zeros(4000), 22050), "track 1 is a pair of a waveform and its .* let AudioLoader"),
        ([0.5, None, 10**400], "track 1: .* real numbers; got list"),
        ([[0.0], [0.0, 0.0]], "track 1: .* real numbers; got list"),
        (object(), "track 1: .* real numbers; got object"),
        (np.full(4000, 1e300), "track 1 contains NaN or infinity"),
        (np.zeros((4000, 1)), r"track 1 has the shape \(4000, 1\), .* waveform\[:, 0\]"),
    ],
    ids=[
        *("path", "integers", "complex", "structs", "pair"),
        *("big", "ragged", "object", "too large", "column"),
    ],
)
@pytest.mark.parametrize("extractor", [SIMPLEST[0], OF_TABLES[0]], ids=name_of)
def test_a_bad_track_among_good_ones_is_named(extractor, track, message):
    with pytest.raises(ValueError, match=message):
        extractor.transform([noise(4000), track, noise(4000)])


@pytest.mark.parametrize(
    "extractor", [*OF_TABLES, SummaryExtractor(pad_mode="constant")], ids=name_of
)
@pytest.mark.parametrize("n_samples", [1, 2, 700, 5600])
def test_tables_of_any_sound_are_finite(extractor, n_samples):
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
        np.where(np.arange(n_samples) < n_samples // 2, 0, rng.normal(size=n_samples)),
    ]
    assert np.isfinite(extractor.transform(np.array(kinds))).all()


@pytest.mark.parametrize(
    ("extractor", "message"),
    [
        (MFCCExtractor(n_mfcc=50, n_mels=40), "n_mfcc=50 is more than n_mels=40"),
        (MFCCExtractor(win_length=4096), "win_length=4096 is longer than n_fft=2048"),
        (MFCCExtractor(fmax=12000.0), "at or below half the sampling rate, 11025"),
        (MFCCExtractor(fmin=500.0, fmax=400.0), "fmin must be below fmax"),
        (MFCCExtractor(center=False, n_fft=16384), "shorter than one frame of n_fft=16384"),
        (MFCCExtractor(deltas=1, delta_width=8), "must be odd"),
        (MFCCExtractor(deltas=1, delta_width=99), "at most the number of frames, here 24"),
        (MFCCExtractor(n_fft=1001, hop_length=1200, deltas=1, delta_width=11), "frames, here 10"),
        (MFCCExtractor(deltas=3), "'deltas' parameter"),
        (MelSpectrogramExtractor(win_length=4096), "win_length=4096 is longer than n_fft=2048"),
        (MelSpectrogramExtractor(fmax=12000.0), "at or below half the sampling rate, 11025"),
        (MelSpectrogramExtractor(center=False, n_fft=16384), "than one frame of n_fft=16384"),
        (MelSpectrogramExtractor(scale="mel"), "'scale' parameter"),
        (STFTExtractor(win_length=2000), "win_length=2000 is longer than n_fft=1024"),
        (STFTExtractor(n_fft=32), "n_bands=33 is more than the 17 bins"),
        (STFTExtractor(bands="octave", n_fft=1000), "power of two .* got n_fft=1000"),
        (STFTExtractor(bands="octave", n_fft=16), "at least 32.*got n_fft=16"),
        (STFTExtractor(n_fft=16384, center=False), "shorter than one frame of n_fft=16384"),
        (STFTExtractor(n_frames=48), "have 47 frames, fewer than n_frames=48"),
        (STFTExtractor(n_fft=1001, hop_length=1200, n_frames=11), "have 10 frames"),
        (STFTExtractor(bands="mel"), "'bands' parameter"),
        (PitchHistogramExtractor(fmin=2000.0), "fmin=2000.0 and fmax=1500.0 Hz.* below fmax"),
        (PitchHistogramExtractor(fmax=12000.0), "at or below half the sampling rate, 11025"),
        (PitchHistogramExtractor(n_fft=512), "n_fft=512 samples are less than two periods"),
        (PitchHistogramExtractor(threshold=1.5), "'threshold' parameter"),
        (SummaryExtractor(hop_length=1025), "1025 is more than half of n_fft=2048.*Lower hop"),
        (SummaryExtractor(sampling_rate=100), "hop_length=512 at sampling_rate=100 Hz.* a tempo"),
        (SummaryExtractor(pad_mode="edge"), "'pad_mode' parameter"),
        (SummaryExtractor(n_fft=1), "'n_fft' parameter"),
        (SummaryExtractor(hop_length=0), "'hop_length' parameter"),
        (ClipFeatures(feature_groups=("mfcc", "timbre")), r"'timbre'\) must name one or more of"),
        (ClipFeatures(feature_groups=()), "must name one or more"),
        (ClipFeatures(feature_groups=("mfcc", "mfcc")), "each once"),
        (ClipFeatures(feature_groups="mfcc"), "'feature_groups' parameter"),
        (
            ClipFeatures(hop_length=1024),
            r"21.5 frames a second, but modulation and scatter .*needs 40\. Set sampling_rate to "
            "40960 or more, lower hop_length, or leave modulation and scatter out",
        ),
        (ClipFeatures(hop_length=1024, feature_groups=("scatter",)), "leave scatter out"),
        (ClipFeatures(n_fft=1), "'n_fft' parameter"),
        (ClipFeatures(sampling_rate=0), "'sampling_rate' parameter"),
    ],
    ids=name_of,
)
def test_bad_parameters_are_refused(extractor, message):
    for method in (extractor.fit, extractor.transform):
        with pytest.raises(ValueError, match=message):
            method(np.zeros((1, 12000)))
