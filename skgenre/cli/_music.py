"""The music that the commands train on and measure with."""

from __future__ import annotations

import argparse
import os
import warnings
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from skgenre.cli._report import echo, echo_table

if TYPE_CHECKING:
    from skgenre.persistence import ModelInfo


def load_music(args: argparse.Namespace, folder: str, *, single_genre: bool = False) -> Any:
    """List the music and report it, with duplicates joined if that is asked for."""
    music = _load(args, folder, single_genre=single_genre)
    _echo_music(folder, music)
    if args.dask is not None:  # its workers have working directories of their own
        music.data = list(map(os.path.abspath, music.data))
    return _without_duplicates(args, music) if args.find_duplicates else music


def is_trained_on(info: ModelInfo, paths: Iterable[str]) -> bool:
    """Return whether a model was trained on exactly these tracks, by the hash of their paths.

    The file of the model has the hash of the paths as they were given, such as "music/dub/1.wav".
    Each of these tracks may be given in another way: relative to this folder or absolute, with
    "..", or through links.
    """
    from skgenre.persistence import tracks_digest

    given = [os.fsdecode(path) for path in paths]
    spellings = (str, os.path.normpath, os.path.abspath, os.path.realpath, _relative)
    return any(info.tracks_sha256 == tracks_digest(list(map(spell, given))) for spell in spellings)


def _relative(path: str) -> str:
    try:
        return os.path.relpath(path)
    except ValueError:  # another drive of Windows
        return path


def _load(args: argparse.Namespace, folder: str, *, single_genre: bool) -> Any:
    """List the music; files that cannot be used are an error without --skip-corrupt."""
    from skgenre import load_genre_folder, load_tagged_folder

    on_error = "skip" if args.skip_corrupt else "raise"
    about_tags = {
        name: getattr(args, name)
        for name in ("vocabulary", "several", "min_tracks", "min_artists")
        if getattr(args, name) is not None
    }
    if args.labels == "tags":
        if args.metadata.lower() not in ("auto", "none") or args.genres_from != "auto":
            raise ValueError("--metadata and --genres-from are no options of --labels tags.")
        need_artist = args.metadata.lower() != "none"
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"\d+ of \d+ files of .* were left out", UserWarning)
            return load_tagged_folder(
                folder,
                need_artist=need_artist,
                on_error=on_error,
                single_genre=single_genre,
                **about_tags,
            )
    if about_tags:
        option = "--" + next(iter(about_tags)).replace("_", "-")
        raise ValueError(f"{option} is an option of --labels tags only.")
    with warnings.catch_warnings():
        # They are reported here, each by name.
        warnings.filterwarnings("ignore", r"\d+ of \d+ files of .* were left out", UserWarning)
        return load_genre_folder(
            folder,
            metadata=None if args.metadata.lower() == "none" else args.metadata,
            genres_from=args.genres_from,
            on_error=on_error,
            single_genre=single_genre,
        )


def _echo_music(folder: str, music: Any) -> None:
    echo(f"Music in {folder}")
    header = ["genre", "tracks"]
    tracks = Counter(music.target.tolist())
    rows: list[list[object]] = [[genre, tracks[genre]] for genre in music.target_names]
    rows.append(["total", len(music.data)])
    if music.artists is not None:
        header.append("artists")
        for row in rows[:-1]:
            row.append(len(set(music.artists[music.target == row[0]])))
        rows[-1].append(len(set(music.artists)))
    echo_table(header, rows)
    if music.genres_from == "tags":
        _echo_tags(music)
        return
    by_table = music.genres_from == "metadata"
    if by_table and music.metadata != "gtzan":
        echo(f"Genres are from {music.metadata}.")
    if music.artists is None:
        echo("Artists are not known.")
    elif music.metadata == "gtzan":
        what = "genres and artists" if by_table else "artists"
        echo(
            f"All files are named as clips of GTZAN: {what} are from the package's table of GTZAN."
        )
    else:
        echo(f"Artists are from {music.metadata}.")
    echo_left_out(reason for _, reason in music.skipped)


def _echo_tags(music: Any) -> None:
    echo("Genres and artists are from the tags of the files.")
    if music.artists is None:
        echo("Artists are not known.")
    if music.n_several:
        echo(f"Files with several genres, of which the first counts: {music.n_several}.")
    for reason, count in music.left_out.items():
        echo(f"Left out: {count} files, {reason}")


def echo_left_out(reasons: Iterable[str]) -> None:
    for reason in reasons:
        echo(f"Left out: {reason}")


def _without_duplicates(args: argparse.Namespace, music: Any) -> Any:
    """Join the artists who share a recording, or without artists leave copies out."""
    from skgenre.duplicates import find_duplicates, merge_artists

    found = find_duplicates(
        music.data, on_error="skip" if args.skip_corrupt else "raise", n_jobs=args.jobs
    )
    n_tracks = sum(len(group.rows) for group in found)
    echo(f"\n{len(found)} recordings are there more than once, as {n_tracks} tracks.")
    if music.artists is not None:
        artists = merge_artists(music.artists, found)
        n_joined = len(set(music.artists.tolist())) - len(set(artists.tolist()))
        echo(f"Artists who share a recording count as one: {n_joined} fewer.")
        music.artists = artists
        return music
    kept = sorted(set(range(len(music.data))) - set(found.surplus))
    echo(f"Left out: {len(found.surplus)} tracks, of each recording all but the first")
    music.data, music.target = [music.data[row] for row in kept], music.target[kept]
    return music
