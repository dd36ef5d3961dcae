"""Write the genres of a plan into the tags of files, and take them out again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, BinaryIO

from skgenre.audio import audio_digest
from skgenre.tags._formats import Tags, import_mutagen
from skgenre.tags._journal import Journal, JournalError, open_journal, sync_folder
from skgenre.tags._patch import apply_patch, make_patch
from skgenre.tags._plan import file_digest, read_plan, write_fault
from skgenre.utils._io import open_whole

Result = dict[str, str]
Report = Callable[[Result, int], Any]


class _RefusedError(ValueError):
    """A file is left as it is, for this reason."""


def apply_tags(
    plan: str | os.PathLike[str],
    *,
    journal: str | os.PathLike[str] | None = None,
    keep_mtime: bool = False,
    report: Report | None = None,
) -> list[Result]:
    """Write the genres of a plan into the tags of its files.

    Needs mutagen: ``pip install "skgenre[tags]"``.

    Parameters
    ----------
    plan : str or PathLike
        The plan, as :func:`plan_tags` writes it.
    journal : str, PathLike or None, default=None
        Where to record what is done, for :func:`undo_tags`; None means the name of the plan with
        ``.journal`` after it.
    keep_mtime : bool, default=False
        Whether files keep the time of their last change.
    report : callable or None, default=None
        Called with the result of each file when it is done, and the number of all files.

    Returns
    -------
    results : list of dict
        "path", "status" and "reason" of each file that the plan wants written. The status is
        "written", "already" if an earlier run wrote it, or "refused", with the reason.

    Raises
    ------
    FileNotFoundError
        If there is no such plan.
    ImportError
        If mutagen is not installed.
    OSError
        If the journal cannot be written; no file is changed without it.
    ValueError
        If the plan or the journal cannot be used.

    See Also
    --------
    undo_tags : Restores the files.

    Notes
    -----
    Each file is copied beside itself and the tags of the copy are edited. The copy is opened
    again, and takes the place of the file only if its encoded sound is equal, its genres are
    those of the plan and no other tag changed. Permissions, owner and extended attributes stay;
    where a path is a symbolic link, the link stays too. After a kill, at whatever moment, each
    file is either the old or the new one, and the same call continues.

    Refused are files that changed since the plan, that are read-only, or that have several names
    (hard links), and those that cannot be verified.

    Examples
    --------
    >>> import tempfile
    >>> from skgenre import apply_tags, make_genres, plan_tags
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     music = make_genres(
    ...         1, genres=["dub", "swing"], duration=0.5, path=folder, random_state=0
    ...     )
    ...     record = {"path": f"{folder}/dub/dub.00000.wav", "genre": "dub"}
    ...     record["probabilities"] = {"dub": 0.9, "swing": 0.1}
    ...     counts = plan_tags([record], f"{folder}/plan.jsonl")
    ...     [result["status"] for result in apply_tags(f"{folder}/plan.jsonl")]
    ['written']
    """
    import_mutagen()
    rows = [row for row in read_plan(plan)[1] if row["action"] == "write"]
    results: list[Result] = []
    if not rows:
        return results
    with open_journal(journal or f"{os.fspath(plan)}.journal", file_digest(plan)) as log:
        for row in rows:
            result = _result(row["path"], "written", _apply_file, row, log, keep_mtime)
            results.append(result)
            if report is not None:
                report(result, len(rows))
    return results


def undo_tags(journal: str | os.PathLike[str], *, report: Report | None = None) -> list[Result]:
    """Restore the files that :func:`apply_tags` changed, byte by byte.

    Parameters
    ----------
    journal : str or PathLike
        The journal of the changes.
    report : callable or None, default=None
        Called with the result of each file when it is done, and the number of all files.

    Returns
    -------
    results : list of dict
        "path", "status" and "reason" of each file in the journal. The status is "restored",
        "already" if the file is as it was, or "refused", with the reason, such as that it
        changed since.

    Raises
    ------
    FileNotFoundError
        If there is no such journal.
    ValueError
        If it is no journal.

    See Also
    --------
    apply_tags : Writes the journal.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skgenre import apply_tags, make_genres, plan_tags, undo_tags
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     music = make_genres(
    ...         1, genres=["dub", "swing"], duration=0.5, path=folder, random_state=0
    ...     )
    ...     track = Path(folder) / "dub" / "dub.00000.wav"
    ...     before = track.read_bytes()
    ...     record = {"path": track, "genre": "dub", "probabilities": {"dub": 0.9, "swing": 0.1}}
    ...     counts = plan_tags([record], f"{folder}/plan.jsonl")
    ...     results = apply_tags(f"{folder}/plan.jsonl")
    ...     changed = track.read_bytes() != before
    ...     results = undo_tags(f"{folder}/plan.jsonl.journal")
    ...     changed, track.read_bytes() == before
    (True, True)
    """
    results = []
    with open_journal(journal) as log:
        for path in reversed(list(log.states)):
            result = _result(path, "restored", _undo_file, path, log)
            results.append(result)
            if report is not None:
                report(result, len(log.states))
    return results


def _result(path: str, done: str, change: Callable[..., bool], *args: Any) -> Result:
    try:
        return {"path": path, "status": done if change(*args) else "already", "reason": ""}
    except JournalError:
        raise
    except (OSError, ValueError) as error:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return {"path": path, "status": "refused", "reason": text}


def _apply_file(row: Mapping[str, Any], log: Journal, keep_mtime: bool) -> bool:
    """Write the genres of one file; return whether it had to be done."""
    path = row["path"]
    known = log.states.get(path)
    if known is not None and known["event"] == "done":
        return False
    target = Path(os.path.realpath(path, strict=True))
    if known is not None and known["event"] == "begin" and file_digest(target) == known["after"]:
        log.write("done", path)  # the kill came between the replacement and this line
        return True
    if fault := write_fault(str(target)):
        raise _RefusedError(fault)
    with _replacing(target, row["digest"], "the plan", keep_mtime) as (old, copy):
        _edit(target, Path(copy.name), row)
        with (
            open(copy.name, "rb") as new,
            mmap(old.fileno(), 0, access=ACCESS_READ) as before,
            mmap(new.fileno(), 0, access=ACCESS_READ) as after,
        ):
            patch = make_patch(after, before)
        log.write(
            "begin",
            path,
            place=str(target),
            before=row["digest"],
            after=file_digest(copy.name),
            mtime_ns=os.fstat(old.fileno()).st_mtime_ns,
            patch=patch,
        )
    log.write("done", path)
    return True


def _edit(target: Path, copy: Path, row: Mapping[str, Any]) -> None:
    """Write the tags of the copy, and verify it."""
    evidence = row.get("evidence") or {}
    tags = Tags(copy)
    if fault := tags.fault():
        raise _RefusedError(fault)
    others = tags.others(evidence)
    tags.write(row["after"], evidence)
    written = Tags(copy)
    if audio_digest(copy) != row["audio_digest"]:
        raise _RefusedError("its sound would change")
    if written.genres() != row["after"]:
        raise _RefusedError(f"it would read as {written.genres()}, not as {row['after']}")
    found = written.evidence()
    if any(found.get(name) != value for name, value in evidence.items()):
        raise _RefusedError(f"it would have the fields {found}, not {evidence}")
    if written.others(evidence) != others:
        raise _RefusedError("other tags of it would change")


def _undo_file(path: str, log: Journal) -> bool:
    """Restore one file; return whether it had to be done."""
    known = log.states[path]
    target = Path(known["place"])
    digest = file_digest(target)
    if digest == known["before"]:
        if known["event"] != "undone":
            log.write("undone", path)
        return False
    if fault := write_fault(str(target)):
        raise _RefusedError(fault)
    with _replacing(target, known["after"], "its tags were written", True, copies=False) as both:
        new, old = both
        for piece in apply_patch(new, log.patch(path)):
            old.write(piece)
        old.flush()
        if file_digest(old.name) != known["before"]:
            raise _RefusedError("the journal does not lead back to the former file")
        os.utime(old.name, ns=(known["mtime_ns"], known["mtime_ns"]))
    log.write("undone", path)
    return True


@contextmanager
def _replacing(
    target: Path, digest: str, since: str, keep_mtime: bool, *, copies: bool = True
) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Yield a file that is known by its digest, and the file beside it that replaces it.

    The new one has the owner, permissions and attributes of the old one, and is on the disk
    before it gets its name.
    """
    with open(target, "rb") as old, open_whole(target) as copy:
        state = os.fstat(old.fileno())
        if copies:
            shutil.copyfileobj(old, copy)
            copy.flush()
        if file_digest(copy.name if copies else target) != digest:
            raise _RefusedError(f"changed since {since}")
        if hasattr(os, "chown") and (state.st_uid, state.st_gid) != _owner(copy):
            try:
                os.chown(copy.name, state.st_uid, state.st_gid)
            except PermissionError as error:
                raise _RefusedError("belongs to another user, which would change") from error
        shutil.copystat(target, copy.name)
        yield old, copy
        if not keep_mtime:
            os.utime(copy.name)
        elif copies:
            os.utime(copy.name, ns=(state.st_atime_ns, state.st_mtime_ns))
        copy.flush()
        os.fsync(copy.fileno())
        if _identity(os.stat(target)) != _identity(state):
            raise _RefusedError(f"changed since {since}")
    sync_folder(target.parent)


def _owner(file: BinaryIO) -> tuple[int, int]:
    state = os.fstat(file.fileno())
    return state.st_uid, state.st_gid


def _identity(state: os.stat_result) -> tuple[int, ...]:
    return state.st_ino, state.st_dev, state.st_size, state.st_mtime_ns
