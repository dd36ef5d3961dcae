"""Every figure, table and named setting of the papers, and what runs it."""

from __future__ import annotations

from typing import NamedTuple


class Passage(NamedTuple):
    """A passage of a paper: where it stands, what it has, and the command that runs it.

    ``command`` is empty where there is none; ``remark`` then says why.
    """

    where: str
    what: str
    command: str = ""
    remark: str = ""


_DRAWN = "an explanation, nothing is measured"
_CURVES = "`--report FOLDER` draws the epochs, on what is trained on"
_CONFUSION = "confusion matrix of the honest protocol"


def _run(experiment: str, *options: str) -> str:
    return " ".join(["skgenre reproduce", experiment, "--data gtzan", *options])


def _system(name: str) -> str:
    return f'load_system("{name}")'


PASSAGES: dict[str, tuple[Passage, ...]] = {
    "hu2022": (
        Passage("figures 1 to 4", "waveforms before and after augmentation", "", _DRAWN),
        Passage("figure 5", "an STFT", "", _DRAWN),
        Passage("table 1, figures 6 to 9", "10, 20 and 30 segments", _run("hu2022/table1")),
        Passage("table 1", "as a grid search", 'load_grid("hu2022/table1/mlp")', "/cnn, /lstm"),
        Passage("table 2", "activations of the MLP", _run("hu2022/table2")),
        Passage("table 3", "activations of the CNN", _run("hu2022/table3")),
        Passage("table 4", "activations of the LSTM", _run("hu2022/table4")),
        Passage(
            "figure 11",
            "curves of the MLP",
            _run("hu2022/table2", "--only mlp-leaky_relu"),
            _CURVES,
        ),
        Passage(
            "figure 13", "curves of the CNN", _run("hu2022/table3", "--only cnn-tanh"), _CURVES
        ),
        Passage(
            "figure 15",
            "curves of the LSTM",
            _run("hu2022/table4", "--only lstm-leaky_relu"),
            _CURVES,
        ),
        Passage("figure 10", "listing of the CNN, named MLP", _system("hu2022/cnn")),
        Passage(
            "figure 12",
            "listing of the MLP, named CNN",
            _run("hu2022/variants", "--only mlp-listing"),
        ),
        Passage("figure 14", "listing of the LSTM", _system("hu2022/lstm")),
        Passage("section 3", "dimension: number of layers", _run("hu2022/layers")),
        Passage("section 3", "dimension: number of neurons", _run("hu2022/neurons")),
        Passage("section 3", "dimension: number of epochs", _run("hu2022/epochs")),
        Passage(
            "section 2",
            "pitch shift, time stretch, noise layer",
            _run("hu2022/variants", "--only cnn-augmented"),
        ),
        Passage("section 2", "differences of MFCC", _run("hu2022/variants", "--only cnn-deltas")),
        Passage("section 2", "L1 and L2 penalties", "", "parameters `l1` and `l2` of the networks"),
        Passage("section 2", "home-made music", "", "not published; `--data` takes any folder"),
    ),
    "kumar2021": (
        Passage("table 1", "tools", "", _DRAWN),
        Passage("figures 1 to 2", "spectrograms", "", _DRAWN),
        Passage("figures 3 to 6", "ReLU, overfitting, dropout", "", _DRAWN),
        Passage(
            "figure 7", "curves of the dense network", _run("kumar2021/mfcc", "--only ann"), _CURVES
        ),
        Passage("figures 8 to 9", "kernels, layers and colours of an image", "", _DRAWN),
        Passage("figure 10", "the CNN on images", _system("kumar2021/image-cnn")),
        Passage(
            "figure 11", "in the list of figures only: the training", _system("kumar2021/image-cnn")
        ),
        Passage(
            "figure 12", "curves of the CNN", _run("kumar2021/reports", "--only image-cnn"), _CURVES
        ),
        Passage(
            "figures 13 to 14",
            "report and confusion matrix of the CNN",
            _run("kumar2021/reports", "--only image-cnn", "--report report"),
            _CONFUSION,
        ),
        Passage(
            "figures A and B",
            "report and confusion matrix of transfer learning",
            _run("kumar2021/reports", "--only transfer", "--weights vgg16_notop.weights.h5"),
            "unmeasured: needs ImageNet's weights",
        ),
        Passage(
            "figures A and B",
            "the same network from random weights",
            _run("kumar2021/reports", "--only transfer-random"),
            "not in the paper",
        ),
        Passage("figures 15 to 18", "recurrent layers, tanh, LSTM", "", _DRAWN),
        Passage("figure 19", "curves of the LSTM", _run("kumar2021/mfcc", "--only lstm"), _CURVES),
        Passage(
            "chapter 3",
            "mini-batches of 16 to 128",
            "",
            "parameter `classifier__batch_size`; no figure is given",
        ),
        Passage(
            "chapter 3",
            "tables of summary features",
            "python -m benchmarks.summary_table gtzan features_30_sec.csv",
        ),
    ),
    "jain2021": (
        Passage("figures 1 to 2", "mel bands, MFCC", "", _DRAWN),
        Passage("figures 3 to 4", "an LSTM, a CNN", "", _DRAWN),
        Passage("figure 5", "flowchart", "", _DRAWN),
        Passage("table 1", "layers of the CNN", _system("jain2021/cnn")),
        Passage("table 2", "accuracy and error", _run("jain2021/table2")),
        Passage("figures 6 to 7", "accuracy and error by epoch", _run("jain2021/table2"), _CURVES),
        Passage(
            "section 7.2",
            "MFCC kept in a file of JSON",
            _run("jain2021/table2", "--memory cache"),
            "kept for each track, as arrays",
        ),
    ),
    "zhang": (
        Passage("figure 1", "mel scale", "", _DRAWN),
        Passage(
            "figures 2 to 6",
            "beat autocorrelation, chroma",
            _run("zhang/fusion"),
            "drawn for examples",
        ),
        Passage(
            "section III",
            "30 chroma vectors in order or at random",
            "",
            '`ChromaExtractor(selection="random")`; "first" is the default',
        ),
        Passage("section III", "weighted distances", _run("zhang/fusion", "--only distances")),
        Passage("section III", "majority vote", _run("zhang/fusion", "--only votes")),
        Passage("figure 7, section IV", "LSTM 13-128-32, 420/120/60", _run("zhang/section4")),
        Passage("figure 8", "CRNN", _run("zhang/crnn")),
        Passage("figures 9 and 12", "seven LSTMs, epochs of each", _run("zhang/figure12")),
        Passage("figure 10", "three LSTMs, ten folds", _run("zhang/figure10", "--only ten-fold")),
        Passage("section V", "8:1:1 split", _run("zhang/figure10", "--only split-811")),
        Passage("section V", "learning rate 1e-5", _run("zhang/figure10", "--only rate-1e-5")),
        Passage("section V", "files of 16 kHz", _run("zhang/figure10", "--only 16khz")),
        Passage(
            "section V",
            "nine tenths to test on",
            "",
            "taken as a slip: the next sentence has 10-fold cross-validation",
        ),
        Passage(
            "figure 11", "tracks of each genre", "", "100 each; the text's results are not shown"
        ),
        Passage(
            "table 5-1",
            "sigmoid LSTM, six similar genres",
            _run("zhang/table5-1"),
            "the six are not named: `--genres` takes others",
        ),
    ),
    "bai": (
        Passage("figure 1", "an LSTM unit", "", _DRAWN),
        Passage(
            "figure 2, section 3.3.3", "complex CNN", _run("bai/networks", "--only complex-cnn")
        ),
        Passage("section 3.3.2", "simple CNN", _run("bai/networks", "--only simple-cnn")),
        Passage("figures 2 and 6", "RCNN", _run("bai/networks", "--only rcnn"), _CURVES),
        Passage(
            "section 4.2",
            "RCNN, step of 1e-5 after 100 000 iterations",
            "",
            "changes nothing, says the paper; parameter `classifier__learning_rate`",
        ),
        Passage("figures 3 and 5", "LSTM", _run("bai/networks", "--only lstm"), _CURVES),
        Passage("figure 4", "spectra of two genres", "", _DRAWN),
        Passage(
            "table 1",
            "confusion matrix of the LSTM",
            _run("bai/networks", "--only lstm", "--report report"),
            _CONFUSION,
        ),
        Passage("table 2", "votes with a threshold", _run("bai/table2")),
        Passage(
            "table 2, section 3.5",
            "votes of test tracks, and of training tracks",
            _run("bai/votes"),
            "both scopes, in rows of their own",
        ),
        Passage("section 3.5", "half of the votes", _run("bai/votes", "--only half")),
        Passage("section 4.2", "98 % by votes", "", "neither network nor threshold is given"),
        Passage(
            "section 3.3.3",
            "dropout raised by hand",
            "",
            "parameter `classifier__dropout`; here 0.4 and 0.6 in the two dense layers",
        ),
        Passage("section 3.3.1", "integers instead of floats", "", "no difference, says the paper"),
        Passage("section 4.1", "three or four genres", "", "supposed, not measured; `--genres`"),
    ),
}
