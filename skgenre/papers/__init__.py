"""Every system of the five papers as a ready pipeline, and their experiments run again.

``python -m skgenre.papers`` prints docs/papers.md, the list of all systems.
"""

from __future__ import annotations

from typing import Any

from skgenre.papers import _bai, _hu2022, _jain2021, _kumar2021, _zhang
from skgenre.papers._experiments import Cell, Experiment
from skgenre.papers._plans import get_experiment, list_experiments
from skgenre.papers._registry import PaperSystem, get_system, list_systems, load_system
from skgenre.papers._report import ReproductionResult
from skgenre.papers._report_folder import check_report_folder
from skgenre.papers._reproduce import reproduce

__all__ = [
    "Cell",
    "Experiment",
    "PaperSystem",
    "ReproductionResult",
    "check_report_folder",
    "get_experiment",
    "get_system",
    "list_experiments",
    "list_systems",
    "load_grid",
    "load_system",
    "reproduce",
]

for _module in (_hu2022, _kumar2021, _jain2021, _zhang, _bai):
    _module.register_all()


def load_grid(name: str) -> tuple[Any, dict[str, list[Any]]]:
    """Return a table of hu2022 as a pipeline and a parameter grid.

    Parameters
    ----------
    name : str
        The experiment, and the network if it has several: "hu2022/table1/mlp", "/cnn" or
        "/lstm" for the numbers of segments; "hu2022/table2" (MLP), "hu2022/table3" (CNN) or
        "hu2022/table4" (LSTM) for the activations; "hu2022/epochs/mlp", "/cnn" or "/lstm".

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Unfitted, with the table's epochs.
    grid : dict of str to list
        For ``GridSearchCV``.

    Raises
    ------
    ValueError
        If there is no such table.

    Examples
    --------
    >>> from skgenre.papers import load_grid
    >>> pipeline, grid = load_grid("hu2022/table3")
    >>> grid
    {'classifier__activation': ['sigmoid', 'tanh', 'relu', 'leaky_relu', 'elu']}
    """
    tables = _hu2022.grids()
    if name not in tables:
        raise ValueError(f"name={name!r} is no table; choose from {', '.join(tables)}.")
    system, grid, fixed = tables[name]
    return load_system(system).set_params(**fixed), {k: list(v) for k, v in grid.items()}
