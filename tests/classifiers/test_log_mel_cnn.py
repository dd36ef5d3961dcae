"""The network that learns from random crops."""

import numpy as np
import pytest

from skgenre import LogMelCNNGenreClassifier
from skgenre.classifiers._batches import RandomCropBatches, SegmentBatches

SETTINGS = {
    "crop_frames": 8,
    "n_drawn": 600,
    "balance": 0.0,
    "mask_features": 0,
    "time_mask_param": 0,
}


def make_crops(n_frames=20, n_features=4, counts=(6, 2), **settings):
    """Return crops of tracks whose every value tells its track and its frame."""
    classes = np.repeat(np.arange(len(counts)), counts)
    tracks = np.empty((len(classes), n_frames, n_features), dtype=np.float32)
    tracks[:] = 1 + 1000 * np.arange(len(classes))[:, None, None] + np.arange(n_frames)[:, None]
    return RandomCropBatches(tracks, classes, **{**SETTINGS, **settings})


def small(**params):
    params = {"crop_frames": 8, "filters": (6,), "kernel_sizes": 3, "strides": 1, **params}
    params = {"pool_sizes": 1, "epochs": 2, "steps_per_epoch": 10, "random_state": 0, **params}
    return LogMelCNNGenreClassifier(freq_mask_param=2, time_mask_param=3, **params)


def make_tracks(n_frames=24, seed=0):
    """Return tracks of two genres that differ in what comes after what, not in loudness."""
    rng = np.random.default_rng(seed)
    y = np.repeat(["fast", "slow"], 12)
    X = rng.normal(size=(24, n_frames, 5)) - 30
    X[y == "fast"] += 20 * (np.arange(n_frames) % 2)[:, None]
    X[y == "slow"] += 20 * (np.arange(n_frames) // 4 % 2)[:, None]
    return X, y


def epoch_of(batches):
    """Return the columns of a whole epoch."""
    return next(batches.chunks(len(batches)))


def test_crops_are_cut_from_one_track_at_all_places():
    crops = make_crops()
    crops.shuffle(seed=1, epoch=0)
    values, classes = epoch_of(crops)
    assert values.shape == (600, 8, 4)
    first = values[:, 0, 0] - 1
    np.testing.assert_array_equal(values - 1, (first[:, None] + np.arange(8))[..., None] + [0] * 4)
    assert set(first % 1000) == set(range(20 - 8 + 1))  # every place, and none beyond the end
    rows = (first // 1000).astype(int)
    assert set(rows) == set(range(8))
    np.testing.assert_array_equal(classes, rows >= 6)


def test_each_epoch_draws_anew_and_each_seed_differs():
    crops = make_crops()
    drawn = {}
    for seed, epoch in [(1, 0), (1, 1), (2, 0)]:
        crops.shuffle(seed, epoch)
        drawn[seed, epoch] = epoch_of(crops)[0]
    crops.shuffle(1, 0)
    np.testing.assert_array_equal(epoch_of(crops)[0], drawn[1, 0])
    assert not np.array_equal(drawn[1, 0], drawn[1, 1])
    assert not np.array_equal(drawn[1, 0], drawn[2, 0])


def test_parts_of_an_epoch_are_its_rows_in_order():
    crops = make_crops(mask_features=3, time_mask_param=3)
    crops.shuffle(1, 0)
    whole = epoch_of(crops)
    parts = list(crops.chunks(250))
    for i in range(2):
        np.testing.assert_array_equal(np.concatenate([part[i] for part in parts]), whole[i])


@pytest.mark.parametrize(("balance", "share"), [(0.0, 0.25), (0.5, 0.375), (1.0, 0.5)])
def test_balance_is_the_share_drawn_by_genre(balance, share):
    crops = make_crops(balance=balance, n_drawn=20_000)
    crops.shuffle(3, 0)
    assert epoch_of(crops)[1].mean() == pytest.approx(share, abs=0.02)


def test_masks_are_one_band_of_each_kind_of_less_than_their_width():
    crops = make_crops(n_features=12, mask_features=4, time_mask_param=6)
    crops.shuffle(5, 0)
    values, _ = epoch_of(crops)
    frames = (values == 0).all(axis=2)  # (n, 8)
    features = (values == 0).all(axis=1)  # (n, 12)
    assert set(frames.sum(axis=1)) == set(range(6))
    assert set(features.sum(axis=1)) == set(range(4))
    for masked in (frames, features):
        edges = np.diff(masked.astype(int), axis=1, prepend=0, append=0)
        assert (np.abs(edges).sum(axis=1) <= 2).all()  # one run
        assert masked.any(axis=0).all()  # everywhere
    np.testing.assert_array_equal(values == 0, frames[:, :, None] | features[:, None])


def test_weights_go_with_their_tracks():
    classes = np.array([0, 0, 1])
    tracks = np.repeat(np.arange(1, 4, dtype=np.float32), 10).reshape(3, 10, 1)
    crops = RandomCropBatches(tracks, classes, np.array([1, 2, 3], np.float32), **SETTINGS)
    crops.shuffle(0, 0)
    values, _, weights = epoch_of(crops)
    np.testing.assert_array_equal(values[:, 0, 0], weights)


def test_rows_without_crops_keep_their_shape():
    rows = SegmentBatches(np.zeros((5, 3, 2), np.float32), np.arange(5), None)
    assert rows.row_shape == (3, 2)
    assert len(rows) == 5
    assert len(epoch_of(rows)) == 2


def test_learns_what_loudness_does_not_tell():
    X, y = make_tracks()
    model = small(epochs=4).fit(X, y)
    unseen, truth = make_tracks(seed=1)
    assert (model.predict(unseen) == truth).mean() > 0.9


def test_gain_and_tone_of_a_recording_do_not_count():
    X, y = make_tracks()
    model = small().fit(X, y)
    louder = X + np.array([0, 5, -10, 3, 20])  # decibels: another gain for each band
    np.testing.assert_allclose(model.predict_proba(louder), model.predict_proba(X), atol=1e-4)
    raw = small(center_bands=False).fit(X, y)
    assert not np.allclose(raw.predict_proba(louder), raw.predict_proba(X), atol=1e-4)


def test_values_below_the_floor_are_the_floor():
    X, y = make_tracks()
    X[:, ::3] = -200
    model = small(floor=-60.0).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), model.predict_proba(np.maximum(X, -60.0)))


