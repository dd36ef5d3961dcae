"""From the probabilities of a track to an answer: a genre, several, or none."""

from __future__ import annotations

from typing import Any

import numpy as np

_ROUNDING = 1e-9  # a sum of all probabilities may come out just below 1
_DIGITS = 6


def genre_record(
    proba: Any,
    classes: Any,
    *,
    top: int | None = None,
    min_confidence: float = 0.0,
    max_genres: int = 1,
    set_probability: float = 0.9,
    no_sound: str | None = None,
    rejected: str | None = None,
) -> dict[str, Any]:
    """Describe the answer for one track.

    Parameters
    ----------
    proba : array-like of shape (n_classes,)
        Probability of each genre.
    classes : array-like of shape (n_classes,)
        The genres; the record has their text.
    top : int or None, default=None
        Number of genres whose probabilities are in the record, the most probable first; None
        means all.
    min_confidence : float, default=0.0
        Where no genre is as probable as this, the status is "unknown" and there is no genre.
    max_genres : int, default=1
        Most genres in ``genres``: the most probable ones, until together they are as probable as
        ``set_probability``.
    set_probability : float, default=0.9
        Probability that the genres of a track should have together.
    no_sound : str or None, default=None
        Why nothing can be predicted from the track; None if it has sound.
    rejected : str or None, default=None
        Why the model rejects the track, which is then "unknown"; None if it does not.

    Returns
    -------
    record : dict
        ``status``: "ok", "unknown" or "no sound"; ``genre``, the most probable one, or None;
        ``genres``, a list; ``probabilities``, a dict; ``reason`` for a missing genre, or None.
    """
    record: dict[str, Any] = {"status": "ok", "genre": None, "genres": [], "probabilities": {}}
    if no_sound is not None:
        return {**record, "status": "no sound", "reason": no_sound}
    proba = np.asarray(proba, dtype=float)
    order = (-proba).argsort(kind="stable")
    names = [str(classes[i]) for i in order]
    record["probabilities"] = {
        name: round(float(proba[i]), _DIGITS) for name, i in zip(names[:top], order, strict=False)
    }
    if rejected is not None:
        return {**record, "status": "unknown", "reason": rejected}
    best = float(proba[order[0]])
    if best < min_confidence:
        reason = f"{names[0]} has {best:.3f}, less than min_confidence={min_confidence:g}"
        return {**record, "status": "unknown", "reason": reason}
    enough = np.cumsum(proba[order]) >= set_probability - _ROUNDING
    n_genres = int(enough.argmax()) + 1 if enough.any() else len(names)
    return {
        **record,
        "genre": names[0],
        "genres": names[: min(n_genres, max_genres)],
        "reason": None,
    }
