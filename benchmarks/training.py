"""Training in mini-batches of 32, against Keras' own fit of the same network.

``python -m benchmarks.training [--short]``

The time of an epoch is the difference between a long and a short fit, which excludes tracing.
Other rows have whole fits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks._measure import Comparison, Row, interleaved, run_alone


def make_data(n_tracks: int) -> tuple[np.ndarray, np.ndarray]:
    """Make tracks of 10 segments whose mean depends on the genre."""
    rng = np.random.default_rng(0)
    y = np.arange(n_tracks) % 10
    X = rng.normal(size=(n_tracks, 10, 130, 13)) + rng.normal(size=(10, 13))[y][:, None, None]
    return X.astype(np.float32), y


def fit_ours(X: np.ndarray, y: np.ndarray, epochs: int, kind: str = "mlp") -> list[float]:
    from skgenre import LSTMGenreClassifier, MLPGenreClassifier

    kinds: dict[str, Any] = {"mlp": MLPGenreClassifier, "lstm": LSTMGenreClassifier}
    return kinds[kind](epochs=epochs, random_state=0).fit(X, y).history_["loss"]


def fit_keras(X: np.ndarray, y: np.ndarray, epochs: int, kind: str = "mlp") -> list[float]:
    import keras

    from skgenre.networks import build_mlp

    if kind == "mlp":
        model = build_mlp(X.shape[2:], 10, seed=0)
    else:
        model = keras.Sequential(
            [
                keras.Input(X.shape[2:]),
                keras.layers.LSTM(64, return_sequences=True),
                keras.layers.LSTM(64),
                keras.layers.Dense(64),
                keras.layers.LeakyReLU(negative_slope=0.05),
                keras.layers.Dropout(0.3),
                keras.layers.Dense(10, activation="softmax"),
            ]
        )
    model.compile(
        optimizer=keras.optimizers.Adam(1e-4),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    segments, codes = X.reshape(-1, *X.shape[2:]), np.repeat(y, X.shape[1])
    history = model.fit(segments, codes, batch_size=32, epochs=epochs, shuffle=True, verbose=0)
    return history.history["loss"]


def compare(
    X: np.ndarray, y: np.ndarray, epochs: int, rounds: int, kind: str = "mlp"
) -> Comparison:
    return interleaved(
        lambda: fit_ours(X, y, epochs, kind), lambda: fit_keras(X, y, epochs, kind), rounds
    )


def training(short: bool) -> list[Row]:
    n_tracks, short_fit, long_fit, rounds = (12, 1, 3, 1) if short else (300, 2, 20, 5)
    X, y = make_data(n_tracks)
    few = 30
    ours, theirs = (np.array(fit(*make_data(few), 10)) for fit in (fit_ours, fit_keras))
    if not (ours[-1] < ours[0] / 5 and abs(ours[-1] - theirs[-1]) < 0.05 * theirs[0]):
        raise SystemExit(f"the loss falls to {ours[-1]:.3f}, with Keras' fit to {theirs[-1]:.3f}")
    brief, whole = (compare(X, y, epochs, rounds) for epochs in (short_fit, long_fit))
    epoch = Comparison(
        *(
            (np.subtract(many, few) / (long_fit - short_fit)).tolist()
            for many, few in ((whole.ours, brief.ours), (whole.theirs, brief.theirs))
        )
    )
    network = f"MLP, {10 * n_tracks} segments of 130 x 13, batches of 32"
    against = "keras model.fit"
    rows = [
        epoch.row(f"training epoch, {network}", against, "at least 1.5, aim 2.5"),
        whole.row(f"fit of {long_fit} epochs, {network}", against),
    ]
    if not short:
        small = compare(*make_data(few), 10, rounds)
        rows.append(small.row(f"fit of 10 epochs, {10 * few} segments", against))
    X, y = X[: n_tracks // 3], y[: n_tracks // 3]
    recurrent = compare(X, y, long_fit // 4 + 1, min(rounds, 3), "lstm")
    rows.append(
        recurrent.row(
            f"fit of {long_fit // 4 + 1} epochs, LSTM 64-64, {10 * len(X)} segments of 130 x 13",
            against,
        )
    )
    return rows


if __name__ == "__main__":
    run_alone(training, __doc__)
