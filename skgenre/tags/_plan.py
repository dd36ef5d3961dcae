"""What is to be written into which file, as a file to read before anything is done."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from skgenre.audio import audio_digest
from skgenre.tags._formats import EVIDENCE, Tags, import_mutagen
from skgenre.utils._io import open_whole
from skgenre.utils._json_lines import read_lines, to_line
from skgenre.utils._names import name_key
from skgenre.utils._vocabulary import Vocabulary, read_vocabulary

_SCHEMA, _VERSION = "skgenre tag plan", 1
_FIELDS = {"path": str, "action": str, "before": list, "after": list}


@validate_params(
    {
        "records": [Iterable],
        "output": [str, os.PathLike],
        "mode": [StrOptions({"fill", "overwrite", "append"})],
        "vocabulary": [Mapping, str, os.PathLike, None],
        "exclude": ["array-like"],
        "min_confidence": [Interval(Real, 0, 1, closed="both")],
        "evidence": ["boolean"],
        "model": [str, None],
    },
    prefer_skip_nested_validation=True,
)
def plan_tags(
    records: Iterable[Mapping[str, Any]],
    output: str | os.PathLike[str],
    *,
    mode: str = "fill",
    vocabulary: Vocabulary | str | os.PathLike[str] | None = None,
    exclude: Sequence[str] = (),
    min_confidence: float = 0.0,
    evidence: bool = False,
    model: str | None = None,
) -> dict[str, int]:
    """Plan which genres are to be written into the tags of which files; no audio file is changed.

    Needs mutagen: ``pip install "skgenre[tags]"``.

    Parameters
    ----------
    records : iterable of mapping
        One prediction a file, with "path"; "status", which is "ok" or says why there is no
        genre, such as "no sound" or "error", with a "reason"; "genre", or "genres" where a track
        has several; "probabilities", those of all genres by name; and optionally "model".
    output : str or PathLike
        The plan to write: a header, then one JSON object a line and file. It gets its name when
        it is complete; an existing one is replaced.
    mode : {"fill", "overwrite", "append"}, default="fill"
        "fill" writes into files without a genre only, "overwrite" replaces the genres of a file,
        "append" adds to them.
    vocabulary : mapping, str, PathLike or None, default=None
        The words to write for a genre, one or a list of several, or a JSON file of them. A genre
        that is not in it is written as it is called.
    exclude : sequence of str, default=()
        Genres that are never written.
    min_confidence : float, default=0.0
        Least probability of a genre that is written.
    evidence : bool, default=False
        Whether genre, probability and model are written too, into the fields ``SKGENRE_GENRE``,
        ``SKGENRE_CONFIDENCE`` and ``SKGENRE_MODEL``.
    model : str or None, default=None
        What identifies the model; a record's own counts first.

    Returns
    -------
    counts : dict of str to int
        How many files are to be written, kept and skipped, by "write", "keep" and "skip".

    Raises
    ------
    ImportError
        If mutagen is not installed.
    ValueError
        If a record has no path or a genre without probability, or ``vocabulary`` or ``exclude``
        names a genre that the model does not know.

    See Also
    --------
    apply_tags : Does what a plan says.

    Notes
    -----
    Nothing is ever planned that would leave a file without the genres it has: where no genre was
    found, or none that may be written, the file is kept as it is.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skgenre import apply_tags, make_genres, plan_tags, undo_tags
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     music = make_genres(
    ...         1, genres=["dub", "swing"], duration=0.5, path=folder, random_state=0
    ...     )
    ...     track = f"{folder}/dub/dub.00000.wav"
    ...     record = {"path": track, "status": "ok", "genre": "dub"}
    ...     record["probabilities"] = {"dub": 0.9, "swing": 0.1}
    ...     plan = f"{folder}/plan.jsonl"
    ...     print(plan_tags([record], plan, vocabulary={"dub": ["Dub", "Reggae"]}))
    ...     print(apply_tags(plan)[0]["status"])
    ...     print(undo_tags(f"{plan}.journal")[0]["status"])
    {'write': 1, 'keep': 0, 'skip': 0}
    written
    restored
    """
    import_mutagen()
    words = read_vocabulary(vocabulary)
    settings = {
        "mode": mode,
        "vocabulary": words,
        "exclude": list(exclude),
        "min_confidence": min_confidence,
        "evidence": evidence,
    }
    counts = Counter({"write": 0, "keep": 0, "skip": 0})
    seen: dict[str, str] = {}
    target = Path(os.path.realpath(output))
    with open_whole(target) as stream:
        header = {"schema": _SCHEMA, "version": _VERSION, "model": model, "settings": settings}
        stream.write(to_line(header))
        for record in records:
            row = _plan_file(record, settings, seen, model)
            counts[row["action"]] += 1
            stream.write(to_line(row))
    return dict(counts)


def read_plan(path: str | os.PathLike[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Read and check a plan, which may have been edited.

    Parameters
    ----------
    path : str or PathLike
        The plan.

    Returns
    -------
    header : dict
        Schema, version, model and settings.
    rows : list of dict
        One for each file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no plan, or a line of it is none, or would remove the genres of a file.
    """
    lines = read_lines(path)
    _, header = next(lines, (1, {}))
    if (header.get("schema"), header.get("version")) != (_SCHEMA, _VERSION):
        raise ValueError(
            f"{path} is no plan of version {_VERSION}: its first line has the schema "
            f"{header.get('schema')!r} and the version {header.get('version')!r}; skgenre tag plan "
            "writes one."
        )
    rows = []
    for number, row in lines:
        wrong = [name for name, kind in _FIELDS.items() if not isinstance(row.get(name), kind)]
        if wrong or row["action"] not in ("write", "keep", "skip"):
            named = ", ".join(map(repr, wrong)) or f"the action {row['action']!r}"
            raise ValueError(f"{path}, line {number}: {named} is missing or wrong.")
        if row["action"] == "write":
            values = [*row["before"], *row["after"]]
            if not row["after"] or not all(isinstance(v, str) and v.strip() for v in values):
                raise ValueError(
                    f"{path}, line {number}: 'after' is {row['after']!r}; expected the genres to "
                    "write, one or more. To leave the file alone, change the action to 'keep'."
                )
            if not (row.get("digest") and row.get("audio_digest")):
                raise ValueError(
                    f"{path}, line {number}: a file without digests cannot be written; plan again."
                )
        rows.append(row)
    return header, rows


