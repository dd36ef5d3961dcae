"""A report of a reproduction as a folder: Markdown, HTML, LaTeX, figures and references."""

from __future__ import annotations

import base64
import html
import io
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skgenre.papers._references import make_bibtex
from skgenre.papers._report_content import (
    Block,
    Code,
    Figure,
    Section,
    Table,
    make_sections,
    paper_key,
)
from skgenre.utils._extras import check_installed
from skgenre.utils._io import shorten
from skgenre.utils._records import escape_latex, latex_table, markdown_table

if TYPE_CHECKING:
    from skgenre.papers._report import ReproductionResult

_DPI = 130
_STYLE = """
body { font-family: system-ui, sans-serif; line-height: 1.5; max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; background: #ffffff; }
table { border-collapse: collapse; display: block; overflow-x: auto; margin: 1rem 0; }
caption { text-align: left; font-style: italic; padding-bottom: .3rem; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #d0d0d0; }
th:first-child, td:first-child { text-align: left; }
thead th { border-bottom: 2px solid #1a1a1a; }
figure { margin: 1.5rem 0; } img { max-width: 100%; height: auto; }
figcaption { font-style: italic; }
pre { background: #f4f4f4; padding: .8rem; overflow-x: auto; }
@media print { body { max-width: none; margin: 0; } table { display: table; } }
"""


def write_report(result: ReproductionResult, folder: str | os.PathLike[str]) -> Path:
    """Write a report; the folder gets its name when all of it is there."""
    target = check_report_folder(folder)
    unfinished = target.with_name(f".{target.name}-{secrets.token_hex(8)}.part")
    unfinished.mkdir()
    try:
        _fill(unfinished, result)
        old = None
        if target.exists():
            old = target.with_name(f".{target.name}-{secrets.token_hex(8)}.old")
            target.rename(old)
        try:
            unfinished.rename(target)
        except OSError:
            if old is not None:
                old.rename(target)
            raise
        if old is not None:
            shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return target


def check_report_folder(folder: str | os.PathLike[str]) -> Path:
    """Check that a report can be written, before a long run.

    Parameters
    ----------
    folder : str or PathLike
        The folder of the report: a new one, an empty one, or one that holds an earlier report
        and nothing else.

    Returns
    -------
    target : Path
        Its absolute path.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    OSError
        If the folder is a file, holds something else, or cannot be made.

    Examples
    --------
    >>> from skgenre.papers import check_report_folder
    >>> check_report_folder("report").name
    'report'
    """
    check_installed("A report needs", "plot", "matplotlib")
    target = Path(os.path.realpath(folder))
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"There is no folder {target.parent} to make the report {os.fspath(folder)} in."
        )
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(f"{os.fspath(folder)} is a file; a report is a folder.")
    if not os.access(target.parent, os.W_OK):
        raise PermissionError(f"{target.parent} cannot be written to; choose another folder.")
    others = _other_files(target)
    if others:
        raise FileExistsError(
            f"{os.fspath(folder)} holds what is no part of an earlier report: {shorten(others)}. "
            "Choose a new or an empty folder; nothing was written."
        )
    return target


def _other_files(target: Path) -> list[str]:
    """List the files of a folder that no report has written, all if there is none."""
    from skgenre.papers._report import ReproductionResult  # which imports this module

    found = [p for p in target.rglob("*") if not p.is_dir()] if target.is_dir() else []
    names = {path.relative_to(target).as_posix() for path in found}
    known: set[str] = set()
    if "result.json" in names:
        # One of another program is no part of a report.
        with suppress(ValueError, KeyError, TypeError, AttributeError, OSError):
            known = _names(make_sections(ReproductionResult.read(target / "result.json")))
    return sorted(names - known)


def _names(sections: Sequence[Section]) -> set[str]:
    """Return the names of the files of a report."""
    names = {"report.md", "report.html", "result.json", "references.bib"}
    for block in _blocks(sections):
        if isinstance(block, Table) and not block.is_long:
            names.add(f"tables/{block.name}.tex")
        elif isinstance(block, Figure):
            names |= {f"figures/{block.name}.{kind}" for kind in ("png", "pdf")}
    return names


