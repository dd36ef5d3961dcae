"""What estimators that run a network of given weights have in common."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from skgenre.embeddings._musicnn_weights import KNOWN, Weights
from skgenre.embeddings._weights_files import load_weights


class WeightsHolder:
    """Mixin of estimators with a parameter ``weights``, which hold on to those of ``fit``.

    They keep the SHA-256 of the weights, by which others are refused later, and what must be known
    where the file is not there: the terms, and what the columns are called. Pickles and copies hold
    on to the weights too.
    """

    weights: str | os.PathLike[str]
    weights_sha256_: str
    _terms: str
    _layers: tuple[int, int, tuple[str, ...]]

    def _hold_weights(self) -> None:
        """Hold on to the weights that are there now, instead of those that were held."""
        vars(self).update(_what_is_held(load_weights(self.weights)))

    def _held_weights(self) -> Weights:
        """Return the weights; others than those that are held are refused."""
        return load_weights(self.weights, getattr(self, "weights_sha256_", None))

    def _layer_sizes(self) -> tuple[int, int, tuple[str, ...]]:
        """Return the numbers of filters and of units, and the tags."""
        if hasattr(self, "_layers"):
            return self._layers
        if isinstance(self.weights, str) and self.weights in KNOWN:
            return 64, 200, KNOWN[self.weights].tags
        return _layers(self._held_weights())

    def _content_key(self) -> dict[str, str]:
        """Return what stands for the weights in keys of caches: their content, not their path."""
        with suppress(OSError, ValueError):  # transform raises the error
            sha256 = self._held_weights().sha256
            return {"weights": sha256, "weights_sha256_": sha256}
        return {}

    def _pretrained_terms(self) -> str:
        """Return licence and training data of the weights, for model files."""
        if hasattr(self, "_terms"):
            return self._terms
        if isinstance(self.weights, str) and self.weights in KNOWN:
            return KNOWN[self.weights].terms
        return self._held_weights().terms

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__().copy()  # type: ignore[attr-defined]  # of the estimator
        if "weights_sha256_" not in state:
            with suppress(OSError, ValueError):
                state |= _what_is_held(load_weights(self.weights))
        return state


def _what_is_held(weights: Weights) -> dict[str, Any]:
    return {
        "weights_sha256_": weights.sha256,
        "_terms": weights.terms,
        "_layers": _layers(weights),
    }


def _layers(weights: Weights) -> tuple[int, int, tuple[str, ...]]:
    return weights.tensors["conv2d_5/bias"].size, weights.tensors["dense/bias"].size, weights.tags
