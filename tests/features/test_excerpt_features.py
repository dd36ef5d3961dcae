"""Features of tracks and of excerpts of them, and frames laid out as tables."""

from typing import ClassVar

import numpy as np
import pytest
from _clips import music
from sklearn.pipeline import FeatureUnion, make_pipeline

from skgenre import (
    AudioLoader,
    ClipFeatures,
    ExcerptFeatures,
    FlatFeatures,
    MelSpectrogramExtractor,
    MFCCExtractor,
    PerTrack,
    SummaryExtractor,
)
from skgenre.base import TrackTableTransformer

RATE = 22050
TEMPO = ClipFeatures(feature_groups=["tempo"])


class StartAndLength(TrackTableTransformer):
    """Describe a ramp by its first value and its length, and count the descriptions."""

    sampling_rate = 10
    _parameter_constraints: ClassVar = {}

    def __init__(self):
        self.n_described = 0

    def get_feature_names_out(self, input_features=None):
        return np.array(["start", "length"], dtype=object)

    def describe(self, samples):
        self.n_described += 1
        return np.array([samples[0], samples.size])


def describe(n_samples, **params):
    extractor = StartAndLength()
    features = ExcerptFeatures(extractor, **params)
    (row,) = features.fit_transform(np.arange(n_samples, dtype=float)[None])
    return row.reshape(-1, 2).tolist(), extractor.n_described


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [[0, 160], [0, 100], [30, 100], [60, 100]]),
        ({"include_track": False}, [[0, 100], [30, 100], [60, 100]]),
        ({"n_excerpts": 0}, [[0, 160]]),
        ({"n_excerpts": 1, "excerpt_duration": 4.0}, [[0, 160], [60, 40]]),
        ({"n_excerpts": 2, "excerpt_duration": 4.0}, [[0, 160], [0, 40], [120, 40]]),
    ],
)
def test_excerpts_are_spread_evenly_over_the_track(params, expected):
    assert describe(160, **params) == (expected, len(expected))


@pytest.mark.parametrize("include_track", [True, False])
def test_a_track_no_longer_than_an_excerpt_is_described_once(include_track):
    rows, n_described = describe(100, include_track=include_track)
    assert rows == [[0, 100]] * (3 + include_track)
    assert n_described == 1


@pytest.mark.parametrize("extractor", [TEMPO, SummaryExtractor()], ids=repr)
def test_rows_are_those_of_the_extractor_on_each_excerpt(extractor):
    tracks = np.random.default_rng(0).normal(size=(2, 4 * RATE)).astype(np.float32)
    features = ExcerptFeatures(extractor, n_excerpts=2, excerpt_duration=3.0)
    whole, first, second = np.split(features.fit_transform(tracks), 3, axis=1)
    np.testing.assert_array_equal(whole, extractor.fit_transform(tracks))
    np.testing.assert_allclose(first, extractor.fit_transform(tracks[:, : 3 * RATE]), rtol=1e-5)
    start = RATE - RATE % 512  # a multiple of the hop length
    expected = extractor.fit_transform(np.ascontiguousarray(tracks[:, start : start + 3 * RATE]))
    np.testing.assert_allclose(second, expected, rtol=1e-5)
    names = features.get_feature_names_out()
    assert len(names) == 3 * whole.shape[1]
    assert names[-1] == f"excerpt1__{extractor.get_feature_names_out()[-1]}"


