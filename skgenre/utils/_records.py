"""Results as plain values: JSON files that read back equal, and tables."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Self

from skgenre.utils._io import write_whole


class Record:
    """A dataclass of plain values that is saved as JSON and read back equal."""

    _format: ClassVar[str]

    def to_dict(self) -> dict[str, Any]:
        """Return all values as plain dicts and lists.

        Returns
        -------
        values : dict
            What ``save`` writes.
        """
        return {"format": self._format, **asdict(self)}  # type: ignore[call-overload]

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Undo ``to_dict``.

        Parameters
        ----------
        values : dict
            As ``to_dict`` returns it.

        Returns
        -------
        record : object
            Equal to the one that was written.
        """
        values = dict(values)
        found = values.pop("format", None)
        if found != cls._format:
            raise ValueError(
                f"Expected a file of the format {cls._format!r}, got {found!r}: it was written by "
                f"something else than {cls.__name__}.save, or by another version of it."
            )
        return cls(**values)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a JSON file; under its name only when it is complete.

        Parameters
        ----------
        path : str or PathLike
            The file; one that is there is replaced.
        """
        text = json.dumps(self.to_dict(), indent=1, allow_nan=False)
        write_whole(path, text + "\n")

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read a JSON file that ``save`` wrote.

        Parameters
        ----------
        path : str or PathLike
            The file.

        Returns
        -------
        record : object
            Equal to the one that was saved.

        Raises
        ------
        ValueError
            If the file is no such JSON.
        """
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path} is no JSON file ({error}).") from error
        if not isinstance(values, dict):
            raise ValueError(f"{path} holds a {type(values).__name__}; expected an object.")
        return cls.from_dict(values)


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table whose first column is text and whose others are numbers."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines = [list(head), ["---", *["---:"] * (len(head) - 1)], *cells]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def import_pandas() -> Any:
    """Import pandas, or say how to get it."""
    try:
        return import_module("pandas")
    except ImportError as error:
        raise ImportError(
            "to_frame needs pandas; install it with: pip install pandas. to_markdown and save do "
            "without."
        ) from error
