"""Steps and classifiers that the workers of a test cluster import from here."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin


class LoggingStep(TransformerMixin, BaseEstimator):
    """Writes each track that it transforms, and each time that it is unpickled, into a folder.

    ``killer`` is a track that kills the process, ``n_kills`` times.
    """

    stateless = True

    def __init__(self, folder, killer=None, n_kills=0):
        self.folder, self.killer, self.n_kills = folder, killer, n_kills

    def __setstate__(self, state):
        super().__setstate__(state)
        self._log("loads", os.getpid())

    def _log(self, name, value):
        with open(Path(self.folder) / name, "a") as stream:
            stream.write(f"{value}\n")

    def read(self, name):
        path = Path(self.folder) / name
        return path.read_text().split() if path.exists() else []

    def transform(self, X):
        for track in X:
            if track == self.killer and len(self.read("kills")) < self.n_kills:
                self._log("kills", track)
                os.kill(os.getpid(), signal.SIGKILL)
            self._log("tracks", track)
        return np.array([[float(track)] for track in X])


class KillingClassifier(ClassifierMixin, BaseEstimator):
    """Kills the process that predicts a file whose name begins with "killer"."""

    classes_ = np.array(["dub", "swing"])

    def predict_proba(self, X):
        for path in X:
            if Path(path).name.startswith("killer"):
                os.kill(os.getpid(), signal.SIGKILL)
        return np.array([[0.75, 0.25]] * len(X))
