"""Pipelines of log-mel spectrograms as one graph from the waveform on."""

import subprocess
import sys
import warnings

import numpy as np
import onnxruntime
import pytest
import soundfile
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skgenre import (
    AudioLoader,
    FrameScaler,
    LogMelCNNGenreClassifier,
    MelSpectrogramExtractor,
    MFCCExtractor,
    OnnxGenreModel,
    PerTrack,
    RejectingClassifier,
    Segmenter,
    export_onnx,
    make_genre_pipeline,
    make_genres,
)
from skgenre.onnx._waveform import log_mel_cnn_graph, takes_waveform

RATE, N_MELS, DURATION = 22050, 20, 2.0
NETWORK = {
    "crop_frames": 20,
    "n_crops": 3,
    "filters": (6, 8),
    "kernel_sizes": 3,
    "strides": 1,
    "pool_sizes": 2,
    "epochs": 2,
    "steps_per_epoch": 15,
    "learning_rate": 0.01,
    "random_state": 0,
}
# An export allows 1e-3; here the largest difference is about 3e-6.
TOLERANCE = 1e-5


def make_music(rate=RATE):
    music = make_genres(
        2,
        genres=["dub", "swing", "thrash"],
        duration=DURATION,
        sampling_rate=rate,
        random_state=0,
    )
    return [np.asarray(track, np.float32) for track in music.data], music.target


@pytest.fixture(scope="module")
def music():
    return make_music()[0]


@pytest.fixture(scope="module")
def classifier():
    tracks, y = make_music()
    frames = MelSpectrogramExtractor(n_mels=N_MELS).fit_transform(np.stack(tracks))
    return LogMelCNNGenreClassifier(**NETWORK).fit(frames, y)


def build(classifier, *, extractor=None, segmenter=None, **loader):
    """Return a fitted pipeline of a classifier that is fitted already."""
    steps = [AudioLoader(**{"duration": DURATION, **loader})]
    steps += [] if segmenter is None else [Segmenter(**segmenter)]
    steps += [MelSpectrogramExtractor(**{"n_mels": N_MELS, **(extractor or {})})]
    return make_pipeline(PerTrack(make_pipeline(*steps)), classifier)


@pytest.fixture(scope="module")
def model(classifier):
    return build(classifier)


@pytest.fixture(scope="module")
def session(model):
    return open_session(model)


def open_session(model):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    content = log_mel_cnn_graph(model).SerializeToString()
    return onnxruntime.InferenceSession(content, options)


def run(session, waveform, output="probabilities"):
    return session.run([output], {"waveform": np.atleast_2d(waveform)})[0]


def predict(model, waveform):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # short tracks, and silence
        return model.predict_proba([waveform])


def assert_same(model, session, waveforms):
    expected = [predict(model, waveform)[0] for waveform in waveforms]
    found = [run(session, waveform)[0] for waveform in waveforms]
    assert np.ptp(expected, axis=0).max() > 0.01  # else equal probabilities would say little
    np.testing.assert_allclose(found, expected, atol=TOLERANCE, rtol=0)


def test_the_graph_takes_waveforms_and_gives_float32_probabilities(session):
    (waveform,) = session.get_inputs()
    assert (waveform.name, waveform.type) == ("waveform", "tensor(float)")
    assert waveform.shape == ["n_tracks", "n_samples"]
    proba = session.get_outputs()[0]
    assert (proba.name, proba.type, proba.shape[1]) == ("probabilities", "tensor(float)", 3)


@pytest.mark.parametrize("n_samples", [1, 100, 5000, 30000, 44099, 44100, 44101, 200000])
def test_tracks_of_any_length(model, session, music, n_samples):
    waveforms = [np.concatenate(music)[start : start + n_samples] for start in (3000, 150000)]
    expected = [predict(model, waveform)[0] for waveform in waveforms]
    found = [run(session, waveform)[0] for waveform in waveforms]
    np.testing.assert_allclose(found, expected, atol=TOLERANCE, rtol=0)


def test_several_tracks_at_once(model, session, music):
    one_by_one = np.concatenate([run(session, track) for track in music])
    np.testing.assert_allclose(run(session, np.stack(music)), one_by_one, atol=1e-6)
    assert_same(model, session, music)


