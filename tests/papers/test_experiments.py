"""The experiments: all cells are systems of the registry, with the figures of the papers."""

from __future__ import annotations

import numpy as np
import pytest

from skgenre import list_experiments
from skgenre.papers import get_experiment, get_system
from skgenre.papers._figures import _F1

CELLS = [(e.name, cell.name) for e in list_experiments() for cell in e.cells]


def _systems(name):
    return {cell.name: get_system(cell.system) for cell in get_experiment(name).cells}


def test_all_experiments_are_listed():
    assert [experiment.name for experiment in list_experiments()] == [
        "hu2022/table1",
        "hu2022/table2",
        "hu2022/table3",
        "hu2022/table4",
        "jain2021/table2",
        "zhang/figure12",
        "bai/table2",
        "kumar2021/reports",
    ]
    assert repr(get_experiment("zhang/figure12")).endswith("seven LSTMs, 1 cell>")
    list_experiments().clear()
    assert list_experiments()


@pytest.mark.parametrize(("experiment", "cell"), CELLS)
def test_each_cell_has_published_figures_and_epochs(experiment, cell):
    system = _systems(experiment)[cell]
    assert any("accuracy" in name for name in system.published)
    assert sum(name.endswith("__epochs") for name in system.load().get_params()) == 1
    assert system.paper == get_experiment(experiment).paper
    assert system.protocol in get_experiment(experiment).protocol


def test_the_cells_are_the_rows_of_the_papers_in_their_order():
    # As printed in the papers.
    table = _systems("hu2022/table1")
    assert [system.published["validation accuracy"] for system in table.values()] == [
        0.5745, 0.6762, 0.7116, 0.7533, 0.7727, 0.7602, 0.6707, 0.7050, 0.7282,
    ]  # fmt: skip
    assert [table[f"cnn-{n}"].published["error"] for n in (10, 20, 30)] == [0.2494, 0.4702, 0.5641]
    activations = {
        "hu2022/table2": [0.5172, 0.5042, 0.2688, 0.5672, 0.5512],
        "hu2022/table3": [0.6647, 0.6120, 0.7207, 0.7427, 0.7167],
        "hu2022/table4": [0.6053, 0.6427, 0.6353, 0.6680, 0.6567],
    }
    for name, figures in activations.items():
        published = [s.published["validation accuracy"] for s in _systems(name).values()]
        assert published == figures
    jain = {name: tuple(s.published.values()) for name, s in _systems("jain2021/table2").items()}
    assert jain == {"mlp": (0.6024, 3.31), "lstm": (0.6795, 1.12), "cnn": (0.7443, 0.88)}
    bai = [system.published for system in _systems("bai/table2").values()]
    assert [p["track accuracy"] for p in bai[:4]] == [0.46, 0.805, 0.96, 0.82]
    assert list(bai[4].values()) == [0.7046]


def test_the_reports_of_kumar_average_as_printed():
    means = {name: np.mean(figures) for name, figures in _F1.items()}
    assert means["kumar2021/image-cnn"] == pytest.approx(0.53, abs=0.006)
    assert means["kumar2021/transfer"] == pytest.approx(0.54, abs=0.006)
    assert set(_F1) == {system.name for system in _systems("kumar2021/reports").values()}


def test_cells_are_chosen_by_name_and_pattern():
    table = get_experiment("hu2022/table1")
    assert len(table.choose(None, quick=False)) == 9
    assert [c.name for c in table.choose(None, quick=True)] == ["mlp-10", "cnn-10", "lstm-10"]
    assert [c.name for c in table.choose("*-30", quick=True)] == ["mlp-30", "cnn-30", "lstm-30"]
    assert [c.name for c in table.choose(["lstm-10", "mlp-10"], quick=False)] == [
        "mlp-10",
        "lstm-10",
    ]
    for experiment in list_experiments():
        assert 1 <= len(experiment.choose(None, quick=True)) <= 3


def test_unknown_names_list_the_known_ones():
    with pytest.raises(
        ValueError, match=r"'hu2022' is no experiment; choose from hu2022-t.*kumar2021"
    ):
        get_experiment("hu2022")
    with pytest.raises(ValueError, match="kumar2021 has no cell 'vgg'; choose from image-cnn, tra"):
        get_experiment("kumar2021/reports").choose(["image-cnn", "vgg"], quick=False)
    with pytest.raises(ValueError, match="has no cell of no name"):
        get_experiment("kumar2021/reports").choose([], quick=False)
