"""The systems of the papers, each with its published figures."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

PAPERS = {
    "hu2022": 'Y. Hu and G. Mogos, "Music genres classification by deep learning", 2022',
    "kumar2021": 'N. Kumar, "Music Genre Classification using CNN and RNN-LSTM", 2021',
    "jain2021": (
        'S. Jain et al., "Music Information Retrieval and Classification using Deep Learning", 2021'
    ),
    "zhang": (
        'H. Zhang, "Research on music genre classification algorithm based on deep learning"'
    ),
    "bai": 'K. Bai and H. Wang, "Music Classification with Neural Network"',
}


@dataclass(frozen=True, repr=False, eq=False)
class PaperSystem:
    """A system of one of the papers: its place, its published figures, and its pipeline.

    Parameters
    ----------
    name : str
        "paper/system", or "paper/table/row".
    title : str
        A description in a line.
    where : str
        Table, figure or section of the paper.
    protocol : str
        How the paper measured.
    published : mapping of str to float
        The figures of the paper, by name.
    choices : str
        Choices made here, because the paper leaves them open or contradicts itself.
    build : callable
        Builds the unfitted pipeline.
    grid : mapping of str to sequence, default={}
        Parameters that the paper compares on this system, for a grid search.

    Examples
    --------
    >>> from skgenre.papers import list_systems
    >>> system = [s for s in list_systems("hu2022") if s.name == "hu2022/cnn"][0]
    >>> system.grid["features__segmenter__n_segments"]
    (10, 20, 30)
    >>> list(system.load().named_steps)
    ['features', 'scaler', 'classifier']
    """

    name: str
    title: str
    where: str
    protocol: str
    published: Mapping[str, float]
    choices: str
    build: Callable[..., Any]
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "published", MappingProxyType(dict(self.published)))
        grid = {key: tuple(values) for key, values in self.grid.items()}
        object.__setattr__(self, "grid", MappingProxyType(grid))
        # help(system) and system.__doc__ describe this system, not the class.
        object.__setattr__(self, "__doc__", self._text())

    @property
    def paper(self) -> str:
        """The citation."""
        return PAPERS[self.name.partition("/")[0]]

    def load(self, *, memory: Any = None, n_jobs: int | None = None) -> Any:
        """Build the unfitted pipeline.

        Parameters
        ----------
        memory, n_jobs
            As in :class:`skgenre.PerTrack`.

        Returns
        -------
        pipeline : sklearn.pipeline.Pipeline
            From paths of audio files to genres.
        """
        pipeline = self.build()
        return pipeline.set_params(features__memory=memory, features__n_jobs=n_jobs)

    def __reduce__(self) -> tuple[Any, ...]:
        return get_system, (self.name,)

    def __repr__(self) -> str:
        return f"<PaperSystem {self.name}: {self.title}; {self.where}; {self._figures()}>"

    def _figures(self) -> str:
        if not self.published:
            return "no figure published"
        return ", ".join(f"{name} {value:g}" for name, value in self.published.items())

    def _text(self) -> str:
        parts = [
            f"{self.title}.",
            f"Source: {self.paper}; {self.where}.",
            f"Protocol of the paper: {self.protocol}.",
            f"Published: {self._figures()}.",
            self.choices,
        ]
        return "\n".join(textwrap.fill(part, 88) for part in parts if part)


_systems: dict[str, PaperSystem] = {}


def register(system: PaperSystem) -> None:
    """Add a system; its name must be new."""
    if system.name in _systems:
        raise ValueError(f"{system.name!r} is registered already.")
    _systems[system.name] = system


def list_systems(paper: str | None = None) -> list[PaperSystem]:
    """List the systems of the papers.

    Parameters
    ----------
    paper : {"hu2022", "kumar2021", "jain2021", "zhang", "bai"} or None, default=None
        None means all.

    Returns
    -------
    systems : list of PaperSystem
        Systems first, then the rows of tables.

    Raises
    ------
    ValueError
        If there is no such paper.

    Examples
    --------
    >>> from skgenre.papers import list_systems
    >>> [system.name for system in list_systems("jain2021")]
    ['jain2021/mlp', 'jain2021/cnn', 'jain2021/lstm']
    """
    if paper is None:
        return list(_systems.values())
    if paper not in PAPERS:
        raise ValueError(f"paper={paper!r} is unknown; choose from {', '.join(PAPERS)}.")
    return [s for s in _systems.values() if s.name.partition("/")[0] == paper]


def get_system(name: str) -> PaperSystem:
    """Return a system by its name.

    Parameters
    ----------
    name : str
        Such as "hu2022/cnn".

    Returns
    -------
    system : PaperSystem
        The system.

    Raises
    ------
    ValueError
        If there is none of that name; the message lists the paper's systems.

    Examples
    --------
    >>> from skgenre.papers import get_system
    >>> get_system("jain2021/mlp")
    <PaperSystem jain2021/mlp: MLP on MFCC; table 2; segment accuracy 0.6024, error 3.31>
    """
    if name in _systems:
        return _systems[name]
    paper = str(name).partition("/")[0]
    known = [s.name for s in list_systems(paper)] if paper in PAPERS else list(PAPERS)
    raise ValueError(f"name={name!r} is no system; choose from {', '.join(known)}.")


def load_system(name: str, *, memory: Any = None, n_jobs: int | None = None) -> Any:
    """Build the pipeline of a paper's system: features, network, training and segments.

    Parameters
    ----------
    name : str
        Such as "hu2022/cnn"; see :func:`list_systems`.
    memory : str, PathLike, joblib.Memory or None, default=None
        Folder for the features of each track, as in :class:`skgenre.PerTrack`.
    n_jobs : int or None, default=None
        Tracks whose features are computed at the same time.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Unfitted, from paths of audio files to genres.

    Raises
    ------
    ValueError
        If there is no such system.

    Examples
    --------
    >>> from skgenre.papers import load_system
    >>> pipeline = load_system("hu2022/cnn")
    >>> pipeline["classifier"].get_params()["epochs"]
    100
    """
    return get_system(name).load(memory=memory, n_jobs=n_jobs)
