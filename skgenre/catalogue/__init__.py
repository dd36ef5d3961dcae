"""Whole catalogues: find the files, predict each of them, record the answers."""

from skgenre.catalogue._find import (
    DistinctPaths,
    FoundPaths,
    count_left_out,
    find_paths,
    read_list,
)
from skgenre.catalogue._models import load_model, read_info
from skgenre.catalogue._playlists import write_playlists
from skgenre.catalogue._predict_files import FilePrediction, file_id, predict_files
from skgenre.catalogue._record_files import RecordWriter, open_records, read_records

__all__ = [
    "DistinctPaths",
    "FilePrediction",
    "FoundPaths",
    "RecordWriter",
    "count_left_out",
    "file_id",
    "find_paths",
    "load_model",
    "open_records",
    "predict_files",
    "read_info",
    "read_list",
    "read_records",
    "write_playlists",
]
