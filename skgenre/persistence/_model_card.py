"""Model cards: what a user of a model should know, as Markdown."""

from __future__ import annotations

import os
from typing import Any

from skgenre.persistence._model_file import describe, opened
from skgenre.persistence._model_info import ModelInfo
from skgenre.utils._records import markdown_table

_LIMITS = (
    "The model knows the genres listed above and no others: any music gets one of them. Genres "
    "are conventions, and tracks of one genre in another collection may sound different. "
    "Accuracy falls on music that differs from the training tracks in period, region, mastering "
    "or file quality."
)
_PROTOCOLS = {
    "artist-grouped": "No artist is in training and in test.",
    "track-random": (
        "Tracks are divided at random. If tracks of one artist are in training and in test, the "
        "figures are too high for artists that the model has not heard."
    ),
    "segment-random": (
        "Segments of one track are in training and in test: the figures are too high."
    ),
}
_UNMEASURED = "Not measured. Evaluate the model with skgenre.evaluate before you rely on it."


def model_card(model: Any, **details: Any) -> str:
    """Write a model card: what a model is, how it was measured, and its limits.

    Parameters
    ----------
    model : str, PathLike, ModelInfo or estimator
        A model file that :func:`save` wrote, what :func:`read_model_info` returns, or a fitted
        model.
    **details : object
        For a fitted model, as in :func:`save`: ``tracks``, ``y``, ``artists``, ``evaluation``
        and ``keep_paths``.

    Returns
    -------
    card : str
        The card in Markdown, with the sections that skops gives its cards.

    See Also
    --------
    save : Writes what is known of a model into its file.

    References
    ----------
    .. [1] M. Mitchell et al., "Model cards for model reporting", FAT* 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import FusionKNeighborsClassifier, evaluate, model_card
    >>> y = np.repeat(["calm", "loud"], 20)
    >>> X = np.random.default_rng(0).normal(size=(40, 3)) + 2 * (y == "loud")[:, np.newaxis]
    >>> model = FusionKNeighborsClassifier()
    >>> result = evaluate(model, (X, y), protocol="track-random", n_folds=2)
    >>> print(model_card(model.fit(X, y), y=y, evaluation=result)[:82])
    # Model description
    <BLANKLINE>
    - model: FusionKNeighborsClassifier
    - made: ...
    """
    if isinstance(model, (str, os.PathLike, ModelInfo)):
        if details:
            raise TypeError(f"{sorted(details)} are in the model file already; leave them out.")
        if isinstance(model, ModelInfo):
            return _render(model)
        with opened(model) as archive:
            return _render(describe(archive))
    return _render(ModelInfo.of(model, **details))


def _render(info: ModelInfo) -> str:
    from skops.card import Card

    card = Card(model=None, template=None)
    facts, _, _ = info.to_markdown().partition("\n\n")
    card.add(**{"Model description": facts})
    card.add(**{"Model description/Limits": _LIMITS})
    if info.evaluation is None:
        card.add(**{"Evaluation": _UNMEASURED})
    else:
        protocol = _PROTOCOLS.get(info.evaluation["protocol"], "")
        card.add(**{"Evaluation": f"{info.metrics_table()}\n\n{protocol}"})
        labels = [str(label) for label in info.evaluation["labels"]]
        counts = [list(map(str, row)) for row in info.evaluation["confusion"]]
        rows = [[label, *row] for label, row in zip(labels, counts, strict=True)]
        table = markdown_table(["true genre", *labels], rows)
        card.add(**{"Evaluation/Confusion matrix": f"Columns: predicted genre.\n\n{table}"})
    for heading, values in (("Parameters", info.parameters), ("Versions", info.environment)):
        columns = {"Name": list(values), "Value": list(values.values())}
        card.add_table(folded=True, **{heading: columns})
    return card.render()
