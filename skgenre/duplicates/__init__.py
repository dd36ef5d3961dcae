"""Recordings that are in a collection more than once."""

from skgenre.duplicates._copies import find_copies
from skgenre.duplicates._find import DuplicateGroup, Duplicates, find_duplicates
from skgenre.duplicates._merge import merge_artists

__all__ = [
    "DuplicateGroup",
    "Duplicates",
    "find_copies",
    "find_duplicates",
    "merge_artists",
]
