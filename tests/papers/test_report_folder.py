"""The report of a reproduction, as a folder."""

from __future__ import annotations

import base64
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from skgenre import list_experiments, make_genres, reproduce
from skgenre.cli import main
from skgenre.papers import ReproductionResult, check_report_folder
from skgenre.papers._references import make_bibtex
from skgenre.papers._registry import PAPERS
from skgenre.papers._report_figures import draw_by_name, draw_by_number, plan_figures

GENRES = {"dub": "R&B_50% <b>", "swing": 'x|"y" \\ #1'}
VOID = {"meta", "img"}


@pytest.fixture(scope="module")
def result():
    music = make_genres(4, genres=sorted(GENRES), duration=16.0, random_state=0)
    genres = [GENRES[genre] for genre in music.target]
    data = (music.data, genres, music.artists)
    return reproduce("hu2022/table1", data, quick=True, epochs=2, only="mlp-10")


@pytest.fixture(scope="module")
def report(result, tmp_path_factory):
    return result.save_report(tmp_path_factory.mktemp("report") / "report")


def _files(folder):
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def _row(cell, figure, paper=None, measured=None, honest=None, std=None, ends=(None, None)):
    names = ("cell", "figure", "paper", "measured", "measured_std")
    row = dict(zip(names, (cell, figure, paper, measured, std), strict=True))
    return row | {"honest": honest, "honest_low": ends[0], "honest_high": ends[1]}


def test_a_report_has_text_tables_figures_and_references(report):
    tables = ("comparison", "metrics", "settings", "times", "versions")
    figures = ("comparison-mlp", "epochs-mlp-10", "confusion-mlp-10")
    assert _files(report).keys() == {
        "report.md",
        "report.html",
        "result.json",
        "references.bib",
        *(f"tables/{name}.tex" for name in tables),
        *(f"figures/{name}.{kind}" for name in figures for kind in ("png", "pdf")),
    }
    text = (report / "report.md").read_text("utf-8")
    assert text.index("its figures mean nothing") < text.index("0.5745")
    for part in ("classifier__random_state", "scikit-learn", "@article{hu2022"):
        assert part in text
    for name in re.findall(r"!\[.*\]\((.*)\)", text):
        assert (report / name).is_file()


