"""Files with the same bytes."""

from __future__ import annotations

import os
from collections import defaultdict
from contextlib import suppress
from typing import Any

from skgenre.utils._cache_key import track_key
from skgenre.utils._validation import is_path, row_list


def find_copies(data: Any) -> list[list[int]]:
    """Find files that are listed more than once, also under other names.

    Only files of equal size are read.

    Parameters
    ----------
    data : sequence of n_tracks tracks
        Paths; tracks of other kinds are left out.

    Returns
    -------
    copies : list of list of int
        The rows of each file that is there more than once.
    """
    tracks = row_list(data)
    by_size = defaultdict(list)
    for row, track in enumerate(tracks):
        if is_path(track):
            with suppress(OSError, ValueError):  # the loader will raise an error
                by_size[os.stat(track).st_size].append(row)
    by_content = defaultdict(list)
    for rows in by_size.values():
        for row in rows if len(rows) > 1 else ():
            by_content[track_key(tracks[row], "content")].append(row)
    by_content.pop(None, None)  # files that are gone since
    return [rows for rows in by_content.values() if len(rows) > 1]