def _blocks(sections: Sequence[Section]) -> list[Block]:
    return [block for section in sections for block in section.blocks]


def _fill(folder: Path, result: ReproductionResult) -> None:
    """Write all files of a report."""
    sections = make_sections(result)
    for name in ("tables", "figures"):
        (folder / name).mkdir()
    images = {}
    for block in _blocks(sections):
        if isinstance(block, Table) and not block.is_long:
            latex = latex_table(
                block.head,
                block.rows,
                caption=escape_latex(block.caption),
                label=f"tab:{block.name}",
            )
            _write(folder / "tables" / f"{block.name}.tex", latex + "\n")
        elif isinstance(block, Figure):
            images[block.name] = _draw(block)
            for kind, content in images[block.name].items():
                (folder / "figures" / f"{block.name}.{kind}").write_bytes(content)
    title = f"{result.experiment}: {result.title}"
    _write(folder / "report.md", _markdown(title, result.paper, sections))
    _write(folder / "report.html", _html(title, result.paper, sections, images))
    _write(folder / "references.bib", make_bibtex(paper_key(result), result.environment))
    result.save(folder / "result.json")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _draw(block: Figure) -> dict[str, bytes]:
    """Return the pictures of a figure, by format, in matplotlib's own style and without a date."""
    pictures = {}
    matplotlib = import_module("matplotlib")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        figure = block.draw()
        for kind, hidden in (("png", "Software"), ("pdf", "CreationDate")):
            stream = io.BytesIO()
            figure.savefig(
                stream, format=kind, dpi=_DPI, bbox_inches="tight", metadata={hidden: None}
            )
            pictures[kind] = stream.getvalue()
    return pictures


def _markdown(title: str, paper: str, sections: Sequence[Section]) -> str:
    parts = [f"# {title}", f"{paper}."]
    for section in sections:
        parts.append(f"## {section.title}")
        for block in section.blocks:
            if isinstance(block, Table):
                parts += [f"*{block.caption}*", markdown_table(block.head, block.rows)]
            elif isinstance(block, Figure):
                parts.append(f"![{block.caption}](figures/{block.name}.png)")
            elif isinstance(block, Code):
                parts.append(f"```\n{block.text.rstrip()}\n```")
            elif isinstance(block, list):
                parts.append("\n".join(f"- {line}" for line in block))
            else:
                parts.append(block)
    return "\n\n".join(parts) + "\n"


def _html(
    title: str,
    paper: str,
    sections: Sequence[Section],
    images: Mapping[str, Mapping[str, bytes]],
) -> str:
    """Return a page that loads nothing: its style and its pictures are in it."""
    escape = html.escape
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(paper)}.</p>",
    ]
    for section in sections:
        lines.append(f"<h2>{escape(section.title)}</h2>")
        for block in section.blocks:
            if isinstance(block, Table):
                lines += _html_table(block)
            elif isinstance(block, Figure):
                data = base64.b64encode(images[block.name]["png"]).decode("ascii")
                caption = escape(block.caption)
                lines += [
                    "<figure>",
                    f'<img alt="{caption}" src="data:image/png;base64,{data}">',
                    f"<figcaption>{caption}</figcaption>",
                    "</figure>",
                ]
            elif isinstance(block, Code):
                lines.append(f"<pre>{escape(block.text)}</pre>")
            elif isinstance(block, list):
                lines += ["<ul>", *(f"<li>{escape(line)}</li>" for line in block), "</ul>"]
            else:
                lines.append(f"<p>{escape(block)}</p>")
    return "\n".join([*lines, "</body>", "</html>", ""])


def _html_table(table: Table) -> list[str]:
    def line(cells: Sequence[str], tag: str) -> str:
        inner: Any = "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells)
        return f"<tr>{inner}</tr>"

    return [
        f"<table><caption>{html.escape(table.caption)}</caption>",
        f"<thead>{line(table.head, 'th')}</thead>",
        "<tbody>",
        *(line(row, "td") for row in table.rows),
        "</tbody></table>",
    ]
