"""The papers and the package as BibTeX."""

from __future__ import annotations

from collections.abc import Mapping

# What the papers say of themselves; those of zhang and bai say neither year nor publisher.
_ENTRIES: dict[str, tuple[str, dict[str, str]]] = {
    "hu2022": (
        "article",
        {
            "author": "Hu, Yifeng and Mogos, Gabriela",
            "title": "Music genres classification by deep learning",
            "year": "2022",
        },
    ),
    "kumar2021": (
        "misc",
        {
            "author": "Kumar, Naveen",
            "title": "Music Genre Classification using {CNN} and {RNN-LSTM}",
            "howpublished": "Project report, Bachelor of Technology, Galgotias University",
            "year": "2021",
        },
    ),
    "jain2021": (
        "article",
        {
            "author": "Jain, Suryansh and Yadav, Shivan and Prabir, Prakhar and Sundar, S.",
            "title": "Music Information Retrieval and Classification using Deep Learning",
            "journal": "International Research Journal of Engineering and Technology",
            "volume": "8",
            "number": "6",
            "year": "2021",
        },
    ),
    "zhang": (
        "misc",
        {
            "author": "Zhang, Haoran",
            "title": "Research on music genre classification algorithm based on deep learning",
        },
    ),
    "bai": (
        "misc",
        {
            "author": "Bai, Ke and Wang, H.",
            "title": "Music Classification with Neural Network",
            "howpublished": "Tsinghua University",
        },
    ),
}


def make_bibtex(paper: str, environment: Mapping[str, str]) -> str:
    """Return the entries of a paper and of the package.

    Parameters
    ----------
    paper : str
        The key of the paper, such as "hu2022".
    environment : mapping of str to str
        That of a result: the version of skgenre and the date of the run.

    Returns
    -------
    entries : str
        The content of a ``.bib`` file.
    """
    package = {
        "author": "{The skgenre developers}",
        "title": "skgenre: music genre recognition with scikit-learn",
        "note": f"Version {environment['skgenre']}",
        "year": environment["date"][:4],
    }
    return "\n".join([_entry(paper, *_ENTRIES[paper]), _entry("skgenre", "misc", package)])


def _entry(key: str, kind: str, fields: Mapping[str, str]) -> str:
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@{kind}{{{key},", *lines, "}", ""])
