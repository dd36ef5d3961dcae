"""Print docs/papers.md: the list of all systems."""

from __future__ import annotations

import textwrap

from skgenre.papers import list_systems
from skgenre.papers._passages import PASSAGES
from skgenre.papers._registry import PAPERS

_HEAD = """\
# The systems of the papers

Each is a ready pipeline: `skgenre.papers.load_system("hu2022/cnn")`. Most of the published figures
are by segment; [which accuracy?](which_accuracy.md) explains why they are too high.
`skgenre.papers.load_grid("hu2022/table3")` gives a table of hu2022 as a pipeline and a grid for
`GridSearchCV`.

Below the systems of each paper stands what it shows and names, and the command that runs it, or
why there is none. `gtzan` stands for your folder; [reproducing](reproducing.md) explains the
commands. The functions `load_system` and `load_grid` are in `skgenre.papers`.

This page is printed by `python -m skgenre.papers`.
"""


def page() -> str:
    """Return the page as Markdown."""
    lines = [_HEAD]
    for paper, citation in PAPERS.items():
        lines += [f"## {paper}", "", f"{citation}.", "", "| name | what | where | published |"]
        lines.append("|---|---|---|---|")
        systems = list_systems(paper)
        for s in systems:
            figures = ", ".join(f"{key} {value:g}" for key, value in s.published.items()) or "-"
            lines.append(f"| `{s.name}` | {s.title} | {s.where} | {figures} |")
        lines.append("")
        for s in systems:
            if s.choices and s.name.count("/") == 1:
                lines += textwrap.wrap(
                    f"- `{s.name}`: {s.choices} Protocol: {s.protocol}.",
                    100,
                    subsequent_indent="  ",
                    break_on_hyphens=False,
                )
        lines += ["", f"### Figures, tables and settings of {paper}", ""]
        lines += ["| in the paper | what | runs it |", "|---|---|---|"]
        for passage in PASSAGES[paper]:
            how = [f"`{passage.command}`"] if passage.command else []
            how += [passage.remark] if passage.remark else []
            lines.append(f"| {passage.where} | {passage.what} | {'; '.join(how)} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    print(page(), end="")
