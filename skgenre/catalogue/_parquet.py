"""Records as a table in a Parquet file, which is written at the end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from skgenre.catalogue._predict_files import FilePrediction
from skgenre.utils._io import open_whole

ROWS = 10_000  # that are converted together


def as_text(path: str) -> str:
    """Write what is no text in a path as escapes."""
    return path.encode("utf-8", "backslashreplace").decode()


def import_pyarrow() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            "Parquet needs pyarrow; install it with: pip install pyarrow, or choose .jsonl or .csv."
        ) from error
    return pyarrow.parquet


def write_parquet(records: Iterator[FilePrediction], target: Path) -> None:
    """Convert records to Parquet, some at a time."""
    parquet = import_pyarrow()
    import pyarrow as pa

    text, number = pa.string(), pa.float64()
    segment = pa.struct([("genre", text), ("probability", number)])
    schema = pa.schema(
        [
            *((name, text) for name in ("schema", "path", "status", "genre")),
            ("genres", pa.list_(text)),
            ("probabilities", pa.map_(text, number)),
            ("reason", text),
            ("duration", number),
            ("seconds", number),
            ("key", text),
            ("model", text),
            ("min_confidence", number),
            ("top", pa.int64()),
            ("max_genres", pa.int64()),
            ("set_probability", number),
            ("segments", pa.list_(segment)),
            ("tags", pa.map_(text, number)),
        ]
    )
    absent: dict[str, Any] = {"segments": None, "tags": None}
    with open_whole(target) as stream, parquet.ParquetWriter(stream, schema) as writer:
        while some := [{**absent, **found.to_dict()} for found in islice(records, ROWS)]:
            for values in some:
                for name in ("probabilities", "tags"):
                    values[name] = values[name] and list(values[name].items())
                values["path"] = as_text(values["path"])
            writer.write_table(pa.Table.from_pylist(some, schema=schema))
