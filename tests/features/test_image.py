from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from skgenre import MelSpectrogramExtractor, SpectrogramImage


def spectrograms(n_tracks=2, n_segments=3, n_frames=20, n_bands=6):
    rng = np.random.default_rng(0)
    return rng.uniform(-80, 0, size=(n_tracks, n_segments, n_frames, n_bands)).astype(np.float32)


def grey(X, **params):
    """Return the shades of grey images: (n_tracks, n_segments, height, width)."""
    images = SpectrogramImage(colormap="gray", **params).transform(X)
    np.testing.assert_array_equal(images[..., 0], images[..., 2])
    return images[..., 0]


def test_paper_shape():
    """kumar2021: 96 bands become an image of 256 x 256 with three channels."""
    waveforms = np.random.default_rng(0).normal(size=(1, 2, 22050)).astype(np.float32)
    drawing = make_pipeline(MelSpectrogramExtractor(), SpectrogramImage())
    images = drawing.fit_transform(waveforms)
    assert images.shape == (1, 2, 256, 256, 3)
    assert images.dtype == np.float32
    assert images.min() >= 0
    assert images.max() <= 1


def test_frequency_runs_upwards_and_time_to_the_right():
    X = np.zeros((1, 1, 4, 3), dtype=np.float32)
    X[0, 0, 3, 0] = 1.0  # at the end, the lowest band
    image = grey(X, height=3, width=4)[0, 0]
    expected = np.zeros((3, 4))
    expected[2, 3] = 1.0
    np.testing.assert_array_equal(image, expected)


def test_same_size_keeps_each_pixel():
    X = spectrograms()
    image = grey(X, height=6, width=20, vmin=-80, vmax=0)
    unit = (X.transpose(0, 1, 3, 2)[:, :, ::-1] + 80) / 80
    assert np.abs(image - unit).max() <= 1 / 255


def test_enlarging_interpolates_between_centres_of_pixels():
    X = np.array([0.0, 1.0], dtype=np.float32).reshape(1, 1, 2, 1)
    image = grey(X, height=1, width=8)[0, 0, 0]
    expected = [0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1]
    np.testing.assert_allclose(image, expected, atol=1 / 255)


def test_reducing_passes_over_no_frame():
    X = np.full((1, 1, 64, 1), -80.0, dtype=np.float32)
    for frame in (29, 30, 31):
        spoken = X.copy()
        spoken[0, 0, frame] = 0.0
        assert grey(spoken, height=1, width=4, vmin=-80, vmax=0).max() > 0.03


def test_colours_reach_from_the_first_to_the_last_and_get_lighter():
    ramp = np.linspace(-80, 0, 256, dtype=np.float32).reshape(1, 1, 256, 1)
    for name in ("magma", "viridis", "gray"):
        image = SpectrogramImage(height=1, width=256, colormap=name).transform(ramp)[0, 0, 0]
        lightness = image @ [0.21, 0.72, 0.07]
        assert (np.diff(lightness) > 0).all()
    first_and_last = SpectrogramImage(height=1, width=256).transform(ramp)[0, 0, 0, [0, -1]]
    np.testing.assert_allclose(first_and_last * 255, [[0, 0, 4], [252, 253, 191]], atol=1e-4)


def test_range_is_that_of_the_segment_unless_given():
    X = spectrograms()
    np.testing.assert_allclose(grey(X), grey(X + 40), atol=1 / 200)  # loudness is lost
    fixed = {"vmin": -80, "vmax": 40}
    assert (grey(X + 40, **fixed) > grey(X, **fixed)).mean() > 0.99
    clipped = grey(X, height=6, width=20, vmin=-50, vmax=-30)
    upright = X.transpose(0, 1, 3, 2)[:, :, ::-1]
    assert (clipped[upright <= -50] == 0).all()
    assert (clipped[upright >= -30] == 1).all()


@pytest.mark.parametrize(
    ("params", "shade"),
    [({}, 0), ({"vmin": -80}, 0), ({"vmin": -100}, 1), ({"vmax": -90}, 1), ({"vmax": 0}, 0)],
)
def test_one_value_all_over(params, shade):
    X = np.full((1, 1, 5, 5), -80.0, dtype=np.float32)
    np.testing.assert_array_equal(grey(X, **params), shade)


def test_batch_equals_one_by_one():
    X = spectrograms()
    X[0] += 60  # a loud neighbour
    one_by_one = np.concatenate([SpectrogramImage().transform(X[[i]]) for i in range(len(X))])
    np.testing.assert_array_equal(SpectrogramImage().transform(X), one_by_one)


def test_fewer_dimensions_are_one_segment():
    X = spectrograms()
    np.testing.assert_array_equal(
        SpectrogramImage().transform(X[:, 0]), SpectrogramImage().transform(X[:, :1])
    )


def test_data_frames_lose_their_names():
    table = pd.DataFrame(spectrograms()[:, 0, :, 0])
    table.columns = [f"x{i}" for i in range(table.shape[1])]
    image = SpectrogramImage(height=2, width=2).set_output(transform="pandas").fit_transform(table)
    assert image.shape == (2, 1, 2, 2, 3)
    assert type(image) is np.ndarray


def test_names_are_the_channels():
    names = SpectrogramImage().get_feature_names_out(["mel0", "mel1"])
    assert names.tolist() == ["red", "green", "blue"]


def test_bad_input():
    X = spectrograms()
    X[1, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="first in track 1"):
        SpectrogramImage().fit(X)
    with pytest.raises(ValueError, match=r"takes arrays of 2 to 4 dimensions"):
        SpectrogramImage().fit(spectrograms()[np.newaxis])
    with pytest.raises(ValueError, match="vmin=0 must be below vmax=-80"):
        SpectrogramImage(vmin=0, vmax=-80).fit(spectrograms())
    with pytest.raises(ValueError, match="'colormap' parameter"):
        SpectrogramImage(colormap="jet").fit(spectrograms())
