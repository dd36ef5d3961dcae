"""How often the interval of the calibration error covers the true error, on simulated predictions.

``python -m benchmarks.calibration_interval`` prints, for several kinds of models, the coverage of
the 95 % interval of ``evaluate``, of the percentile interval in its place, and their mean widths.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm

from skgenre.evaluation._metrics import (
    bootstrap_weights,
    calibration_estimate,
    interval,
    weighted_metrics,
)

# From the logit of a confidence to that of the probability of being right.
MODELS = {
    "calibrated": lambda x: x,
    "slightly overconfident": lambda x: 0.85 * x,
    "overconfident": lambda x: 0.5 * x,
    "underconfident": lambda x: 1.6 * x,
    "mixed": lambda x: x + np.sin(6 * x),
}
SIZES = ((60, 1), (200, 1), (200, 5), (1000, 5))  # tracks, and tracks of an artist
N_REPEATS, N_BOOTSTRAP = 300, 300


def draw(
    model: str, n_tracks: int, n_of_artist: int, rng: np.random.Generator
) -> tuple[NDArray[np.int_], NDArray[np.float64], NDArray[np.int_]]:
    """Draw classes, probabilities of two classes, and artists, whose tracks are alike."""
    artists = np.arange(n_tracks) // n_of_artist
    confidence = 0.5 + 0.5 * rng.beta(2, 1.5, size=n_tracks)
    shared = 0.3 if n_of_artist > 1 else 0.0
    luck = np.sqrt(shared) * rng.normal(size=n_tracks)[artists]
    luck += np.sqrt(1 - shared) * rng.normal(size=n_tracks)
    right = norm.cdf(luck) < expit(MODELS[model](logit(confidence)))
    return (~right).astype(int), np.stack([confidence, 1 - confidence], axis=1), artists


def error(
    codes: NDArray[np.int_], proba: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    return weighted_metrics(codes, np.zeros_like(codes), proba, None, weights)["calibration_error"]


def main() -> None:
    print("| model | true error | tracks | per artist | covered | width | percentile | width |")
    print("|---|---|---|---|---|---|---|---|")
    for model in MODELS:
        many = 1_000_000
        codes, proba, _ = draw(model, many, 1, np.random.default_rng(99))
        truth = 0.0 if model == "calibrated" else float(error(codes, proba, np.ones((1, many)))[0])
        for n_tracks, n_of_artist in SIZES:
            rng = np.random.default_rng(1)
            ends = []
            for seed in range(N_REPEATS):
                codes, proba, artists = draw(model, n_tracks, n_of_artist, rng)
                weights = bootstrap_weights(artists, N_BOOTSTRAP, seed)
                ours = calibration_estimate(codes, proba, weights)
                ends.append([ours["low"], ours["high"], *interval(error(codes, proba, weights))])
            low, high = np.array(ends)[:, ::2], np.array(ends)[:, 1::2]
            covered = ((low <= truth) & (truth <= high)).mean(axis=0)
            width = (high - low).mean(axis=0)
            print(
                f"| {model} | {truth:.3f} | {n_tracks} | {n_of_artist} | {covered[0]:.3f} | "
                f"{width[0]:.3f} | {covered[1]:.3f} | {width[1]:.3f} |"
            )


if __name__ == "__main__":
    main()
