"""Names of genres and artists, however they are spelled."""

from __future__ import annotations

import unicodedata
from functools import lru_cache


@lru_cache(maxsize=4096)  # a table repeats its artists and genres
def name_key(name: str) -> str:
    """Return what the spellings of a name have in common.

    Parameters
    ----------
    name : str
        Such as "Hip-Hop".

    Returns
    -------
    key : str
        The name without case, spaces, punctuation and Unicode form, such as "hiphop"; with its
        punctuation if it has nothing else, as "!!!".
    """
    name = unicodedata.normalize("NFKC", name).casefold().strip()
    # Separators, punctuation and control characters.
    return "".join(ch for ch in name if unicodedata.category(ch)[0] not in "ZPC") or name
