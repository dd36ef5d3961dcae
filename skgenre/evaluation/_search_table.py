"""A table of a search, as papers print it: one parameter down, another across."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from skgenre.utils._records import TableRecord, import_pandas, markdown_table
from skgenre.utils._search_results import collect, value_labels


@dataclass(frozen=True, repr=False)
class SearchTable(TableRecord):
    """The result of :func:`skgenre.evaluation.search_table`.

    Attributes
    ----------
    parameter : str
        Name of the parameter whose values have a row each.
    rows : list of str
        Its values.
    columns : list of str
        Values of the other parameter, or names of metrics, or both.
    metrics : list of str
        The metric of each column.
    mean, std : list of list of (float or None)
        Mean and standard deviation over the folds, by row and column. None where the search has
        no such candidate, or one of its folds failed.
    """

    _format: ClassVar[str] = "skgenre-search-table-1"

    parameter: str
    rows: list[str]
    columns: list[str]
    metrics: list[str]
    mean: list[list[float | None]]
    std: list[list[float | None]]

    def to_markdown(self) -> str:
        """Return the table in Markdown.

        Returns
        -------
        table : str
            Cells are "mean ± standard deviation"; the highest mean of each metric is bold.
        """
        return markdown_table(*self._cells())

    def to_frame(self) -> Any:
        """Return the means as a table.

        Returns
        -------
        table : pandas.DataFrame
            A row for each of ``rows``; NaN for None.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pandas = import_pandas()
        index = pandas.Index(self.rows, name=self.parameter)
        return pandas.DataFrame(self.mean, index=index, columns=self.columns, dtype=float)

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        best = {
            metric: max(
                (
                    mean
                    for means in self.mean
                    for mean, own in zip(means, self.metrics, strict=True)
                    if own == metric and mean is not None
                ),
                default=None,
            )
            for metric in self.metrics
        }
        rows = []
        for name, means, stds in zip(self.rows, self.mean, self.std, strict=True):
            cells = []
            for mean, std, metric in zip(means, stds, self.metrics, strict=True):
                cell = "" if mean is None else f"{mean:.3f} \u00b1 {std:.3f}"
                cells.append(f"**{cell}**" if cell and mean == best[metric] else cell)
            rows.append([name, *cells])
        return [self.parameter, *self.columns], rows


def search_table(
    search: Any,
    rows: str,
    columns: str | None = None,
    *,
    metrics: Sequence[str] | None = None,
    fixed: Mapping[str, Any] | None = None,
) -> SearchTable:
    """Lay out the results of a search as a table for a paper.

    Parameters
    ----------
    search : search or dict
        A fitted search, such as GridSearchCV, or its ``cv_results_``.
    rows : str
        The parameter whose values have a row each: its name in the search, or the end of it, such
        as "n_segments" for "features__segmenter__n_segments".
    columns : str or None, default=None
        The parameter whose values have a column each; None has a column for each metric alone.
    metrics : sequence of str or None, default=None
        Names of the scorers; None means all. A search with one scorer calls it "score".
    fixed : dict of str to object or None, default=None
        Values of further parameters; other candidates are left out.

    Returns
    -------
    table : SearchTable
        With ``to_markdown``, ``to_latex``, ``to_frame`` and ``save``.

    Raises
    ------
    ValueError
        If a parameter or metric is not in the results, or a cell would stand for several
        candidates.

    Warns
    -----
    UserWarning
        If candidates have folds without a score: their cells are empty.

    See Also
    --------
    skgenre.SearchCurveDisplay : The same results as curves.

    Examples
    --------
    >>> from sklearn.model_selection import ParameterGrid
    >>> from skgenre.evaluation import search_table
    >>> grid = {"cnn__activation": ["relu", "tanh"], "segmenter__n_segments": [10, 20]}
    >>> cv_results = {
    ...     "params": list(ParameterGrid(grid)),
    ...     "split0_test_score": [0.5, 0.6, 0.7, 0.6],
    ...     "split1_test_score": [0.7, 0.8, 0.7, 0.6],
    ... }
    >>> print(search_table(cv_results, "n_segments", "activation").to_markdown())
    | n_segments | relu | tanh |
    | --- | ---: | ---: |
    | 10 | 0.600 ± 0.100 | **0.700 ± 0.000** |
    | 20 | **0.700 ± 0.100** | 0.600 ± 0.000 |
    """
    cv_results = getattr(search, "cv_results_", search)
    if not isinstance(cv_results, Mapping):
        raise TypeError(
            f"search is a {type(search).__name__} without cv_results_; expected a fitted search, "
            "such as GridSearchCV, or its cv_results_."
        )
    values, scores, (name, _) = collect(cv_results, rows, columns, metrics, fixed or {})
    keys = list(scores)
    names = list(dict.fromkeys(metric for metric, _ in keys))
    hues = list(dict.fromkeys(hue for _, hue in keys))
    labels = dict(zip(hues, value_labels(hues), strict=True))

    def title(metric: str, hue: Any) -> str:
        parts = [] if columns is None else [labels[hue]]
        return ", ".join(parts + [metric.replace("_", " ")] * (len(names) > 1 or not parts))

    folds = np.stack(list(scores.values()), axis=1)  # (n_values, n_columns, n_folds)
    return SearchTable(
        parameter=name.rpartition("__")[2],
        rows=value_labels(values),
        columns=[title(*key) for key in keys],
        metrics=[metric for metric, _ in keys],
        mean=_known(folds.mean(axis=2)),
        std=_known(folds.std(axis=2)),
    )


def _known(values: Any) -> list[list[float | None]]:
    return [[None if np.isnan(value) else value for value in row] for row in values.tolist()]
