"""The table of passages in docs/papers.md: complete, and each command runs what exists."""

from __future__ import annotations

import importlib.util
import re
import shlex

import pytest

from skgenre import list_experiments
from skgenre.cli._arguments import make_parser
from skgenre.papers import get_experiment, get_system, load_grid
from skgenre.papers._passages import PASSAGES

ROWS = [(paper, passage) for paper, passages in PASSAGES.items() for passage in passages]
COMMANDS = sorted({passage.command for _, passage in ROWS if passage.command})
# Figures and tables of the papers, by their captions.
NUMBERED = {
    "hu2022": (set(range(1, 16)), set("1234")),
    "kumar2021": ({*range(1, 20), "A", "B"}, {"1"}),
    "jain2021": (set(range(1, 8)), set("12")),
    "zhang": (set(range(1, 13)), {"5-1"}),
    "bai": (set(range(1, 7)), set("12")),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_names_what_exists(command):
    call = re.fullmatch(r'(load_system|load_grid)\("([^"]+)"\)', command)
    if call:
        (get_system if call[1] == "load_system" else load_grid)(call[2])
        return
    words = shlex.split(command)
    if words[:2] == ["python", "-m"]:
        assert importlib.util.find_spec(words[2]) is not None
        return
    assert words[0] == "skgenre"
    args = make_parser().parse_args(words[1:])
    assert args.command == "reproduce"
    assert get_experiment(args.experiment).choose(args.only, quick=False)


def test_every_figure_and_table_has_a_row():
    for paper, (figures, tables) in NUMBERED.items():
        found_figures, found_tables = set(), set()
        for where in (passage.where for passage in PASSAGES[paper]):
            for part in where.split(", "):
                kind, _, numbers = part.partition(" ")
                names = re.split(" and ", numbers)
                if " to " in numbers:
                    first, last = map(int, numbers.split(" to "))
                    names = list(range(first, last + 1))
                if kind.startswith("figure"):
                    found_figures |= {int(n) if str(n).isdigit() else n for n in names}
                elif kind == "table":
                    found_tables |= set(names)
        assert found_figures == figures, paper
        assert found_tables == tables, paper


def test_every_experiment_is_in_the_table_and_rows_without_a_command_say_why():
    named = " ".join(COMMANDS)
    assert [e.name for e in list_experiments() if e.name not in named] == []
    assert all(passage.command or passage.remark for _, passage in ROWS)


def test_a_cell_may_be_named_with_its_experiment():
    experiment = get_experiment("hu2022/table2")
    by_cell = experiment.choose("mlp-relu", quick=True)
    assert experiment.choose("hu2022/table2/mlp-relu", quick=True) == by_cell
    assert [cell.name for cell in by_cell] == ["mlp-relu"]
