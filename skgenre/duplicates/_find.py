"""The search for duplicates: the same file, the same sound, the same recording."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils import parallel
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from skgenre.duplicates._copies import find_copies
from skgenre.duplicates._fingerprint import Fingerprint, fingerprint, n_frames_in
from skgenre.duplicates._matches import find_matches
from skgenre.duplicates._merge import joined
from skgenre.utils._parallel import stream
from skgenre.utils._records import Record, markdown_table
from skgenre.utils._validation import as_rows
from skgenre.utils._warnings import (
    TrackWarning,
    gather_track_warnings,
    warn_of_tracks,
)
from skgenre.utils._waveforms import track_name

# From the surest to the least sure.
KINDS = ("same file", "same sound", "same recording")


@dataclass(frozen=True)
class DuplicateGroup:
    """Tracks that are one recording.

    Attributes
    ----------
    rows : list of int
        Their rows in what was searched, increasing.
    tracks : list of str
        Their paths, or "track 3" for waveforms.
    kind : {"same file", "same sound", "same recording"}
        What all of them share: the bytes of the file; the decoded samples, whatever the
        container and the tags; or the recording, encoded in another way, cut to another length
        or begun elsewhere.
    similarity : float
        Lowest correlation of the fingerprints of two tracks by which the group is held together,
        over their overlap: 1.0 for the first two kinds, about 0 for unrelated tracks.
    """

    rows: list[int]
    tracks: list[str]
    kind: str
    similarity: float


@dataclass(frozen=True, repr=False)
class Duplicates(Record):
    """The result of :func:`skgenre.find_duplicates`: a sequence of groups.

    Attributes
    ----------
    n_tracks : int
        Number of tracks that were searched.
    groups : list of DuplicateGroup
        The groups, in the order of their first rows.
    skipped : list of [str, str]
        Name of each track that could not be read, and the error.
    """

    _format: ClassVar[str] = "skgenre-duplicates-1"

    n_tracks: int
    groups: list[DuplicateGroup]
    skipped: list[list[str]] = field(default_factory=list)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Make a record of the values of ``to_dict``.

        Parameters
        ----------
        values : dict
            As ``to_dict`` returns it.

        Returns
        -------
        record : Duplicates
            Equal to the original.
        """
        groups = [DuplicateGroup(**group) for group in values.get("groups", ())]
        return super().from_dict({**values, "groups": groups})

    @property
    def surplus(self) -> list[int]:
        """Rows to leave out so that one track of each group is left."""
        return sorted(row for group in self.groups for row in group.rows[1:])

    def to_markdown(self) -> str:
        """Return the groups as a table in Markdown.

        Returns
        -------
        table : str
            One row a track.
        """
        rows = [
            [track, str(number), group.kind, f"{group.similarity:.2f}"]
            for number, group in enumerate(self.groups, 1)
            for track in group.tracks
        ]
        return markdown_table(["track", "group", "kind", "similarity"], rows)

    def _title(self) -> str:
        return f"Duplicates: {len(self.groups)} groups in {self.n_tracks} tracks"

    def __len__(self) -> int:
        return len(self.groups)

    def __iter__(self) -> Iterator[DuplicateGroup]:
        return iter(self.groups)

    def __getitem__(self, number: int) -> DuplicateGroup:
        return self.groups[number]