@pytest.mark.parametrize(
    ("params", "seconds"),
    [
        ({}, 10.0),
        ({"n_fft": 2001}, 4.0),  # without the compiled passes of an even length
        ({"n_fft": 512, "hop_length": 512}, 2.0),
        ({"n_fft": 256, "hop_length": 400}, 1.0),
        ({}, 0.09),  # excerpts of one frame without padding
        ({}, 0.05),  # of none
    ],
)
def test_excerpts_that_share_the_spectrum_equal_the_same_samples_alone(params, seconds):
    track = np.concatenate([music(6.0, seed=1), 0.001 * music(5.0, seed=2), music(4.0, seed=3)])
    clip = ClipFeatures(**params)
    features = ExcerptFeatures(clip, n_excerpts=4, excerpt_duration=seconds)
    found = features.fit_transform([track])[0].reshape(5, -1)
    length, hop_length = round(seconds * RATE), clip.hop_length
    starts = np.linspace(0, track.size - length, 4).round().astype(int) // hop_length * hop_length
    alone = clip.fit_transform([track, *(track[i : i + length] for i in starts)])
    # A frame that is transformed beside others may round differently.
    np.testing.assert_allclose(found, alone, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("seconds", [5.0, 1.0])
def test_an_excerpt_transforms_only_the_frames_at_its_ends(seconds, monkeypatch):
    import scipy.fft

    n_frames = []
    transform = scipy.fft.rfft

    def counted(x, *args, **kwargs):
        if x.shape[-1] == 2000:
            n_frames.append(len(x))
        return transform(x, *args, **kwargs)

    monkeypatch.setattr(scipy.fft, "rfft", counted)  # which no power of two takes
    track = music(9.0)
    ExcerptFeatures(ClipFeatures(n_fft=2000), excerpt_duration=seconds).transform([track])
    whole = 1 + track.size // 512
    assert whole < sum(n_frames) <= whole + 3 * 4  # two at each end, where half a frame is 2 hops


def test_excerpts_without_their_track_start_where_they_are_asked_for():
    track = np.random.default_rng(0).normal(size=4 * RATE).astype(np.float32)
    features = ExcerptFeatures(TEMPO, n_excerpts=2, excerpt_duration=3.0, include_track=False)
    expected = TEMPO.fit_transform([track[: 3 * RATE], track[RATE:]])
    np.testing.assert_array_equal(features.fit_transform([track]).reshape(2, -1), expected)


def test_short_tracks_inside_per_track_are_described_as_they_are():
    rng = np.random.default_rng(0)
    waveforms = [rng.normal(size=n * RATE).astype(np.float32) for n in (1, 3, 9)]
    loader = AudioLoader(duration=3.0, position="center", short="keep")
    rows = PerTrack(make_pipeline(loader, ExcerptFeatures(TEMPO, n_excerpts=0))).fit_transform(
        waveforms
    )
    for row, waveform in zip(
        rows, [*waveforms[:2], waveforms[2][3 * RATE : 6 * RATE]], strict=True
    ):
        np.testing.assert_array_equal(row, TEMPO.fit_transform(waveform[None])[0])


def test_flat_frames_start_again_and_are_cut_off():
    tracks = np.random.default_rng(0).normal(size=(2, RATE)).astype(np.float32)
    mel = MelSpectrogramExtractor(n_mels=8)
    frames = mel.fit_transform(tracks)[:, 0]  # (n_tracks, 44, 8)
    flat = FlatFeatures(mel, n_frames=100)
    found = flat.fit_transform(tracks).reshape(2, 100, 8)
    np.testing.assert_array_equal(found[:, :44], frames)
    np.testing.assert_array_equal(found[:, 44:88], frames)
    np.testing.assert_array_equal(found[:, 88:], frames[:, :12])
    assert len(flat.get_feature_names_out()) == 800
    short = FlatFeatures(MFCCExtractor(), n_frames=2).fit_transform(tracks)
    np.testing.assert_array_equal(
        short.reshape(2, 2, 13), MFCCExtractor().fit_transform(tracks)[:, 0, :2]
    )


def test_a_union_names_its_columns():
    union = FeatureUnion(
        [
            ("clip", ExcerptFeatures(TEMPO, n_excerpts=1)),
            ("mel", FlatFeatures(MelSpectrogramExtractor(n_mels=2), n_frames=3)),
        ]
    )
    table = PerTrack(make_pipeline(AudioLoader(duration=1.0), union))
    row = table.fit_transform([np.resize([0.5, -0.5], RATE)])
    names = table.get_feature_names_out()
    assert row.shape == (1, len(names)) == (1, 2 * 48 + 6)
    assert names[[48, -1]].tolist() == ["clip__excerpt0__tempo__lag_0.21s", "mel__frame2__mel1"]


@pytest.mark.parametrize(
    ("features", "error", "message"),
    [
        (ExcerptFeatures(MFCCExtractor()), TypeError, "one row per track.*got MFCCExtractor"),
        (ExcerptFeatures(TEMPO, n_excerpts=0, include_track=False), ValueError, "no columns"),
        (ExcerptFeatures(TEMPO, excerpt_duration=0), ValueError, "excerpt_duration"),
        (
            ExcerptFeatures(ClipFeatures(sampling_rate=16000)),
            ValueError,
            "Set sampling_rate to 20480 or more",
        ),
        (FlatFeatures(AudioLoader(), n_frames=2), TypeError, "frames with named features"),
        (FlatFeatures(MelSpectrogramExtractor(), n_frames=0), ValueError, "n_frames"),
    ],
)
def test_wrong_settings_are_refused_in_fit(features, error, message):
    with pytest.raises(error, match=message):
        features.fit(np.zeros((1, RATE), dtype=np.float32))
