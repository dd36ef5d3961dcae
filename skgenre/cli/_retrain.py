"""The old half of ``skgenre train --add``: a model, its tracks, and what changes."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skgenre.cli._model import load_model
from skgenre.cli._music import echo_left_out, is_trained_on, load_music
from skgenre.cli._report import Share, echo, echo_table

if TYPE_CHECKING:
    from skgenre.evaluation import EvaluationResult, EvaluationTask, Splits
    from skgenre.persistence import ModelInfo

# They describe a new model; an old one has its own.
_FOR_NEW = ("classifier", "embeddings", "n_segments", "duration", "epochs", "learning_rate")


def read_old_model(args: argparse.Namespace) -> OldModel | None:
    """Return the model that tracks are added to; None where a new one is trained."""
    if args.add is None:
        if args.model is not None:
            raise ValueError("--model is the model that --add FOLDER adds tracks to; give both.")
        if args.folder is None:
            raise ValueError("Give the FOLDER to train on (see skgenre train --help).")
        return None
    if args.model is None:
        raise ValueError("--add needs --model OLD, the model to add tracks to.")
    for name in _FOR_NEW:
        if getattr(args, name, None) is not None:
            raise ValueError(
                f"--{name.replace('_', '-')} describes a new model; with --add the parameters are "
                f"those of {args.model}."
            )
    if args.find_duplicates:
        raise ValueError("--find-duplicates is no option of --add, which keeps the old tracks.")
    if args.out is None and args.force:
        raise ValueError(f"--force with --add needs --out; give --out {args.model} to replace it.")
    return OldModel(args.model)


class OldModel:
    """A model file, and the tracks that the model was trained on."""

    def __init__(self, path: str):
        from skgenre.onnx import is_onnx_file
        from skgenre.persistence import read_model_info

        self.path = path
        self._model = load_model(path)
        if not Path(path).is_file() or is_onnx_file(path):
            raise ValueError(f"{path} cannot be trained; give a file that skgenre train wrote.")
        self.info: ModelInfo = read_model_info(path)
        self._is_kept = False
        self._old: set[str] = set()
        self._folder = ""

    def unfitted(self) -> Any:
        """Return an unfitted model with the parameters of the old one."""
        from sklearn.base import clone

        return clone(self._model)

    def add_music(self, args: argparse.Namespace) -> Any:
        """Return the old tracks followed by the new ones of the folder of --add."""
        import numpy as np
        from sklearn.utils import Bunch

        if args.folder is None:
            self._is_kept = True
            old = self._kept_music(args)
        else:
            old = load_music(args, args.folder)
            self._folder = args.folder
            if not args.skip_corrupt:  # else some may turn out to be damaged
                self._check(old.data, old.target)
        added = load_music(args, args.add, single_genre=True)
        self._old = set(old.data)
        rows = self._new_rows(old, added, args.add)
        artists = None
        if self.info.n_artists is not None and (old.artists is None or added.artists is None):
            where = args.add if added.artists is None else args.folder or self.path
            raise ValueError(
                f"{self.path} was trained with artists, but those of {where} are not known; name "
                "them in a table (--metadata CSV)."
            )
        if old.artists is not None and added.artists is not None:
            artists = np.concatenate([old.artists, added.artists[rows]])
        return Bunch(
            data=[*old.data, *(added.data[row] for row in rows)],
            target=np.concatenate([old.target, added.target[rows]]),
            artists=artists,
        )

    def _kept_music(self, args: argparse.Namespace) -> Any:
        """Return the tracks that the model file names."""
        import numpy as np
        from sklearn.utils import Bunch

        info = self.info
        if info.tracks is None or info.track_genres is None:
            raise ValueError(
                f"{self.path} does not name its tracks. Give the folder that it was trained on: "
                f"skgenre train FOLDER --add {args.add} --model {self.path}; or train it with "
                "--keep-paths."
            )
        there = [row for row, path in enumerate(info.tracks) if os.path.exists(path)]
        n_lost = len(info.tracks) - len(there)
        if n_lost:
            first = next(path for path in info.tracks if not os.path.exists(path))
            text = f"{n_lost} of the {len(info.tracks)} tracks of {self.path} are not there, "
            if not args.skip_corrupt:
                raise ValueError(
                    f"{text}first {first}; bring them back, or leave them out by --skip-corrupt."
                )
            echo_left_out([f"{text}first {first}"])
        echo(f"{len(there)} tracks of {self.path}")
        artists = info.track_artists
        return Bunch(
            data=[info.tracks[row] for row in there],
            target=np.array([info.track_genres[row] for row in there]),
            artists=None if artists is None else np.array([artists[row] for row in there]),
        )

    def _new_rows(self, old: Any, added: Any, folder: str) -> list[int]:
        """Return the rows of the added music that are not among the old tracks."""
        known = {os.path.realpath(p): g for p, g in zip(old.data, old.target, strict=True)}
        places = [os.path.realpath(path) for path in added.data]
        rows = [row for row, place in enumerate(places) if place not in known]
        for row, place in enumerate(places):
            if place in known and known[place] != added.target[row]:
                now, then = str(added.target[row]), str(known[place])
                raise ValueError(
                    f"{added.data[row]} is {now!r} in {folder}, but {then!r} among the tracks of "
                    f"{self.path}; correct one of them, or train anew."
                )
        if len(rows) < len(places):
            echo(f"{len(places) - len(rows)} of these tracks are among those of {self.path}.")
        if not rows:
            raise ValueError(f"{folder} has no track that {self.path} was not trained on.")
        return rows

    def check_tracks(self, task: EvaluationTask) -> None:
        """Check the old tracks once more, now that the damaged ones are left out."""
        if not self._is_kept:
            rows = [row for row, path in enumerate(task.data) if path in self._old]
            self._check([task.data[row] for row in rows], task.y[rows])

    def _check(self, paths: list[str], y: Any) -> None:
        """Check by the hash in the file that these are the old tracks; else say what differs."""
        info = self.info
        if info.tracks_sha256 is None:
            raise ValueError(
                f"{self.path} does not say which tracks it was trained on, so that they cannot be "
                "compared with FOLDER; train anew on both folders."
            )
        if is_trained_on(info, paths):
            return
        raise ValueError(
            f"{self._folder} is not what {self.path} was trained on: {self._difference(paths, y)}. "
            "Give the folder as it was, and other tracks in that of --add."
        )

    def _difference(self, paths: list[str], y: Any) -> str:
        """Describe how the tracks of a folder differ from the old ones."""
        found = []
        if self.info.tracks is not None:
            then, now = (set(map(os.path.realpath, p)) for p in (self.info.tracks, paths))
            for lost, what in ((then - now, "not in the folder"), (now - then, "new in it")):
                if lost:
                    found.append(f"{len(lost)} tracks are {what}, first {min(lost)}")
        else:
            counts = Counter(map(str, y))
            for genre in sorted({*self.info.classes, *counts}):
                then_n = self.info.classes.get(genre) or 0
                if then_n != counts[genre]:
                    found.append(f"{genre} had {then_n} tracks and has {counts[genre]}")
        return "; ".join(found) or (
            "the numbers of tracks are equal, but paths differ; files were renamed or moved, or "
            "FOLDER was written in another way"
        )

    def echo_changes(
        self,
        task: EvaluationTask,
        splits: Splits,
        result: EvaluationResult,
        **engine: Any,
    ) -> None:
        """Report recall and flips, where the old model is trained without the added tracks.

        Both are trained and tested in the same folds: a model's answers for tracks that it was
        trained on say nothing.
        """
        import numpy as np

        from skgenre.evaluation import EvaluationResult, Splits, compare_answers, iter_folds

        is_old = np.array([path in self._old for path in task.data])
        folds = [(train[is_old[train]], test) for train, test in splits]
        if min(len(set(task.y[train].tolist())) for train, _ in folds) < 2:
            echo(
                "\nThe old tracks are too few to measure the old model in these folds; lower --cv."
            )
            return
        echo("\nWhat changes: the same folds without the added tracks in training (old), and with")
        echo("them (new).")
        without = Splits(splits.protocol, folds, splits.by_segment)
        with redirect_stdout(sys.stderr):
            outcomes = list(iter_folds(task, without, **engine))
        old_result = EvaluationResult.from_folds(task, without, outcomes, n_bootstrap=0)
        names = np.array(task.names, dtype=object)
        for title, rows in (("old tracks", is_old), ("added tracks", ~is_old)):
            if rows.any():
                changes = compare_answers(old_result, result, names[rows])
                table = [
                    [str(row["genre"]), row["n_tracks"], Share(row["old"]), Share(row["new"])]
                    for row in changes.genres
                ]
                table.append(["all", changes.n_tracks, *map(Share, changes.accuracy.values())])
                echo()
                echo_table([title, "tracks", "old recall", "new recall"], table)
                for line in changes.summary():
                    echo(f"  {line}")
