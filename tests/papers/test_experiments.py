"""The experiments: all cells are systems of the registry, with the figures of the papers."""

from __future__ import annotations

import numpy as np
import pytest

from skgenre import list_experiments
from skgenre.papers import get_experiment, get_system
from skgenre.papers._figures import _F1

# The cells of the others have no figure in the paper, or not all of them do.
WITH_FIGURES = (
    *(f"hu2022/table{n}" for n in (1, 2, 3, 4)),
    "jain2021/table2",
    "zhang/figure12",
    "bai/table2",
    "kumar2021/reports",
)
CELLS = [(e.name, cell.name) for e in list_experiments() for cell in e.cells]


def _systems(name):
    return {cell.name: get_system(cell.system) for cell in get_experiment(name).cells}


def test_all_experiments_are_listed():
    assert [experiment.name for experiment in list_experiments()] == [
        "hu2022/table1",
        "hu2022/table2",
        "hu2022/table3",
        "hu2022/table4",
        "hu2022/layers",
        "hu2022/neurons",
        "hu2022/epochs",
        "hu2022/variants",
        "jain2021/table2",
        "zhang/figure12",
        "zhang/section4",
        "zhang/table5-1",
        "zhang/figure10",
        "zhang/crnn",
        "zhang/fusion",
        "bai/table2",
        "bai/votes",
        "bai/networks",
        "kumar2021/reports",
        "kumar2021/mfcc",
    ]
    assert repr(get_experiment("zhang/figure12")).endswith("seven LSTMs, 1 cell>")
    list_experiments().clear()
    assert list_experiments()


@pytest.mark.parametrize(("experiment", "cell"), CELLS)
def test_each_cell_is_a_system_of_the_paper(experiment, cell):
    system = _systems(experiment)[cell]
    published = any("accuracy" in name for name in system.published)
    assert published or experiment not in WITH_FIGURES or cell == "transfer-random"
    n_epochs = sum(name.endswith("__epochs") for name in system.load().get_params())
    assert n_epochs == (0 if experiment == "zhang/fusion" else 1)
    assert system.paper == get_experiment(experiment).paper
    assert system.protocol in get_experiment(experiment).protocol
    assert system.name.partition("/")[0] == experiment.partition("/")[0]


def test_the_dimensions_of_hu_differ_in_one_thing():
    params = {
        name: {cell: s.load()["classifier"].get_params() for cell, s in _systems(name).items()}
        for name in ("hu2022/layers", "hu2022/neurons", "hu2022/epochs")
    }
    layers, neurons, epochs = params.values()
    assert layers["mlp-2"]["units"] == (512, 256)
    assert layers["cnn-2"]["kernel_sizes"] == (3, 3)
    assert layers["lstm-1"]["lstm_units"] == (64,)
    assert neurons["mlp-1024"]["units"] == (1024, 512, 256)
    assert neurons["lstm-32"]["lstm_units"] == (32, 32)
    assert [epochs[f"cnn-{n}"]["epochs"] for n in (25, 50, 100)] == [25, 50, 100]
    # The middle one is the network of the tables.
    usual = {kind: get_system(f"hu2022/{kind}").load()["classifier"] for kind in ("mlp", "lstm")}
    for kind, model in usual.items():
        wanted = {**model.get_params(), "epochs": 50}
        middle = {"mlp": ("mlp-3", "mlp-512"), "lstm": ("lstm-2", "lstm-64")}[kind]
        for cell, found in zip(middle, (layers, neurons), strict=True):
            differing = {key for key in wanted if str(found[cell][key]) != str(wanted[key])}
            assert differing <= {"units", "lstm_units"}
            assert all(tuple(found[cell][key]) == tuple(wanted[key]) for key in differing)


def test_the_variants_of_zhang():
    cells = {cell.name: cell for cell in get_experiment("zhang/figure10").cells}
    assert (cells["ten-fold"].split.unit, cells["ten-fold"].split.n_folds) == ("track", 10)
    split = cells["split-811"].split
    network = get_system(cells["split-811"].system).load()["classifier"]
    assert (split.train * (1 - network.validation_fraction), split.test) == pytest.approx(
        (0.8, 0.1)
    )
    slow = get_system("zhang/figure10/16khz").load()
    assert slow.get_params()["features__loader__sampling_rate"] == 16000
    assert get_system("zhang/figure10/rate-1e-5").load()["classifier"].learning_rate == 1e-5
    tree = get_system("zhang/hierarchy").load()["classifier"]
    epochs = {path: params["epochs"] for path, params in tree.node_params.items()}
    assert list(epochs.values()) == [35, 20, 35, 40, 20, 20, 40]
    assert len(get_experiment("zhang/table5-1").genres) == 6


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
    systems = {system.name for system in _systems("kumar2021/reports").values()}
    assert set(_F1) == systems - {"kumar2021/transfer-random"}


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
        assert 1 <= len(experiment.choose(None, quick=True)) <= 3, experiment


def test_unknown_names_list_the_known_ones():
    with pytest.raises(
        ValueError,
        match=r"'hu2022' is no experiment; did you mean .*choose from hu2022/t.*kumar",
    ):
        get_experiment("hu2022")
    with pytest.raises(
        ValueError, match="kumar2021/reports has no cell 'vgg'; choose from image-cnn, tra"
    ):
        get_experiment("kumar2021/reports").choose(["image-cnn", "vgg"], quick=False)
    with pytest.raises(ValueError, match="has no cell of no name"):
        get_experiment("kumar2021/reports").choose([], quick=False)
