"""The command ``skgenre demo``."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skgenre.cli._model import load_model
from skgenre.cli._report import Share, as_argument, echo, echo_table


@dataclass(frozen=True)
class Settings:
    """Size of the demonstration, small enough for a minute."""

    genres: tuple[str, ...] = ("dub", "swing", "thrash", "waltz")
    n_tracks_per_genre: int = 12
    n_artists: int = 6
    duration: float = 6.0
    overlap: float = 0.3
    n_folds: int = 3


_TITLES = {"recommended": "GenreClassifier", "summary": "logistic regression"}


def run(args: argparse.Namespace, settings: Settings | None = None) -> int:
    """Make music, compare classifiers, keep the better one, predict new files."""
    with _workplace(args.keep) as folder:
        _demonstrate(folder, args.seed, settings or Settings())
    if args.keep is not None:
        echo(f"\nThe music and the model are in {args.keep}.")
        kept = as_argument(args.keep)
        echo(f"Next: skgenre predict {kept}/model.skgenre {kept}/new/*/*.wav")
    else:
        echo("\nNext, with music of your own: skgenre train FOLDER --out MODEL")
    return 0


@contextmanager
def _workplace(keep: str | None) -> Iterator[Path]:
    """Yield a folder that is removed at the end, or becomes ``keep`` after a success."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="skgenre-demo-") as folder:
            yield Path(folder)
        return
    target = Path(os.path.abspath(keep))
    if target.is_dir() and any(target.iterdir()):
        raise FileExistsError(f"{keep} is not empty; --keep takes a new or empty folder.")
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(f"{keep} is a file; --keep takes a new or empty folder.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {target.parent} to make {keep} in.")
    # Beside the target: only within a file system is a move one step.
    with tempfile.TemporaryDirectory(prefix=".skgenre-demo-", dir=target.parent) as folder:
        place = Path(folder) / "demo"
        place.mkdir()
        yield place
        if target.is_dir():
            target.rmdir()  # empty; not every system moves a folder onto another
        place.rename(target)


def _demonstrate(folder: Path, seed: int, settings: Settings) -> None:
    from skgenre import evaluate, load_genre_folder, make_genres, save

    sound: dict[str, Any] = {"duration": settings.duration, "overlap": settings.overlap}
    make_genres(
        settings.n_tracks_per_genre,
        genres=settings.genres,
        n_artists=settings.n_artists,
        path=folder / "music",
        random_state=seed,
        **sound,
    )
    music = load_genre_folder(folder / "music")
    y, artists = music.target, music.artists
    n_artists = len(set(artists))
    echo(
        f"Made {len(y)} tracks of {settings.duration:g} s by {n_artists} artists, and read them "
        f"back as WAV files:\n{len(music.target_names)} genres ({', '.join(music.target_names)})."
    )
    models = _models(settings.duration, seed)
    echo(
        f"\nCross-validation in {settings.n_folds} folds. All tracks of an artist are in the same "
        "fold, so that\na classifier is tested on artists that it was not trained on.\n"
    )
    results = {
        name: evaluate(
            model,
            (music.data, y, artists),
            n_folds=settings.n_folds,
            n_bootstrap=0,
            random_state=seed,
        )
        for name, model in models.items()
    }
    found: dict[str, list[Any]] = {
        name: [r.overall[metric]["value"] for metric in ("track_accuracy", "balanced_accuracy")]
        for name, r in results.items()
    }
    chance = Share(1 / len(music.target_names))
    rows: list[list[object]] = [
        [_TITLES[name], *map(Share, values)] for name, values in found.items()
    ]
    echo_table(
        ["classifier", "track accuracy", "balanced accuracy"], [*rows, ["chance", chance, chance]]
    )
    best = max(found, key=lambda name: found[name][0])
    models[best].fit(music.data, y, **({"groups": artists} if best == "recommended" else {}))
    details = {"y": y, "artists": artists, "evaluation": results[best]}
    model = load_model(str(save(models[best], folder / "model.skgenre", **details)))
    echo(f"\nFitted {_TITLES[best]} on all {len(y)} tracks, saved the model and loaded it back.")

    # Another random state means other artists.
    new = make_genres(
        1, genres=settings.genres, path=folder / "new", random_state=(seed + 1) % 2**32, **sound
    )
    proba = model.predict_proba(new.data)
    names = [str(name) for name in model.classes_]
    echo("\nNew files by artists that are not in the training music, with their probabilities:\n")
    echo_table(
        ["file", "predicted", *names],
        [
            [os.path.basename(file), names[row.argmax()], *map(Share, row.tolist())]
            for file, row in zip(new.data, proba, strict=True)
        ],
    )
    n_right = int((model.classes_[proba.argmax(axis=1)] == new.target).sum())
    echo(
        f"\n{n_right} of {len(new.target)} are right. These few files are an example of use; the "
        "cross-validation measures the accuracy."
    )
    _explain(len(y))


def _models(duration: float, seed: int) -> dict[str, Any]:
    """Return the recommended model, and one of scikit-learn on a table of summary features."""
    from sklearn.linear_model import LogisticRegression

    from skgenre import GenreClassifier, SummaryExtractor, make_genre_pipeline

    return {
        "recommended": GenreClassifier(random_state=seed),
        "summary": make_genre_pipeline(
            LogisticRegression(max_iter=1000),
            duration=duration,
            n_segments=None,
            extractor=SummaryExtractor(),
        ),
    }


def _explain(n_tracks: int) -> None:
    echo(
        f"""
What the numbers mean
- GenreClassifier: support vector machines on all features, the model for your own music.
  Logistic regression: scikit-learn's, on means and variances of a few features.
- Track accuracy: the share of tracks whose genre is right.
- Balanced accuracy: the mean over the genres of the share of their tracks that is right.
- Chance: the accuracy of guessing. With {n_tracks} tracks, a difference of ten points can be luck.
- No artist is in training and in test. Otherwise a classifier can recognise the artist
  instead of the genre, and the accuracy comes out too high.
- The music is synthetic, short and made for this. It shows that the parts work together;
  it is no benchmark, and says nothing about accuracy on recorded music."""
    )
