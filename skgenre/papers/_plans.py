"""The experiments of the papers."""

from __future__ import annotations

from difflib import get_close_matches

from skgenre.papers._experiments import Cell, Experiment, PaperSplit
from skgenre.papers._hu2022 import DIMENSIONS

_HU = PaperSplit("segment", 0.60, 0.15, 3)
_HU_TABLE_1 = PaperSplit("segment", 0.60, 0.15, 3, scores_training=True)
_JAIN = PaperSplit("segment", 0.30, 0.70)
_KUMAR = PaperSplit("track", 0.60, 0.40)
_BAI = PaperSplit(
    "segment", note="The paper does not say which share of the segments it tested on."
)
_BAI_WHOLE = PaperSplit(
    "track", note="The paper does not say which share of the tracks it tested on."
)
_BAI_TRACKS = PaperSplit(
    "track",
    scores_training=True,
    note="The paper does not say whose segments vote: those of the tracks tested on, or those of "
    "the tracks trained on.",
)
_ZHANG = PaperSplit("track", note="The paper does not name the test tracks of figure 12.")
_ZHANG_TEN = PaperSplit("track", n_folds=10)
# A ninth of the nine tenths is the validation part, of early stopping.
_ZHANG_811 = PaperSplit("track", 0.90, 0.10)
_ZHANG_600 = PaperSplit(
    "track",
    0.70,
    0.10,
    note="420 of 600 tracks to train on and 60 to test on, as shares; the 120 for validation are "
    "in neither.",
)
_OPEN = PaperSplit("track", note="The paper does not say how it divided the data.")
_HU_TRACKS = PaperSplit(
    "track",
    0.60,
    0.15,
    3,
    note="The augmented CNN is divided by track: copies of a segment stay on its side.",
)

_NETWORKS = ("mlp", "cnn", "lstm")
_ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "elu")
_QUARTER = (
    "A quarter of the segments is set aside as in the paper, for neither training nor scoring: "
    "the figures are of the validation part."
)
_ERROR = "Error is the cross-entropy of segments; under the honest protocol it is not measured."


def _activations(table: int, network: str) -> Experiment:
    cells = [
        Cell(f"{network}-{name}", f"hu2022/table{table}/{network}-{name}", _HU, "validation", quick)
        for name, quick in zip(_ACTIVATIONS, (True, False, True, False, False), strict=True)
    ]
    title = f"Activations of the {network.upper()}"
    return Experiment(f"hu2022/table{table}", title, tuple(cells), (_QUARTER,))


def _dimension(name: str, title: str, *notes: str) -> Experiment:
    cells = [
        Cell(cell, f"hu2022/{name}/{cell}", _HU, "validation", cell.startswith("mlp"))
        for cell in DIMENSIONS[name]
    ]
    unpublished = (
        "The text names this dimension without values or figures: the values are those around the "
        "usual ones, and there is no figure of the paper to compare with."
    )
    return Experiment(f"hu2022/{name}", title, tuple(cells), (unpublished, *notes, _QUARTER))


_EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "hu2022/table1",
        "Numbers of segments",
        tuple(
            Cell(f"{network}-{n}", f"hu2022/table1/{network}-{n}", _HU_TABLE_1, "table1", n == 10)
            for network in _NETWORKS
            for n in (10, 20, 30)
        ),
        (
            _QUARTER,
            "Accuracy and error are of the training segments, as in the paper's text; here without "
            "dropout, after the last epoch.",
            _ERROR,
        ),
    ),
    _activations(2, "mlp"),
    _activations(3, "cnn"),
    _activations(4, "lstm"),
    _dimension("layers", "Numbers of layers"),
    _dimension("neurons", "Numbers of neurons", "In a CNN, of filters."),
    _dimension("epochs", "Numbers of epochs", "If epochs are given, all cells train equally long."),
    Experiment(
        "hu2022/variants",
        "The listing's MLP, differences of MFCC, augmentation",
        (
            *(
                Cell(name, f"hu2022/{name}", _HU, "validation", name == "mlp-listing")
                for name in ("mlp-listing", "cnn-deltas")
            ),
            Cell("cnn-augmented", "hu2022/cnn-augmented", _HU_TRACKS, "tracks", quick=False),
        ),
        ("The paper describes these without figures.", _QUARTER),
    ),
    Experiment(
        "jain2021/table2",
        "MLP, LSTM and CNN",
        tuple(Cell(name, f"jain2021/{name}", _JAIN, "test") for name in ("mlp", "lstm", "cnn")),
        (
            "The paper calls its error a root mean square, which cannot be 3.31 of probabilities: "
            "here it is the cross-entropy of segments. Under the honest protocol it is not "
            "measured.",
        ),
    ),
    Experiment(
        "zhang/figure12",
        "The hierarchy of seven LSTMs",
        (Cell("hierarchy", "zhang/hierarchy", _ZHANG, "nodes"),),
        (
            "The accuracy of an LSTM is that of its own decisions on the tracks whose genre lies "
            "below it; the track accuracy is that of all seven together.",
        ),
    ),
    Experiment(
        "zhang/section4",
        "The LSTM 13-128-32",
        (Cell("lstm", "zhang/lstm", _ZHANG_600, "tracks"),),
        ("The paper gives an accuracy of about 0.5 to 0.6, and does not say of what.",),
    ),
    Experiment(
        "zhang/table5-1",
        "The LSTM 13-128-32 with sigmoid units, on six genres",
        (Cell("lstm-sigmoid", "zhang/lstm-sigmoid", _ZHANG_600, "tracks"),),
        ("The paper gives no figure.",),
        ("blues", "country", "disco", "jazz", "reggae", "rock"),
    ),
    Experiment(
        "zhang/figure10",
        "Three LSTMs: ten folds, 8:1:1, the other learning rate, 16 kHz",
        (
            Cell("ten-fold", "zhang/three-lstms", _ZHANG_TEN, "tracks"),
            Cell("split-811", "zhang/three-lstms", _ZHANG_811, "tracks"),
            *(
                Cell(name, f"zhang/figure10/{name}", _ZHANG_TEN, "tracks", quick=False)
                for name in ("rate-1e-5", "16khz")
            ),
        ),
        ("The paper gives no figure.",),
    ),
    Experiment(
        "zhang/crnn",
        "The CRNN on spectrograms",
        (Cell("crnn", "zhang/crnn", _OPEN, "tracks"),),
        ("The paper gives no figure.",),
    ),
    Experiment(
        "zhang/fusion",
        "Four feature sets, fused by distances and by votes",
        tuple(
            Cell(name, f"zhang/fusion-{name}", _OPEN, "tracks") for name in ("distances", "votes")
        ),
        ("The paper gives no figure.",),
    ),
    Experiment(
        "bai/table2",
        "Votes with a threshold",
        (
            *(
                Cell(row, f"bai/table2/{row}", _BAI, "votes", row == "500-5")
                for row in ("500-5", "4000-5", "10000-5", "10000-7")
            ),
            Cell("whole-track", "bai/whole-track", _BAI_WHOLE, "whole", quick=False),
        ),
        (
            "A cell is named by iterations and threshold. A track counts as right if its genre "
            "wins with at least that many votes; a rejected one is wrong.",
            "If epochs are given, all cells train equally long, whatever their iterations.",
        ),
    ),
    Experiment(
        "bai/votes",
        "Votes of the segments of test tracks, and of training tracks",
        (
            *(
                Cell(row, f"bai/table2/{row}", _BAI_TRACKS, "scopes", row == "500-5")
                for row in ("500-5", "4000-5", "10000-5", "10000-7")
            ),
            Cell("half", "bai/votes/half", _BAI_TRACKS, "scopes", quick=False),
        ),
        (
            "Tracks are divided, not segments. The votes of test tracks are those of new tracks, "
            "those of training tracks of tracks that the network was trained on; in bai/table2 a "
            "track has segments on both sides.",
            "If epochs are given, all cells train equally long, whatever their iterations.",
        ),
    ),
    Experiment(
        "bai/networks",
        "The LSTM, the two CNN and the RCNN, by segment",
        tuple(
            Cell(name, f"bai/{name}", _BAI, "test", name == "simple-cnn")
            for name in ("lstm", "simple-cnn", "complex-cnn", "rcnn")
        ),
        ("The paper calls the simple CNN poor, without a figure, and gives no error.",),
    ),
    Experiment(
        "kumar2021/reports",
        "The two reports: a CNN on images, and transfer learning",
        (
            Cell("image-cnn", "kumar2021/image-cnn", _KUMAR, "report"),
            Cell("transfer", "kumar2021/transfer", _KUMAR, "report", quick=False),
            Cell("transfer-random", "kumar2021/transfer-random", _KUMAR, "report", quick=False),
        ),
        ("Precision, recall, F1 and support of each genre are in `reports` of the JSON file.",),
    ),
    Experiment(
        "kumar2021/mfcc",
        "The dense network and the LSTM on MFCC",
        tuple(
            Cell(name, f"kumar2021/{name}", _KUMAR, "tracks", name == "ann")
            for name in ("ann", "lstm")
        ),
        (
            "The paper does not say how it divided the data: as for its images. It does not say "
            "either whether 0.5907 is of segments or of tracks; it stands beside the segments.",
        ),
    ),
)


def list_experiments() -> list[Experiment]:
    """List the experiments that :func:`reproduce` runs.

    Returns
    -------
    experiments : list of skgenre.papers.Experiment
        Each with its ``name``, ``title``, ``paper``, ``protocol``, ``cells`` and ``notes``.

    Examples
    --------
    >>> from skgenre import list_experiments
    >>> [experiment.name for experiment in list_experiments()][:2]
    ['hu2022/table1', 'hu2022/table2']
    """
    return list(_EXPERIMENTS)


def get_experiment(name: str) -> Experiment:
    """Return an experiment by its name.

    Parameters
    ----------
    name : str
        Such as "hu2022/table1".

    Returns
    -------
    experiment : Experiment
        The experiment.

    Raises
    ------
    ValueError
        If there is none of that name; the message lists all.

    Examples
    --------
    >>> from skgenre.papers import get_experiment
    >>> get_experiment("kumar2021/reports")
    <Experiment kumar2021/reports: The two reports: a CNN on images, and transfer learning, 3 cells>
    """
    for experiment in _EXPERIMENTS:
        if experiment.name == name:
            return experiment
    known = ", ".join(experiment.name for experiment in _EXPERIMENTS)
    near = get_close_matches(name, [experiment.name for experiment in _EXPERIMENTS], n=1)
    guess = f"; did you mean {near[0]!r}? Or choose" if near else "; choose"
    raise ValueError(f"{name!r} is no experiment{guess} from {known}.")