def preview_lines(path: str | os.PathLike[str], *, everything: bool = False) -> Iterator[str]:
    """Yield what a plan changes, in lines to read, and the numbers of files at the end.

    Parameters
    ----------
    path : str or PathLike
        The plan.
    everything : bool, default=False
        Whether files that are not changed are listed too.

    Yields
    ------
    line : str
        A line.
    """
    _, rows = read_plan(path)
    changes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for row in rows:
        if row["action"] == "write":
            before, after = ("; ".join(row[name]) or "(none)" for name in ("before", "after"))
            changes[f"{before} -> {after}"] += 1
            sure = f"  ({row['confidence']:.3f})" if row.get("confidence") is not None else ""
            yield f"{_in_one_line(row['path'])}: {before} -> {after}{sure}"
        else:
            reason = str(row.get("reason", ""))
            reasons[f"{row['action']}: {row.get('cause', reason)}"] += 1
            if everything:
                yield f"{_in_one_line(row['path'])}: {row['action']}, {reason}"
    n_written = sum(changes.values())
    yield f"{n_written} of {len(rows)} files would be written."
    for counter in (changes, reasons):
        yield from (f"{count:7}  {what}" for what, count in counter.most_common())


def _in_one_line(path: str) -> str:
    return path.replace("\n", r"\n")


def _plan_file(
    record: Mapping[str, Any], settings: dict[str, Any], seen: dict[str, str], model: str | None
) -> dict[str, Any]:
    """Describe what becomes of one file."""
    if not isinstance(record.get("path"), (str, os.PathLike)):
        raise ValueError(f"A record has no path, but {dict(record)!r}.")
    path = os.path.abspath(os.fspath(record["path"]))
    row: dict[str, Any] = {
        "path": path,
        "action": "keep",
        "reason": "",
        "before": [],
        "after": [],
        "genre": record.get("genre"),
        "confidence": None,
        "format": None,
        "digest": None,
        "audio_digest": None,
    }
    chosen, cause, detail = words_to_write(
        record,
        vocabulary=settings["vocabulary"],
        exclude=settings["exclude"],
        min_confidence=settings["min_confidence"],
    )
    if not cause.startswith("no prediction"):
        row["genre"], row["confidence"] = _genres(record)[0], _confidence(record)
    try:
        place = os.path.realpath(path)
        if place in seen:
            same = f"the same file as {seen[place]}"
            return _decide(row, "skip", "the same file as another", same)
        seen[place] = path
        tags = Tags(path)
        row["before"] = tags.genres()
        row["format"] = tags.format
        fault = write_fault(path) or (None if cause else tags.fault())
        row["digest"], row["audio_digest"] = file_digest(path), audio_digest(path)
    except (OSError, ValueError) as error:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return _decide(row, "skip", "tags cannot be read", text)
    row["after"] = row["before"]
    if cause:
        return _decide(row, "keep", cause, detail)
    mode = settings["mode"]
    if mode == "fill" and row["before"]:
        return _decide(row, "keep", "has a genre")
    after = _appended(row["before"] if mode == "append" else [], chosen)
    if after == row["before"]:
        return _decide(row, "keep", "has these genres")
    if fault:
        return _decide(row, "skip", fault)
    row["after"] = after
    if settings["evidence"]:
        found = record.get("model") or model
        row["evidence"] = {
            f"{EVIDENCE}GENRE": str(row["genre"]),
            f"{EVIDENCE}CONFIDENCE": f"{row['confidence']:.6f}",
            **({f"{EVIDENCE}MODEL": str(found)} if found else {}),
        }
    return _decide(row, "write", "no genre yet" if not row["before"] else mode)