def test_probabilities_of_segments(model, session, music):
    crops = model[-1].predict_segment_proba(model[:-1].transform(music[:1]))
    found = run(session, music[0], "segment_probabilities")
    assert found.shape == (1, 3, 3)  # tracks, crops, genres
    np.testing.assert_allclose(found, crops, atol=TOLERANCE)


@pytest.mark.parametrize("level", [0, 5e-5, 9e-5, 1.1e-4, 1e-3])
def test_silence_and_faint_noise(model, session, level):
    noise = np.random.default_rng(0).normal(size=RATE).astype(np.float32)
    waveform = np.float32(0.25) + level * noise  # the offset is no sound
    np.testing.assert_allclose(
        run(session, waveform), predict(model, waveform), atol=TOLERANCE, rtol=0
    )


@pytest.mark.parametrize(("n_blocks", "is_silence"), [(4, True), (5, False)])
def test_a_burst_is_sound_from_a_tenth_of_a_second_on(model, session, n_blocks, is_silence):
    burst = np.zeros(RATE, np.float32)
    noise = np.random.default_rng(0).normal(size=441 * n_blocks)  # 0.02 s each
    burst[4410 : 4410 + len(noise)] = noise
    found, silence = run(session, burst), run(session, 0 * burst)
    assert np.array_equal(found, silence) == is_silence
    np.testing.assert_allclose(found, predict(model, burst), atol=TOLERANCE, rtol=0)


def test_what_the_loader_takes_for_silence_is_silence(session):
    noise = np.random.default_rng(0).normal(size=RATE).astype(np.float32)
    silence, faint, loud = (run(session, level * noise) for level in (0, 5e-5, 1.0))
    np.testing.assert_array_equal(faint, silence)
    assert np.abs(loud - silence).max() > 0.01


@pytest.mark.parametrize("sample", [np.nan, np.inf, -1e6])
def test_what_the_pipeline_refuses_is_nan(model, session, music, sample):
    waveform = music[0].copy()
    waveform[1000] = sample
    with pytest.raises(ValueError, match="samples"):
        predict(model, waveform)
    assert np.isnan(run(session, waveform)).all()
    both = run(session, np.stack([waveform, music[0]]))
    np.testing.assert_allclose(both[1], predict(model, music[0])[0], atol=TOLERANCE)


FRONT_ENDS = {
    "zeros": {"duration": 3.0, "short": "zeros"},
    "any_length": {"short": "keep", "extractor": {"top_db": None, "hop_length": 300}},
    "power": {"extractor": {"scale": "power"}},
    "middle": {
        "duration": 0.7,
        "position": "center",
        "extractor": {"top_db": 30.0, "n_fft": 1024, "win_length": 800},
    },
    "not_centered": {"extractor": {"center": False, "window": "hamming", "hop_length": 3000}},
    "bounds": {"extractor": {"fmin": 100.0, "fmax": 8000.0, "htk": True, "n_fft": 1000}},
    "odd": {"extractor": {"n_fft": 735, "hop_length": 441}},
    "prime": {"extractor": {"n_fft": 401, "hop_length": 400}},
    "segments": {"segmenter": {"n_segments": 3, "track_duration": DURATION}},
    "repeated_segments": {
        "short": "keep",
        "segmenter": {"n_segments": 2, "segment_duration": 0.9, "short": "repeat"},
    },
    "spread": {
        "short": "keep",
        "segmenter": {
            "n_segments": 4,
            "segment_duration": 0.73,
            "placement": "spread",
            "short": "zeros",
        },
    },
}


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_front_ends(classifier, music, name):
    model = build(classifier, **FRONT_ENDS[name])
    lengths = (44100, 12345, 44100, 70000)
    tracks = music[::2] + music[1:2]
    waveforms = [np.tile(track, 2)[:n] for track, n in zip(tracks, lengths, strict=True)]
    assert_same(model, open_session(model), waveforms)


@pytest.mark.parametrize(
    "settings",
    [
        {"short": "error"},
        {"short": "keep", "segmenter": {"n_segments": 2, "segment_duration": 0.9}},
        {
            "short": "keep",
            "segmenter": {"n_segments": 2, "segment_duration": 1.9, "placement": "spread"},
        },
        {"short": "keep", "extractor": {"center": False, "n_fft": 2**15}},
    ],
)
def test_tracks_that_the_pipeline_refuses_as_too_short_fail(classifier, music, settings):
    model = build(classifier, **settings)
    session = open_session(model)
    with pytest.raises(ValueError, match="short"):
        predict(model, music[0][:30000])
    with pytest.raises(Exception, match="ONNXRuntimeError"):
        run(session, music[0][:30000])
    assert_same(model, session, music)


