"""A plugin of beets that fills in genres by a model: at import, and with ``beet skgenre``."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

from skgenre.catalogue import FilePrediction, load_model, predict_files, read_info
from skgenre.tags import words_to_write
from skgenre.utils._vocabulary import read_vocabulary

try:
    import confuse
    import mediafile
    from beets import ui
    from beets.plugins import BeetsPlugin
except ImportError as error:
    raise ImportError(
        'The plugin needs beets 2.7 or later: pip install "skgenre[beets]"'
    ) from error

_OPTIONS: dict[str, Any] = {
    "model": None,
    "auto": True,
    "min_confidence": 0.0,
    "min_accuracy": None,
    "overwrite": False,
    "max_genres": 1,
    "vocabulary": {},
    "exclude": [],
    "write": None,
    "jobs": 1,
}


class GenrePlugin(BeetsPlugin):
    """Genres of a model for the items of a beets library.

    ``plugins: skgenre`` in the configuration of beets loads it; docs/beets.md describes its
    options.
    """

    def __init__(self) -> None:
        super().__init__()
        self.config.add(_OPTIONS)
        self._filled: set[int] = set()
        if self.config["auto"].get(bool):
            self.import_stages = [self._before_files]
            listen: Any = self.register_listener  # whose types want a name for each keyword
            listen("import_begin", self._check)
            listen("import_task_files", self._after_files)

    def commands(self) -> Sequence[ui.Subcommand]:
        """Return the command ``beet skgenre``."""
        command = ui.Subcommand("skgenre", help="predict genres from the sound")
        add = command.parser.add_option
        add("-p", "--pretend", action="store_true", help="show the genres, but change nothing")
        add("-o", "--overwrite", action="store_true", help="replace genres that are there")
        add("-w", "--write", action="store_true", help="write the genres into the files' tags")
        add("-W", "--nowrite", action="store_false", dest="write", help="do not write tags")
        command.func = self._command
        return [command]

    def _command(self, library: Any, options: Any, query: list[str]) -> None:
        given = {"overwrite": options.overwrite, "write": options.write}
        self.config.set({name: value for name, value in given.items() if value is not None})
        self._check()
        items = list(library.items(query))
        changed = self._fill(
            items,
            write=ui.should_write(self._write),
            pretend=bool(options.pretend),
            report=ui.print_,
        )
        albums = {} if options.pretend else {item.album_id: item.get_album() for item in changed}
        for album in albums.values():
            self._fill_album(album)
        would = "would get" if options.pretend else "got"
        ui.print_(f"{len(changed)} of {len(items)} items {would} genres.")

    def _before_files(self, session: Any, task: Any) -> None:
        """Fill in the genres before beets moves the files, by genre perhaps, and writes tags."""
        if self._write is not False:
            self._imported(task)

    def _after_files(self, session: Any, task: Any) -> None:
        """Do what ``write`` asks for where beets itself writes all tags or none."""
        if self._write is False:
            self._imported(task)
        for item in task.imported_items() if self._write else ():
            if item.id in self._filled:
                item.try_write()
                item.store()

    def _imported(self, task: Any) -> None:
        items = list(task.imported_items())
        self._filled.update(item.id for item in self._fill(items))
        if task.is_album:
            self._fill_album(task.album)

    def _fill(
        self,
        items: Sequence[Any],
        *,
        write: bool = False,
        pretend: bool = False,
        report: Callable[[str], None] | None = None,
    ) -> list[Any]:
        """Give genres to items, each as soon as it is predicted; return those that changed."""
        wanted = [item for item in items if self._is_wanted(item, write)]
        found = predict_files(
            self._model,
            [item.path for item in wanted],
            n_jobs=self.config["jobs"].get(int),
            min_confidence=self._min_confidence,
            max_genres=self.config["max_genres"].get(int),
        )
        changed = []
        for item, prediction in zip(wanted, found, strict=True):
            words = self._words(item, prediction)
            if not words or words == list(item.genres or ()):
                continue
            if report is not None:
                before = "; ".join(item.genres or ()) or "(none)"
                sure = next(iter(prediction.probabilities.values()))
                report(f"{item}: {before} -> {'; '.join(words)} ({sure:.3f})")
            changed.append(item)
            if not pretend:
                item.genres = words
                item.try_sync(write=write, move=False)
        return changed

    def _is_wanted(self, item: Any, write: bool) -> bool:
        if self.config["overwrite"].get(bool):
            return True
        if item.genres:
            return False
        genres = _genres_in_file(item.path) if write else []
        if genres:
            self._log.warning(
                "{}: the file has the genre {}, which the library does not know; left alone. "
                "`beet update` reads it.",
                item,
                "; ".join(genres),
            )
        return not genres

    def _words(self, item: Any, prediction: FilePrediction) -> list[str]:
        """Return the genres to store, none where the item stays as it is."""
        try:
            words, cause, reason = words_to_write(
                prediction.to_dict(), vocabulary=self._vocabulary, exclude=self._exclude
            )
        except ValueError as error:
            raise ui.UserError(f"skgenre: {error}") from error
        if prediction.status == "error":
            self._log.warning("{}: {}", item, reason)
        elif cause:
            self._log.info("{}: no genre, {}", item, reason)
        return words

    def _fill_album(self, album: Any) -> None:
        """Give an album the genres that most of its items have."""
        if album is None or (album.genres and not self.config["overwrite"].get(bool)):
            return
        counts = Counter(tuple(item.genres) for item in album.items() if item.genres)
        if counts:
            album.genres = list(counts.most_common(1)[0][0])
            album.store(inherit=False)  # the items have their own

    def _check(self) -> None:
        """Raise what is wrong with the options before any work."""
        try:
            known = set(map(str, self._model.classes_))
            unknown = sorted({*self._vocabulary, *self._exclude} - known)
            if unknown:
                raise ValueError(
                    f"vocabulary or exclude names {', '.join(map(repr, unknown))}; the model has "
                    f"{', '.join(map(repr, sorted(known)))}."
                )
            if self._write not in (None, True, False):
                raise ValueError(f"write is {self._write!r}; expected yes or no.")
            # It checks the numbers at once.
            predict_files(
                self._model,
                (),
                min_confidence=self._min_confidence,
                max_genres=self.config["max_genres"].get(int),
            )
        except (OSError, ValueError, ImportError) as error:
            raise ui.UserError(f"skgenre: {error}") from error

    @cached_property
    def _model(self) -> Any:
        model = load_model(self._model_path)
        if not hasattr(model, "predict_proba"):
            raise ValueError(
                f"{self._model_path} holds a {type(model).__name__}; expected a classifier of "
                "audio files, such as `skgenre train` writes."
            )
        return model

    @property
    def _model_path(self) -> str:
        if self.config["model"].get() is None:
            raise ValueError(
                "no model is set; train one by `skgenre train` and give its path as `model` under "
                "`skgenre` in the configuration."
            )
        return self.config["model"].as_filename()

    @property
    def _write(self) -> bool | None:
        return self.config["write"].get()

    @property
    def _exclude(self) -> list[str]:
        return self.config["exclude"].as_str_seq()

    @cached_property
    def _vocabulary(self) -> dict[str, tuple[str, ...]]:
        view = self.config["vocabulary"]
        is_file = isinstance(view.get(), str)
        return read_vocabulary(view.as_filename() if is_file else view.get(dict))

    @cached_property
    def _min_confidence(self) -> float:
        accuracy = self.config["min_accuracy"].get(confuse.Optional(confuse.Number()))
        if accuracy is None:
            return self.config["min_confidence"].as_number()
        return read_info(self._model_path).min_confidence(accuracy)


def _genres_in_file(path: bytes) -> Iterable[str]:
    try:
        return mediafile.MediaFile(os.fsdecode(path)).genres or []
    except mediafile.UnreadableFileError:
        return []  # prediction says what is wrong with it