def test_tracks_may_be_shorter_or_longer_than_in_fit():
    X, y = make_tracks()
    model = small(n_crops=3).fit(X, y)
    assert model.segment_shape_ == (8, 5)
    assert model.predict_segment_proba(np.tile(X, (1, 2, 1))).shape == (24, 3, 2)
    short = X[:, :4]
    repeated = model.predict_proba(np.tile(short, (1, 2, 1)))
    np.testing.assert_allclose(model.predict_proba(short), repeated, atol=1e-6)


def test_weights_that_predict_are_the_moving_average():
    X, y = make_tracks()
    averaged, last = small(averaging=0.9).fit(X, y), small(averaging=0.0).fit(X, y)
    assert averaged.history_ == last.history_  # the training is the same
    a, b = (m.network_.model.get_weights()[0] for m in (averaged, last))
    assert not np.allclose(a, b, atol=1e-6)
    np.testing.assert_allclose(a, b, atol=0.05)


def test_validation_counts_each_track_by_its_crops():
    X, y = make_tracks()
    model = small(validation_fraction=0.25, n_crops=3).fit(X, y)
    assert len(model.history_["val_loss"]) == 2
    assert all(round(v * 18, 4) % 1 == 0 for v in model.history_["val_accuracy"])  # 6 tracks


def test_early_stopping_has_no_average_that_would_replace_the_best_weights():
    X, y = make_tracks()
    model = small(early_stopping=True, n_iter_no_change=2, epochs=12, learning_rate=0.1)
    losses = model.fit(X, y).history_["val_loss"]
    shorter = small(epochs=12, learning_rate=0.1, averaging=0.0, validation_fraction=0.1).fit(X, y)
    np.testing.assert_allclose(shorter.history_["val_loss"][: len(losses)], losses, rtol=1e-4)


def test_learning_rate_warms_up_and_falls_to_zero():
    def rates(n_steps, steps, **params):
        optimizer, _ = small(learning_rate=0.2, **params)._compile(None, n_steps)
        for step in steps:
            optimizer.iterations.assign(step)
            yield float(optimizer.learning_rate)

    np.testing.assert_allclose(
        [*rates(200, (0, 5, 10, 105, 200), warmup_steps=10)], [0, 0.1, 0.2, 0.1, 0], atol=1e-6
    )
    assert next(rates(50, [0], warmup_steps=0)) == pytest.approx(0.2)


def test_adamw_decays_weights():
    X, y = make_tracks()
    params = {"learning_rate": 0.01, "averaging": 0.0}
    loose = small(optimizer_params={"weight_decay": 0.0}, **params).fit(X, y)
    tight = small(optimizer_params={"weight_decay": 1.0}, **params).fit(X, y)
    norms = [np.abs(m.network_.model.get_weights()[0]).mean() for m in (loose, tight)]
    assert norms[1] < norms[0]
