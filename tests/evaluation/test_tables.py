"""Tables for papers hold the numbers of the results, and text that LaTeX can set."""

from __future__ import annotations

import re

import numpy as np
import pytest
from _segment_music import SegmentNeighbors, make_segments
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgenre import compare, leakage_audit
from skgenre.evaluation import SearchTable, compare_answers, search_table


@pytest.fixture(scope="module")
def audit():
    return leakage_audit(SegmentNeighbors(), make_segments(artist_spread=2.0), n_folds=3)


@pytest.fixture(scope="module")
def search():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), np.repeat(["calm", "loud"], 30)
    X[:, 0] += y == "loud"
    X[::5, 1] += 9  # matters where regularization is weak
    model = make_pipeline(StandardScaler(), LogisticRegression())
    grid = {"logisticregression__C": [0.001, 1.0], "standardscaler__with_std": [True, False]}
    scoring = {"track": "accuracy", "f1": "f1_macro"}
    return GridSearchCV(model, grid, scoring=scoring, refit=False, cv=3).fit(X, y)


def _numbers(text):
    return re.findall(r"[+-]?\d+\.\d+", text)


def test_latex_has_the_numbers_of_the_markdown(audit):
    results = list(audit.results.values())
    answers = compare_answers(results[0], results[-1])
    for result in (audit, results[-1], compare(results[-1], results[-1]), answers):
        rows = [line for line in result.to_markdown().split("\n") if line.startswith("|")]
        latex = result.to_latex()
        assert _numbers(latex)
        assert _numbers(latex) == _numbers("\n".join(rows))
        lines = latex.split("\n")
        assert lines[0].startswith(r"\begin{tabular}{l")
        assert lines[-1] == r"\end{tabular}"
        n_columns = len(lines[0].rpartition("{")[2].removesuffix("}"))
        cells = [line for line in lines if line.endswith(r" \\")]
        assert all(line.count(" & ") == n_columns - 1 for line in cells)
        assert len(cells) == len(rows) - 1  # without the line below the head


def test_latex_of_an_evaluation_is_what_latex_can_set(audit):
    latex = audit.results["artist-grouped"].to_latex()
    assert re.search(
        r"^track accuracy & \d\.\d{3} & .* & \d\.\d{3} \$\\pm\$ \d\.\d{3} ", latex, re.M
    )
    assert r"95 \% interval" in latex
    assert latex.isascii()


def test_a_caption_makes_an_environment(audit):
    latex = audit.to_latex(caption="An audit.", label="tab:audit")
    assert latex.split("\n")[:4] == [
        r"\begin{table}",
        r"\centering",
        r"\caption{An audit.}",
        r"\label{tab:audit}",
    ]
    assert latex.endswith("\\end{tabular}\n\\end{table}")
    with pytest.raises(ValueError, match="label='tab:audit' needs a caption"):
        audit.to_latex(label="tab:audit")


def test_special_characters_are_escaped():
    names = ["R&B", "50% #1 $", "drum_{n}_bass", "a\\b~c^d|e", "<k>"]
    table = SearchTable("genre_name", names, ["a_b"], ["a_b"], [[0.5]] * 5, [[0.1]] * 5)
    lines = table.to_latex().split("\n")
    assert lines[2] == r"genre\_name & a\_b \\"
    assert [line.partition(" & ")[0] for line in lines[4:9]] == [
        r"R\&B",
        r"50\% \#1 \$",
        r"drum\_\{n\}\_bass",
        r"a\textbackslash{}b\textasciitilde{}c\textasciicircum{}d\textbar{}e",
        "$<$k$>$",
    ]
    assert lines[4].endswith(r" & \textbf{0.500 $\pm$ 0.100} \\")


def test_a_search_is_laid_out_by_two_parameters(search):
    table = search_table(search, "C", "with_std", metrics=["track"])
    results = search.cv_results_
    assert (table.parameter, table.rows, table.columns) == ("C", ["0.001", "1"], ["True", "False"])
    for params, mean, std in zip(
        results["params"], results["mean_test_track"], results["std_test_track"], strict=True
    ):
        row = table.rows.index(f"{params['logisticregression__C']:g}")
        column = table.columns.index(str(params["standardscaler__with_std"]))
        assert table.mean[row][column] == pytest.approx(mean)
        assert table.std[row][column] == pytest.approx(std)
        assert f"{mean:.3f} \u00b1 {std:.3f}" in table.to_markdown()
    frame = table.to_frame()
    assert frame.loc["1", "True"] == table.mean[1][0]
    assert frame.index.name == "C"


def test_the_best_cell_of_each_metric_is_bold(search):
    table = search_table(search.cv_results_, "C", fixed={"with_std": True})
    assert table.columns == ["track", "f1"]
    for column in (0, 1):
        means = [row[column] for row in table.mean]
        best = max(means)
        assert means.count(best) == 1
        for row, line in zip(table.mean, table.to_markdown().split("\n")[2:], strict=True):
            cell = line.strip("| ").split(" | ")[1 + column]
            assert cell.startswith("**") == (row[column] == best)
    both = search_table(search, "C", "with_std")
    assert both.columns == ["True, track", "False, track", "True, f1", "False, f1"]


def test_what_was_not_tried_or_failed_is_empty(tmp_path):
    results = {
        "params": [{"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 2, "b": 1}],
        "split0_test_score": [0.5, 0.6, np.nan],
        "split1_test_score": [0.5, 0.8, 0.5],
    }
    with pytest.warns(UserWarning, match="1 of 3 candidates have folds without a score"):
        table = search_table(results, "a", "b")
    assert table.mean == [[0.5, 0.7], [None, None]]
    assert table.to_markdown().endswith("| 2 |  |  |")
    table.save(tmp_path / "table.json")
    assert SearchTable.read(tmp_path / "table.json") == table


def test_something_else_than_a_search_is_refused(search):
    with pytest.raises(TypeError, match="search is a LogisticRegression without cv_results_"):
        search_table(LogisticRegression(), "C")
    with pytest.raises(ValueError, match="has no parameter 'gamma'; choose from"):
        search_table(search, "gamma")