def test_a_track_without_samples_fails(session):
    with pytest.raises(Exception, match="ONNXRuntimeError"):
        run(session, np.zeros((1, 0), np.float32))


@pytest.mark.slow
@pytest.mark.parametrize("scaler", [FrameScaler(), None])
def test_a_pipeline_fitted_as_a_whole(scaler):
    rate = 16000
    tracks, genres = make_music(rate)
    y = np.unique(genres, return_inverse=True)[1] + 5
    model = make_genre_pipeline(
        LogMelCNNGenreClassifier(**NETWORK, floor=None, center_bands=False),
        sampling_rate=rate,
        duration=DURATION,
        n_segments=None,
        extractor=MelSpectrogramExtractor(n_mels=32, n_fft=1024, hop_length=400),
        scaler=scaler,
    ).fit(tracks, y)
    session = open_session(model)
    assert_same(model, session, tracks)
    found = model.classes_[run(session, np.stack(tracks)).argmax(axis=1)]
    np.testing.assert_array_equal(found, model.predict(tracks))


@pytest.mark.parametrize("settings", [{}, FRONT_ENDS["segments"]])
def test_export_begins_with_the_waveform(classifier, music, tmp_path, settings):
    model = build(classifier, **settings)
    paths = [tmp_path / f"{i}.wav" for i in range(3)]
    for path, track, rate in zip(paths, music[::2], (RATE, 44100, 16000), strict=True):
        soundfile.write(path, track, rate)
    exported = OnnxGenreModel(export_onnx(model, tmp_path / "model.onnx"))
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    assert session.get_inputs()[0].name == "waveform"
    assert exported.largest_difference_ < TOLERANCE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of repeated tracks
        expected, found = model.predict_proba(paths), exported.predict_proba(paths)
    assert np.ptp(expected, axis=0).max() > 0.01
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)


@pytest.mark.slow
def test_a_rejecting_classifier_is_exported_from_the_waveform_on(model, music, tmp_path):
    y = ["calm", "loud"] * 3
    rejecting = make_pipeline(model[0], RejectingClassifier(model[-1], threshold=0.7))
    rejecting.fit(music, y)
    path = export_onnx(rejecting, tmp_path / "model.onnx")
    assert onnxruntime.InferenceSession(path).get_inputs()[0].name == "waveform"
    np.testing.assert_array_equal(OnnxGenreModel(path).predict(music), rejecting.predict(music))


def test_the_graph_runs_where_neither_tensorflow_nor_skgenre_is(model, music, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(log_mel_cnn_graph(model).SerializeToString())
    np.save(tmp_path / "waveform.npy", music[0][np.newaxis])
    code = f"""
import sys
for name in ("tensorflow", "keras", "sklearn", "librosa", "skgenre"):
    sys.modules[name] = None
import numpy as np
import onnxruntime
session = onnxruntime.InferenceSession({str(path)!r})
waveform = np.load({str(tmp_path / "waveform.npy")!r})
proba, _ = session.run(None, {{"waveform": waveform}})
np.save({str(tmp_path / "proba.npy")!r}, proba)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    expected = predict(model, music[0])
    np.testing.assert_allclose(np.load(tmp_path / "proba.npy"), expected, atol=TOLERANCE)


def test_other_pipelines_are_refused(classifier, model):
    mfcc = make_pipeline(PerTrack(make_pipeline(AudioLoader(), MFCCExtractor())), classifier)
    with pytest.raises(TypeError, match="got AudioLoader, MFCCExtractor, LogMelCNN"):
        log_mel_cnn_graph(mfcc)
    assert not takes_waveform(mfcc)
    assert not takes_waveform(classifier)
    assert takes_waveform(model)


def test_a_pipeline_that_is_not_fitted_is_refused():
    with pytest.raises(NotFittedError):
        log_mel_cnn_graph(build(LogMelCNNGenreClassifier()))