def _decide(row: dict[str, Any], action: str, cause: str, detail: str = "") -> dict[str, Any]:
    row.update(action=action, reason=detail or cause, cause=cause)
    return row


def words_to_write(
    record: Mapping[str, Any],
    *,
    vocabulary: Mapping[str, Sequence[str]],
    exclude: Sequence[str] = (),
    min_confidence: float = 0.0,
) -> tuple[list[str], str, str]:
    """Return the words that tags should get for a prediction.

    Parameters
    ----------
    record : mapping
        The prediction, as for :func:`plan_tags`.
    vocabulary : mapping of str to sequence of str
        The words of a genre; a genre that is not in it is written as it is called.
    exclude : sequence of str, default=()
        Genres that are never written.
    min_confidence : float, default=0.0
        Least probability of the first genre.

    Returns
    -------
    words : list of str
        Each word once; none if the tags should stay as they are.
    cause, reason : str
        Why there are none, in short and in full; empty otherwise.

    Raises
    ------
    ValueError
        If ``vocabulary``, ``exclude`` or the record names a genre without a probability.
    """
    status, genres = record.get("status", "ok"), _genres(record)
    if status != "ok" or not genres:
        return [], f"no prediction: {status}", str(record.get("reason") or status)
    probabilities = record.get("probabilities") or {}
    unknown = {*vocabulary, *exclude} - set(probabilities)
    if unknown or not set(genres) <= set(probabilities):
        named = sorted(unknown or set(genres) - set(probabilities))
        source = "vocabulary or exclude" if unknown else f"the record of {record['path']}"
        raise ValueError(
            f"{source} names {', '.join(map(repr, named))}, which is not among the genres with a "
            f"probability: {', '.join(map(repr, sorted(probabilities)))}."
        )
    confidence = _confidence(record)
    # Several genres of a track are a set, sure together; the threshold is for the first.
    if confidence < min_confidence:
        return [], "below min_confidence", f"{confidence:.3f} is below {min_confidence}"
    kept = [genre for genre in genres if genre not in exclude]
    if not kept:
        return [], "excluded", f"{', '.join(genres)} is excluded"
    return _appended([], [w for g in kept for w in vocabulary.get(g, (g,))]), "", ""


def _genres(record: Mapping[str, Any]) -> list[str]:
    genres = list(record.get("genres") or [])
    return genres or ([record["genre"]] if record.get("genre") is not None else [])


def _confidence(record: Mapping[str, Any]) -> float:
    return round(float(record["probabilities"][_genres(record)[0]]), 6)


def _appended(before: Sequence[str], added: Sequence[str]) -> list[str]:
    """Append the genres that are not there yet, in whatever case."""
    found = list(before)
    keys = {name_key(genre) for genre in before}
    for genre in added:
        if name_key(genre) not in keys:
            keys.add(name_key(genre))
            found.append(genre)
    return found


def write_fault(path: str) -> str | None:
    """Return why a file must not be replaced; None if it may be."""
    state = os.stat(path)
    if not state.st_mode & 0o222:
        return "is read-only"
    if state.st_nlink > 1:
        return f"has {state.st_nlink} names (hard links), which would become different files"
    return None


def file_digest(path: str | os.PathLike[str]) -> str:
    """Compute the SHA-256 of a file's bytes, in hexadecimal digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
