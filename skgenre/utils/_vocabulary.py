"""A vocabulary: the words that tags use for each genre of a model."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

Vocabulary = Mapping[str, str | Sequence[str]]
_EXPECTED = 'expected genres with their words, such as {"hiphop": "Hip-Hop", "metal": ["Rock"]}'


def read_vocabulary(
    vocabulary: Vocabulary | str | os.PathLike[str] | None,
) -> dict[str, tuple[str, ...]]:
    """Check a vocabulary, or read it from a file.

    Parameters
    ----------
    vocabulary : mapping, str, PathLike or None
        The words of each genre, or a JSON file of them; None means none.

    Returns
    -------
    words : dict of str to tuple of str
        The words of each genre, without blanks around them.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no vocabulary, or a genre has no word.
    """
    if vocabulary is None:
        return {}
    named = "vocabulary"
    if isinstance(vocabulary, (str, os.PathLike)):
        named = f"vocabulary {os.fspath(vocabulary)}"
        try:
            vocabulary = json.loads(Path(vocabulary).read_text(encoding="utf-8-sig"))
        except ValueError as error:
            raise ValueError(f"The {named} is no JSON ({error}); {_EXPECTED}.") from error
    if not isinstance(vocabulary, Mapping):
        raise ValueError(f"The {named} is a {type(vocabulary).__name__}; {_EXPECTED}.")
    found = {}
    for genre, words in vocabulary.items():
        listed = [words] if isinstance(words, str) else words
        is_list = isinstance(listed, Sequence) and all(isinstance(word, str) for word in listed)
        if not (isinstance(genre, str) and is_list and any(map(str.strip, listed))):
            raise ValueError(f"The {named} has {words!r} for {genre!r}; {_EXPECTED}.")
        found[genre] = tuple(dict.fromkeys(word.strip() for word in listed if word.strip()))
    return found