class Page(HTMLParser):
    """Checks that elements are closed in order, and collects attributes and text."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.attributes, self.text = [], [], [], ""

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_is_one_file_that_loads_nothing(report):
    text = (report / "report.html").read_text("utf-8")
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == []
    assert not {"script", "link", "iframe", "b"} & set(page.seen)
    assert not re.search(r"@import|url\(|https?:", text)
    images = [value for name, value in page.attributes if name == "src"]
    assert len(images) == page.seen.count("img") == 3
    files = sorted(path.read_bytes() for path in (report / "figures").glob("*.png"))
    prefix = "data:image/png;base64,"
    assert sorted(base64.b64decode(image.removeprefix(prefix)) for image in images) == files
    assert all(genre in page.text for genre in GENRES.values())


def test_tables_in_latex_escape_text_and_have_all_their_columns(report):
    settings = (report / "tables" / "settings.tex").read_text("utf-8")
    assert r"R\&B\_50\% $<$b$>$" in settings
    assert r"x\textbar{}" in settings
    assert r"\textbackslash{} \#1" in settings
    for path in (report / "tables").iterdir():
        text = path.read_text("utf-8")
        (columns,) = re.findall(r"\\begin\{tabular\}\{(l[r]+)\}", text)
        rows = [line for line in text.split("\n") if line.endswith(r" \\")]
        assert len(rows) > 1
        assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {len(columns) - 1}
        assert rf"\label{{tab:{path.stem}}}" in text
        assert not re.search(r"(?<!\\)[#%_]", text)


def test_a_result_read_from_a_file_gives_the_same_report(result, report, tmp_path):
    result.save(tmp_path / "result.json")
    again = ReproductionResult.read(tmp_path / "result.json").save_report(tmp_path / "again")
    assert _files(again) == _files(report)


def test_an_earlier_report_is_replaced_and_other_files_are_kept(result, tmp_path):
    (tmp_path / "report").mkdir()
    small = replace(result, evaluations={}, trainings=[])
    folder = small.save_report(tmp_path / "report")
    changed = replace(small, title="Numbers & others").save_report(folder)
    assert "Numbers & others" in (changed / "report.md").read_text("utf-8")
    before = _files(folder)
    (folder / "figures" / "mine.png").write_bytes(b"mine")
    with pytest.raises(FileExistsError, match=r"no part of an earlier report: figures/mine\.png"):
        small.save_report(folder)
    assert _files(folder) == {**before, "figures/mine.png": b"mine"}
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_failure_leaves_the_earlier_report(result, tmp_path, monkeypatch):
    small = replace(result, evaluations={}, trainings=[])
    before = _files(small.save_report(tmp_path / "report"))

    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr(ReproductionResult, "save", fail)
    with pytest.raises(OSError, match="no space left"):
        replace(small, title="another").save_report(tmp_path / "report")
    assert _files(tmp_path / "report") == before
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_folders_that_cannot_be_a_report_are_refused(tmp_path):
    (tmp_path / "file").write_text("text")
    with pytest.raises(NotADirectoryError, match="file is a file"):
        check_report_folder(tmp_path / "file")
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        check_report_folder(tmp_path / "none" / "report")
    with pytest.raises(FileExistsError, match="earlier report: file"):
        check_report_folder(tmp_path)
    (tmp_path / "file").rename(tmp_path / "result.json")
    with pytest.raises(FileExistsError, match=r"earlier report: result\.json"):
        check_report_folder(tmp_path)


@pytest.mark.parametrize("case", ["matplotlib", "folder"])
def test_the_command_refuses_before_the_run(case, tmp_path, capsys, monkeypatch):
    if case == "matplotlib":
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        report, message = tmp_path / "report", r'pip install "skgenre\[plot\]"'
    else:
        report, message = tmp_path / "none" / "report", "to make the report"
    command = ["reproduce", "hu2022/table2", "--data", str(tmp_path / "no-music")]
    assert main([*command, "--report", str(report)]) == 2
    assert re.search(message, capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []


def test_lines_and_intervals_are_those_of_the_rows():
    rows = [
        _row("cnn-20", "accuracy", 0.8, 0.7, 0.5, std=0.1, ends=(0.4, 0.65)),
        _row("cnn-10", "accuracy", 0.9, None, 0.6, ends=(0.5, 0.7)),
    ]
    (ax,) = draw_by_number(rows, "segments").axes
    paper, measured, honest = (container.lines for container in ax.containers)
    assert paper[0].get_xydata().tolist() == [[10, 0.9], [20, 0.8]]
    assert measured[0].get_xydata().tolist() == [[20, 0.7]]
    assert honest[0].get_xydata().tolist() == [[10, 0.6], [20, 0.5]]
    ends = [segment[:, 1].tolist() for segment in honest[2][0].get_segments()]
    np.testing.assert_allclose(ends, [[0.5, 0.7], [0.4, 0.65]])
    assert ax.get_xlabel() == "segments"


def test_errors_and_shares_have_axes_of_their_own():
    rows = [_row("mlp", "accuracy", 0.6), _row("mlp", "error", 3.31), _row("mlp", "F1 of a", 0.5)]
    shares, errors = draw_by_name(rows, "unit", "figure").axes
    assert [text.get_text() for text in shares.get_yticklabels()] == ["accuracy", "F1 of a"]
    assert shares.containers[0].lines[0].get_xdata().tolist() == [0.6, 0.5]
    assert errors.containers[0].lines[0].get_xdata().tolist() == [3.31]


@pytest.mark.parametrize("experiment", list_experiments(), ids=lambda e: e.name)
def test_each_experiment_has_figures(experiment):
    genre = "F1 of jazz" if experiment.name.startswith("kumar2021") else "track accuracy"
    rows = [_row(cell.name, genre, honest=0.5) for cell in experiment.cells]
    names = [name for name, _, _ in plan_figures(experiment.title, rows)]
    if experiment.title.startswith("Numbers of "):
        assert names == ["comparison-mlp", "comparison-cnn", "comparison-lstm"]
    elif genre == "track accuracy" and len(rows) > 1:
        assert names == ["comparison"]
    else:
        assert names == [f"comparison-{cell.name}" for cell in experiment.cells]


def test_each_paper_has_an_entry_in_bibtex():
    for paper in PAPERS:
        text = make_bibtex(paper, {"skgenre": "1.0", "date": "2026-01-02T03:04:05+00:00"})
        assert re.findall(r"^@\w+\{(.+),$", text, re.M) == [paper, "skgenre"]
        assert text.count("{") == text.count("}")
        assert "year = {2026}" in text
