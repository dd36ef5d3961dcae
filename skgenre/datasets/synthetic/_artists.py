"""Artists of synthetic music: how each of them varies the style of a genre."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np

from skgenre.datasets.synthetic._styles import STYLES, Style


@dataclass(frozen=True)
class Artist:
    """The style of one artist, and habits that do not depend on the genre.

    Parameters
    ----------
    style : Style
        Rhythm, harmony and sound.
    tempo : float
        Position in the range of tempi of the style, from 0 (slow) to 1 (fast), or beyond it
        where genres overlap.
    key : int
        Pitch class of the tonic.
    taste : float
        From 0 to 1; selects the favourite progression and register.
    tuning : float
        In cents.
    tilt : float
        Equalisation in dB, from the lowest to the highest frequencies.
    level, noise_floor : float
        Root mean square of the music and of the noise, in dB of full scale.
    """

    style: Style
    tempo: float
    key: int
    taste: float
    tuning: float
    tilt: float
    level: float
    noise_floor: float


def draw_artist(genre: str, overlap: float, rng: np.random.Generator) -> Artist:
    """Draw an artist of a genre.

    Parameters
    ----------
    genre : str
        A key of ``STYLES``.
    overlap : float
        From 0 (close to the genre, weak habits) to 1 (much borrowed from other genres, strong
        habits).
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    artist : Artist
        The artist.
    """
    style = STYLES[genre]
    others = [other for name, other in STYLES.items() if name != genre]
    # All numbers are drawn whether they are used or not, so that the artist changes continuously
    # with `overlap` instead of becoming a different one.
    rhythm, harmony, sound = (others[i] for i in rng.integers(len(others), size=3))
    borrows = rng.random(2) < 0.5 * overlap
    share = overlap * rng.uniform(0.0, 1.0)
    style = Style(
        rhythm.rhythm if borrows[0] else style.rhythm,
        harmony.harmony if borrows[1] else style.harmony,
        vary(blend(style.sound, sound.sound, share), 0.1 + 0.5 * overlap, rng),
    )
    spread = 0.2 + 0.8 * overlap
    tempo, tuning, tilt, level, floor = spread * rng.uniform(-1.0, 1.0, size=5)
    return Artist(
        style,
        tempo=0.5 + 0.7 * tempo,
        key=int(rng.integers(12)),
        taste=rng.random(),
        tuning=40.0 * tuning,
        tilt=10.0 * tilt,
        level=-20.0 + 6.0 * level,
        noise_floor=-62.0 + 14.0 * floor,
    )


_T = TypeVar("_T")


def blend(first: _T, second: _T, share: float) -> _T:
    """Mix two sounds: ``share`` 0 is the first, 1 the second.

    Positive values are mixed geometrically, because the ear compares times and frequencies by
    their ratios.
    """

    def mix(a: Any, b: Any) -> Any:
        if is_dataclass(a):
            return blend(a, b, share)
        if a > 0 and b > 0:
            return a ** (1 - share) * b**share
        return a * (1 - share) + b * share

    return _map_fields(first, lambda name, a: mix(a, getattr(second, name)))


def vary(sound: _T, spread: float, rng: np.random.Generator) -> _T:
    """Multiply each value of a sound by a random factor; ``spread`` 1 is about an octave."""

    def bend(name: str, value: Any) -> Any:
        if is_dataclass(value):
            return vary(value, spread, rng)
        factor = 2.0 ** (spread * rng.uniform(-1.0, 1.0))
        if name in {"even", "sustain", "snare_noise"}:  # shares: at most the whole
            return min(1.0, value * factor)
        if name == "rolloff":  # an exponent already: an octave would be far too much
            return value * factor**0.4
        return value * factor

    return _map_fields(sound, bend)


def _map_fields(record: _T, function: Any) -> _T:
    # There is no type for "some dataclass" that fields() and replace() accept.
    names = [field.name for field in fields(record)]  # type: ignore[arg-type]
    return replace(
        record,  # type: ignore[type-var]
        **{name: function(name, getattr(record, name)) for name in names},
    )
