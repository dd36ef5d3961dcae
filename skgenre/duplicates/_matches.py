"""Pairs of tracks whose fingerprints agree at some offset.

Codes that two tracks have in common propose an offset, which the codes around them and then the
whole overlap confirm. No table of all pairs is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_N_BITS = 32
# Three bytes of a code are enough to propose an offset, as lossy encoding changes some bits.
_MASKS = [np.uint32(0xFFFFFFFF ^ (0xFF << shift)) for shift in (0, 8, 16, 24)]
_ENTRIES_AT_ONCE = 2**21
_PAIRS_AT_ONCE = 2**16
# Each track is compared with only this many of the following tracks that share a key. That still
# connects all copies of a recording, and a key that hundreds of tracks share stays cheap.
_N_NEXT = 16
_WINDOW = 32  # frames around a common code
# The window is noisier than the overlap.
_LOWER = 0.75
# Music of one style and tempo agrees for some seconds: a short overlap must agree better.
_MORE = 0.4
_LONG = 215  # frames, 10 s


class Match(NamedTuple):
    """Two tracks that agree."""

    first: int
    second: int
    similarity: float
    offset: int  # frames of the first at which the second begins


def find_matches(
    codes: Sequence[Array], is_active: Sequence[Array], *, min_similarity: float, n_least: int
) -> list[Match]:
    """Find the pairs of tracks that agree over an overlap of ``n_least`` frames or more."""
    lengths = np.array([len(track) for track in codes])
    if not lengths.sum():
        return []
    joined = np.concatenate(codes)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    usable = np.concatenate(is_active)
    n_parts = -(-len(joined) // _ENTRIES_AT_ONCE)
    best: dict[tuple[int, int], Match] = {}
    for mask, part in product(_MASKS, range(n_parts)):
        keys = joined & mask
        places = np.flatnonzero(usable & (keys % n_parts == part))
        proposals = set()
        for one, other in _common_keys(keys, places, starts):
            proposals |= _confirmed(joined, starts, one, other, min_similarity)
        for first, second, offset in sorted(proposals):
            pair = (codes[first], is_active[first], codes[second], is_active[second])
            for shift in (offset - 1, offset, offset + 1):
                similarity = _similarity(*pair, shift, min_similarity, n_least)
                found = best.get((first, second))
                if similarity and (found is None or similarity > found.similarity):
                    best[first, second] = Match(first, second, similarity, shift)
    return [best[pair] for pair in sorted(best)]


def _common_keys(keys: Array, places: Array, starts: Array) -> Iterator[tuple[Array, Array]]:
    """Yield places of equal keys in two tracks."""
    places = places[np.argsort(keys[places], kind="stable")]
    found = keys[places]
    track = np.searchsorted(starts, places, side="right") - 1
    # The first place of a key in each track; sustained sounds repeat it.
    is_first = np.ones(len(places), dtype=bool)
    is_first[1:] = (found[1:] != found[:-1]) | (track[1:] != track[:-1])
    places, found = places[is_first], found[is_first]
    for step in range(1, _N_NEXT + 1):
        (equal,) = np.nonzero(found[step:] == found[:-step])
        if not len(equal):
            return
        for start in range(0, len(equal), _PAIRS_AT_ONCE):
            rows = equal[start : start + _PAIRS_AT_ONCE]
            yield places[rows], places[rows + step]


def _confirmed(
    joined: Array, starts: Array, one: Array, other: Array, min_similarity: float
) -> set[tuple[int, int, int]]:
    """Return (first, second, offset) where the codes around the common one agree too."""
    first = np.searchsorted(starts, one, side="right") - 1
    second = np.searchsorted(starts, other, side="right") - 1
    before = np.minimum(one - starts[first], other - starts[second])
    after = np.minimum(starts[first + 1] - one, starts[second + 1] - other)
    # The window is moved into the overlap where the code is near an end of it.
    back = np.minimum(before, np.maximum(_WINDOW // 2, _WINDOW - after))
    keep = before + after >= _WINDOW
    one, other, first, second, back = (a[keep] for a in (one, other, first, second, back))
    window = np.arange(_WINDOW) - back[:, np.newaxis]  # (n_pairs, _WINDOW)
    differing = np.bitwise_count(
        joined[one[:, np.newaxis] + window] ^ joined[other[:, None] + window]
    )
    similarity = 1 - 2 * differing.sum(axis=1) / (_WINDOW * _N_BITS)
    keep = similarity >= _LOWER * min_similarity
    offset = (one - starts[first]) - (other - starts[second])
    rows = zip(first[keep].tolist(), second[keep].tolist(), offset[keep].tolist(), strict=True)
    return set(rows)


def _similarity(
    first: Array,
    active_1: Array,
    second: Array,
    active_2: Array,
    offset: int,
    min_similarity: float,
    n_least: int,
) -> float:
    """Return the correlation of the bits in the overlap; 0 where it is too low or too short."""
    start, stop = max(0, offset), min(len(first), len(second) + offset)
    if stop - start < n_least:
        return 0.0
    both = active_1[start:stop] & active_2[start - offset : stop - offset]
    n_both = int(both.sum())
    if n_both < n_least:
        return 0.0
    differing = np.bitwise_count(first[start:stop] ^ second[start - offset : stop - offset])
    similarity = float(1 - 2 * differing[both].sum() / (n_both * _N_BITS))
    needed = min_similarity + _MORE * max(0.0, 1 - n_both / _LONG)
    return similarity if similarity >= min(needed, 1.0) else 0.0