@validate_params(
    {
        "min_similarity": [Interval(Real, 0.2, 1, closed="both")],
        "min_overlap": [Interval(Real, 2, None, closed="left")],
        "duration": [Interval(Real, 0, None, closed="neither")],
        "waveform_sampling_rate": [Interval(Real, 1, None, closed="left")],
        "on_error": [StrOptions({"raise", "skip"})],
        "n_jobs": [Integral, None],
    },
    prefer_skip_nested_validation=True,
)
def find_duplicates(
    tracks: Any,
    *,
    min_similarity: float = 0.5,
    min_overlap: float = 3.0,
    duration: float = 300.0,
    waveform_sampling_rate: float = 22050,
    on_error: str = "raise",
    n_jobs: int | None = None,
) -> Duplicates:
    """Find recordings that are in a collection more than once.

    Parameters
    ----------
    tracks : sequence of n_tracks tracks
        Paths, waveforms, or pairs ``(waveform, sampling_rate)``.
    min_similarity : float, default=0.5
        Correlation of the fingerprints from which on two tracks are the same recording, if they
        overlap by 10 s or more; a shorter overlap must agree better, by up to 0.3 more for 3 s.
        Unrelated tracks have about 0.
    min_overlap : float, default=3.0
        Seconds that two tracks must have in common, 2 or more; also the shortest track that is
        compared by its fingerprint. Shorter ones are found as the same file or sound only.
    duration : float, default=300.0
        Seconds of each track that are compared, from its start.
    waveform_sampling_rate : float, default=22050
        Rate in Hz of waveforms given as plain arrays.
    on_error : {"raise", "skip"}, default="raise"
        What to do with a file that cannot be read; "skip" warns, and lists it in ``skipped``.
    n_jobs : int or None, default=None
        Tracks that are decoded at the same time, in threads; -1 means all cores.

    Returns
    -------
    duplicates : Duplicates
        A sequence of :class:`~skgenre.duplicates.DuplicateGroup`; tracks without a duplicate are
        in none.

    Raises
    ------
    ValueError, OSError
        If a track cannot be read and ``on_error`` is "raise".

    Warns
    -----
    UserWarning
        Of tracks that are skipped.
    NoSoundWarning
        Of tracks without sound, which are compared by the bytes of their files only.

    See Also
    --------
    leakage_audit : Takes the result, to keep artists who share a recording on one side.
    skgenre.duplicates.merge_artists : Joins such artists.

    Notes
    -----
    - The fingerprint has 32 bits each 46 ms, which say how the slope of the spectrum from 250 to
      2500 Hz changes [1]_. It survives lossy encoding, another sampling rate, volume and mono, but
      not another tempo or pitch.
    - Covers, live versions and remasters that were mixed anew are other recordings; a remix that
      keeps most of the sound at one tempo, or a track in which it is one of several, may or may
      not be found.
    - A group holds tracks that are connected by duplicates: two excerpts without an overlap
      are in one group with the track that has both.
    - Decoded samples are compared in mono.
    - Memory: about 1 kB for each second of music, and no table of all pairs.

    References
    ----------
    .. [1] J. Haitsma and T. Kalker, "A Highly Robust Audio Fingerprinting System", ISMIR 2002.

    Examples
    --------
    >>> from skgenre import find_duplicates, make_genres
    >>> tracks = list(make_genres(2, genres=["dub", "swing"], duration=5.0, random_state=0).data)
    >>> tracks.append(0.5 * tracks[1][22050:])  # quieter, and without the first second
    >>> for group in find_duplicates(tracks):
    ...     print(group.rows, group.kind)
    [1, 4] same recording
    """
    rows = as_rows(tracks)
    names = [track_name(track, row) for row, track in enumerate(rows)]
    links = [(copies[0], row, KINDS[0], 1.0) for copies in find_copies(rows) for row in copies[1:]]
    copied = {row for _, row, *_ in links}
    prints, skipped = _fingerprints(
        {row: (rows[row], names[row]) for row in range(len(rows)) if row not in copied},
        {"duration": duration, "waveform_rate": waveform_sampling_rate},
        on_error,
        n_jobs,
    )
    first_of: dict[bytes, int] = {}
    for row, found in prints.items():
        if found.digest is not None and (first := first_of.setdefault(found.digest, row)) != row:
            links.append((first, row, KINDS[1], 1.0))
    compared = list(first_of.values())
    matches = find_matches(
        [prints[row].codes for row in compared],
        [prints[row].is_active for row in compared],
        min_similarity=min_similarity,
        n_least=n_frames_in(min_overlap),
    )
    for match in matches:
        first, second = compared[match.first], compared[match.second]
        links.append((first, second, KINDS[2], round(match.similarity, 4)))
    return Duplicates(len(rows), _groups(names, links), skipped)


def _fingerprints(
    tracks: dict[int, tuple[Any, str]], params: dict[str, float], on_error: str, n_jobs: int | None
) -> tuple[dict[int, Fingerprint], list[list[str]]]:
    """Compute the fingerprint of each track that can be read; return the errors of the others."""
    prints, skipped, problems = {}, [], []
    results = stream(parallel, _try, params, tracks.values(), n_jobs, prefer="threads")
    for (row, (_, name)), (found, warnings) in zip(tracks.items(), results, strict=True):
        problems += warnings
        if not isinstance(found, Exception):
            prints[row] = found
        elif on_error == "raise":
            raise found
        else:
            skipped.append([name, str(found)])
            advice = "Duplicates of them are not found: repair them, or leave them out."
            problems.append(TrackWarning(name, str(found), "could not be read", advice))
    warn_of_tracks(problems)
    return prints, skipped


def _try(
    params: dict[str, float], track: Any, name: str
) -> tuple[Fingerprint | Exception, list[TrackWarning]]:
    with gather_track_warnings() as found:
        try:
            result: Fingerprint | Exception = fingerprint(track, name, **params)
        except (ValueError, OSError, TypeError) as error:
            result = error
    return result, list(dict.fromkeys(found))


def _groups(names: list[str], links: list[tuple[int, int, str, float]]) -> list[DuplicateGroup]:
    roots = np.array(joined(len(names), [link[:2] for link in links]))
    of_group: dict[int, list[tuple[int, int, str, float]]] = {}
    for link in links:
        of_group.setdefault(int(roots[link[0]]), []).append(link)
    groups = []
    for root, found in sorted(of_group.items()):
        rows = np.flatnonzero(roots == root).tolist()
        kind = max((link[2] for link in found), key=KINDS.index)
        lowest = min(link[3] for link in found)
        groups.append(DuplicateGroup(rows, [names[row] for row in rows], kind, lowest))
    return groups
