"""The result of an experiment, as plain values that a JSON file holds exactly."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from skgenre.evaluation import EvaluationResult
from skgenre.papers._report_folder import write_report
from skgenre.utils._records import TableRecord, import_pandas, markdown_table

_COLUMNS = (
    "paper", "measured", "measured_std", "honest", "honest_low", "honest_high",
)  # fmt: skip


@dataclass(frozen=True, repr=False)
class ReproductionResult(TableRecord):
    """The result of :func:`skgenre.reproduce`.

    Attributes
    ----------
    experiment, title, paper : str
        The name of the experiment, its comparison, and the citation.
    published_protocol : str
        How the paper measured, by its own account.
    measured_protocols : dict of str to str
        For each cell, how the paper's protocol was carried out.
    honest_protocol : {"artist-grouped", "track-random"}
        The other protocol; "track-random" if artists are not known.
    rows : list of dict
        A row for each ``cell`` and ``figure``: the figure of the ``paper``, the one
        ``measured`` under its protocol (mean of the trainings, with ``measured_std`` if
        there are several), and the ``honest`` one with the ends of its interval,
        ``honest_low`` and ``honest_high``. None means not published or not measured.
    reports : dict of str to dict
        For cells of kumar2021 precision, recall, F1 and support of each genre, "measured"
        and "honest".
    evaluations : dict of str to EvaluationResult
        For each cell the evaluation under the honest protocol.
    trainings : list of dict
        For each training its ``cell``, ``protocol``, ``n_train``, ``n_scored``,
        ``fit_time`` in seconds, and ``history``, the metrics of a network by epoch, None if
        the model keeps none.
    failed : dict of str to str
        Cells that did not run, and the reason.
    n_tracks : int
        Tracks of the data set that were used.
    n_artists : int or None
        Their artists; None if not known.
    genres : list of str
        Their genres.
    notes : list of str
        Remarks on comparing the figures.
    settings : dict
        The arguments.
    environment : dict of str to str
        Date and versions.
    """

    _format: ClassVar[str] = "skgenre-reproduction-1"
    _nested = {"evaluations": EvaluationResult}

    experiment: str
    title: str
    paper: str
    published_protocol: str
    measured_protocols: dict[str, str]
    honest_protocol: str
    rows: list[dict[str, Any]]
    reports: dict[str, Any]
    evaluations: dict[str, EvaluationResult]
    trainings: list[dict[str, Any]]
    failed: dict[str, str]
    n_tracks: int
    n_artists: int | None
    genres: list[str]
    notes: list[str]
    settings: dict[str, Any]
    environment: dict[str, str]

    def to_frame(self) -> Any:
        """Return the table of figures.

        Returns
        -------
        table : pandas.DataFrame
            Indexed by cell and figure, with the columns of ``rows``; NaN for None.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pandas = import_pandas()
        names = ["cell", "figure"]
        index = pandas.MultiIndex.from_tuples(
            [tuple(row[name] for name in names) for row in self.rows], names=names
        )
        rows = [{name: row[name] for name in _COLUMNS} for row in self.rows]
        return pandas.DataFrame(rows, index=index, columns=list(_COLUMNS), dtype=float)

    def to_markdown(self) -> str:
        """Return the figures side by side, with remarks, as Markdown.

        Returns
        -------
        page : str
            A heading, the table, and a list of notes.
        """
        head, rows = self.table()
        notes = "\n".join(f"- {note}" for note in self.remarks())
        title = f"# {self.experiment}: {self.title}"
        return f"{title}\n\n{self.paper}.\n\n{markdown_table(head, rows)}\n\n{notes}\n"

    def save_report(self, folder: str | os.PathLike[str]) -> Path:
        """Write a report to hand in: text, tables, figures and references.

        Parameters
        ----------
        folder : str or PathLike
            A new folder, an empty one, or one that holds an earlier report and nothing else,
            which is replaced.

        Returns
        -------
        folder : Path
            Its absolute path. It gets its name when the report is complete. ``report.md`` and
            ``report.html``, one file that loads nothing else, hold all of it: the figures of
            the paper beside those measured, what was drawn of them, all metrics under the
            honest protocol, settings, seeds, times, versions and references. ``tables`` has each
            table in LaTeX, for the package booktabs, ``figures`` each figure as PNG and PDF.
            ``references.bib`` has paper and package, and ``result.json`` is what ``read`` reads.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        OSError
            If the folder is a file, holds something else, or cannot be written.

        See Also
        --------
        skgenre.papers.check_report_folder : Finds these errors before a long run.
        """
        return write_report(self, folder)

    def _title(self) -> str:
        return f"{super()._title()}: {self.experiment}, {self.title}"

    def _table(self) -> str:
        return markdown_table(*self.table())

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        return self.table()

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Return the head and the rows of the table, as text.

        Returns
        -------
        head : list of str
            The columns.
        rows : list of list of str
            "-" means not published or not measured.
        """
        head = ["cell", "figure", "paper", "measured, paper's protocol"]
        head.append(f"measured honestly ({self.honest_protocol})")
        rows = []
        for row in self.rows:
            paper = "-" if row["paper"] is None else _published(row["paper"])
            measured = _number(row["measured"])
            if row["measured_std"] is not None:
                measured += f" ± {row['measured_std']:.3f}"
            honest = _number(row["honest"])
            if row["honest_low"] is not None:
                honest += f" ({row['honest_low']:.3f} to {row['honest_high']:.3f})"
            rows.append([row["cell"], row["figure"], paper, measured, honest])
        return head, rows

    def remarks(self) -> list[str]:
        """Return how the figures were measured, and the notes.

        Returns
        -------
        lines : list of str
            A sentence or more each, the protocols first.
        """
        lines = [f"The paper: {self.published_protocol}."]
        for how in dict.fromkeys(self.measured_protocols.values()):
            cells = [cell for cell, found in self.measured_protocols.items() if found == how]
            of = f" of {', '.join(cells)}" if len(cells) < len(self.measured_protocols) else ""
            lines.append(f"Its protocol here{of}: {how}.")
        if self.honest_protocol == "artist-grouped":
            sides = "no artist on both sides, intervals by artist"
        else:
            sides = "artists are not known and may be on both sides, so that it is still too high"
        lines.append(
            f"Honest: {self.honest_protocol}, {self.settings['n_folds']} folds of tracks, {sides}."
        )
        artists = "" if self.n_artists is None else f" by {self.n_artists} artists"
        lines.append(f"{self.n_tracks} tracks{artists}; the papers have 1000 clips of GTZAN.")
        lines += [f"{cell} did not run: {reason}" for cell, reason in self.failed.items()]
        return [*lines, *self.notes]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _published(value: float) -> str:
    """Show a figure with its own digits, at least two."""
    return max(f"{value:g}", f"{value:.2f}", key=len)
