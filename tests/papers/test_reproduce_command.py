"""The command ``skgenre reproduce``."""

from __future__ import annotations

import re

import pytest

from skgenre import list_experiments, make_genres
from skgenre.cli import main
from skgenre.papers import ReproductionResult


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reproduce") / "music"
    make_genres(4, genres=["dub", "swing"], duration=1.0, path=folder, random_state=0)
    return folder


def test_prints_the_table_writes_it_and_continues(music, tmp_path, capsys):
    command = ["reproduce", "hu2022/table2", "--data", str(music), "--quick", "--epochs", "1"]
    command += ["--cells", "mlp-relu", "--memory", str(tmp_path / "memory")]
    assert main([*command, "--output", str(tmp_path / "result.json")]) == 0
    out, err = capsys.readouterr()
    assert re.search(r"cell +figure +paper +measured, paper's protocol +measured honestly", out)
    assert re.search(r"mlp-relu +validation accuracy +0\.2688 +0\.\d{3} ± ", out)
    assert "Its figures mean nothing" in out
    assert err.count("training") == 4
    result = ReproductionResult.read(tmp_path / "result.json")
    assert result.settings["epochs"] == 1

    report = tmp_path / "report"
    command += ["--output", str(tmp_path / "result.md"), "--report", str(report)]
    assert main(command) == 0
    out, err = capsys.readouterr()
    assert err.count("from the checkpoint") == 4
    assert "Wrote the report" in out
    assert (report / "figures" / "epochs-mlp-relu.pdf").is_file()  # the checkpoint has the epochs
    assert "0.2688" in (report / "report.html").read_text("utf-8")
    assert (tmp_path / "result.md").read_text("utf-8") == result.to_markdown()


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["hu2022"], "is no experiment; did you mean .*choose from hu2022/table1, .*kumar2021"),
        (
            ["kumar2021/reports", "--only", "vgg"],
            "has no cell 'vgg'; choose from image-cnn, tra",
        ),
        (
            ["kumar2021/reports", "--output", "result.txt"],
            r"ends in neither .md \(Markdown\) nor .json",
        ),
        (["kumar2021/reports", "--output", "no/such/result.md"], "There is no folder"),
        (["kumar2021/reports", "--folds", "1"], "'1' is not a whole number, 2 or more"),
        (["kumar2021/reports"], "There is no folder|no such|does not exist"),
    ],
)
def test_errors_come_in_one_line_before_the_work(options, match, tmp_path, capsys):
    memory = tmp_path / "memory"
    folder = ["--data", str(tmp_path / "none"), "--memory", str(memory)]
    assert main(["reproduce", *options, *folder]) == 2
    err = capsys.readouterr().err
    assert re.fullmatch(r"skgenre: error: [^\n]*\n", err), err
    assert re.search(match, err), err
    assert not memory.exists()


def test_warns_that_nothing_is_kept(tmp_path, capsys):
    assert main(["reproduce", "kumar2021/reports", "--data", str(tmp_path / "none")]) == 2
    assert "starts from the beginning; give --memory" in capsys.readouterr().err


def test_help_lists_the_experiments(capsys):
    assert main(["reproduce", "--help"]) == 0
    listed = re.search(r"Experiments: (.*?)\.\n", capsys.readouterr().out, re.DOTALL)[1]
    assert re.split(r",\s+", listed) == [experiment.name for experiment in list_experiments()]
