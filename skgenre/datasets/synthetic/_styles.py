"""The styles of the genres of synthetic music."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Voice:
    """A pitched instrument.

    Partial ``k`` has the amplitude ``k ** -rolloff``, times ``even`` for even partials, and is
    further damped above ``cutoff`` (Hz). ``attack``, ``decay`` and ``release`` are in
    seconds. The tone decays towards ``sustain`` times its peak; ``dulling`` makes the partials
    above the lowest decay faster. ``detune`` (cents) adds a second, detuned tone and
    ``breath`` a share of noise.
    """

    rolloff: float = 1.0
    even: float = 1.0
    cutoff: float = 3000.0
    attack: float = 0.01
    decay: float = 0.5
    sustain: float = 0.5
    release: float = 0.05
    dulling: float = 1.0
    detune: float = 0.0
    breath: float = 0.0


@dataclass(frozen=True)
class Kit:
    """A drum kit: frequencies in Hz, decay times in seconds, ``snare_noise`` a share.

    ``hold`` is the number of times that each sample of noise is repeated at 22 050 Hz, as in the
    noise channel of an old game console.
    """

    kick_pitch: float = 55.0
    kick_decay: float = 0.15
    snare_pitch: float = 190.0
    snare_decay: float = 0.12
    snare_noise: float = 0.7
    hat_decay: float = 0.04
    hold: float = 1.0


@dataclass(frozen=True)
class Sound:
    """The sound of a style: instruments, levels and effects.

    ``drive`` is the gain into the distortion of chords and melody (0 for none), ``echo`` and
    ``room`` are the levels of the echoes and of the reverberation.
    """

    chords: Voice
    bass: Voice
    melody: Voice
    kit: Kit = Kit()
    level_drums: float = 1.0
    level_bass: float = 0.7
    level_chords: float = 0.5
    level_melody: float = 0.5
    drive: float = 0.0
    echo: float = 0.0
    room: float = 0.1


@dataclass(frozen=True)
class Rhythm:
    """Beats and patterns; four steps make a beat.

    In the drum patterns ``x`` is a stroke, ``o`` a soft one, ``.`` none. In the pattern of
    the chords ``x`` starts a chord that lasts through the ``-`` after it, and ``a`` plays one
    note of it. In the pattern of the bass a digit is a degree counted from the root of the
    chord, which is 1. ``swing`` 1 delays every second half-beat to the last third of the
    beat. ``melody`` is the share of half-beats on which the melody has a note.
    """

    tempo: tuple[float, float]
    kick: str
    snare: str
    hat: str
    chords: str
    bass: str
    melody: float = 0.3
    swing: float = 0.0


@dataclass(frozen=True)
class Harmony:
    """Scale (semitones), progressions (degrees from 0), chords (steps in the scale)."""

    scale: tuple[int, ...]
    progressions: tuple[tuple[int, ...], ...]
    chord: tuple[int, ...] = (0, 2, 4)
    bars_per_chord: int = 1


@dataclass(frozen=True)
class Style:
    """The style of a genre, or of one of its artists."""

    rhythm: Rhythm
    harmony: Harmony
    sound: Sound


_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_MINOR = (0, 2, 3, 5, 7, 8, 10)
_DORIAN = (0, 2, 3, 5, 7, 9, 10)
_LYDIAN = (0, 2, 4, 6, 7, 9, 11)
_MIXOLYDIAN = (0, 2, 4, 5, 7, 9, 10)
_PHRYGIAN = (0, 1, 3, 5, 7, 8, 10)

_SEVENTH = (0, 2, 4, 6)
_FIFTH = (0, 4, 7)

# Genres share some traits on purpose, so that no single feature separates them: march and waltz
# the band, dub and house the bass; ambient and dub, chiptune and swing, and very nearly march and
# house, the tempo.
STYLES: dict[str, Style] = {
    "ambient": Style(
        Rhythm(
            tempo=(62, 84),
            kick="................",
            snare="................",
            hat="................",
            chords="x---------------",
            bass="1...............",
            melody=0.12,
        ),
        Harmony(_LYDIAN, ((0, 1), (0, 3, 1), (5, 3, 0)), _SEVENTH, bars_per_chord=2),
        Sound(
            chords=Voice(1.5, 1.0, 1500, 0.7, 4.0, 0.8, 0.8, 0.6, detune=9, breath=0.06),
            bass=Voice(2.2, 1.0, 300, 0.3, 4.0, 0.8, 0.5),
            melody=Voice(2.0, 0.5, 2200, 0.05, 1.5, 0.1, 0.6),
            level_drums=0.3,
            level_bass=0.45,
            level_chords=0.9,
            level_melody=0.35,
            echo=0.25,
            room=0.6,
        ),
    ),
    "chiptune": Style(
        Rhythm(
            tempo=(132, 168),
            kick="x.....x.x.......",
            snare="....x.......x..x",
            hat="x.x.x.x.x.x.x.x.",
            chords="aaaaaaaaaaaaaaaa",
            bass="1.8.1.8.1.8.1.5.",
            melody=0.6,
        ),
        Harmony(_MAJOR, ((0, 4, 5, 3), (0, 3, 4, 4), (5, 3, 0, 4))),
        Sound(
            chords=Voice(1.0, 0.15, 9000, 0.002, 0.3, 0.7, 0.005, 0.1),
            bass=Voice(1.6, 0.0, 4000, 0.002, 0.4, 0.8, 0.005, 0.1),
            melody=Voice(1.0, 0.6, 9000, 0.002, 0.5, 0.7, 0.005, 0.1),
            kit=Kit(80, 0.08, 260, 0.09, 0.9, 0.03, hold=5),
            level_drums=0.6,
            level_bass=0.6,
            level_chords=0.4,
            level_melody=0.6,
            room=0.02,
        ),
    ),
    "dub": Style(
        Rhythm(
            tempo=(66, 86),
            kick="........x.......",
            snare="........x..o....",
            hat="x.ox..o.x.o.x.o.",
            chords="....x-......x-..",
            bass="1..1..5.8...5.3.",
            melody=0.08,
            swing=0.35,
        ),
        Harmony(_MINOR, ((0, 3), (0, 6), (0, 0, 3, 4)), bars_per_chord=2),
        Sound(
            chords=Voice(1.1, 0.8, 2600, 0.004, 0.12, 0.1, 0.03, 0.5),
            bass=Voice(1.9, 0.7, 420, 0.015, 0.8, 0.6, 0.08),
            melody=Voice(1.4, 0.6, 2400, 0.04, 0.6, 0.6, 0.1, breath=0.05),
            kit=Kit(52, 0.2, 210, 0.1, 0.45, 0.035),
            level_drums=0.8,
            level_bass=1.1,
            level_chords=0.5,
            level_melody=0.35,
            echo=0.55,
            room=0.25,
        ),
    ),
    "house": Style(
        Rhythm(
            tempo=(118, 130),
            kick="x...x...x...x...",
            snare="....x.......x...",
            hat="..x...x...x...x.",
            chords="x--x--..x-.x--..",
            bass="..1...1...1..15.",
            melody=0.15,
        ),
        Harmony(_DORIAN, ((0, 3), (0, 6, 5, 4), (0, 2, 3, 3)), _SEVENTH),
        Sound(
            chords=Voice(1.0, 1.0, 3200, 0.005, 0.25, 0.25, 0.06, 1.2, detune=12),
            bass=Voice(1.7, 0.7, 520, 0.008, 0.4, 0.6, 0.05),
            melody=Voice(1.2, 1.0, 3800, 0.01, 0.4, 0.3, 0.1),
            kit=Kit(50, 0.22, 200, 0.14, 0.95, 0.06),
            level_drums=1.2,
            level_bass=0.8,
            level_chords=0.45,
            level_melody=0.3,
            echo=0.15,
            room=0.15,
        ),
    ),
    "march": Style(
        Rhythm(
            tempo=(106, 124),
            kick="x.......x.......",
            snare="x..xx.x.x..xxxx.",
            hat="....o.......o...",
            chords="....x-......x-..",
            bass="1.......5.......",
            melody=0.5,
        ),
        Harmony(_MAJOR, ((0, 4, 0, 4), (0, 3, 4, 0), (0, 0, 4, 0))),
        Sound(
            chords=Voice(0.9, 1.0, 2400, 0.035, 0.6, 0.8, 0.05, 0.3, breath=0.02),
            bass=Voice(1.2, 1.0, 900, 0.03, 0.5, 0.7, 0.05),
            melody=Voice(0.7, 1.0, 3200, 0.03, 0.8, 0.8, 0.05, 0.2, breath=0.02),
            kit=Kit(70, 0.25, 230, 0.09, 0.85, 0.25),
            level_drums=0.7,
            level_bass=0.7,
            level_chords=0.5,
            level_melody=0.8,
            room=0.2,
        ),
    ),
    "swing": Style(
        Rhythm(
            tempo=(128, 185),
            kick="x...o...x...o...",
            snare="....o.......o.o.",
            hat="x...x.x.x...x.x.",
            chords="..x-......x-....",
            bass="1...3...5...6...",
            melody=0.45,
            swing=1.0,
        ),
        Harmony(_MIXOLYDIAN, ((0, 5, 1, 4), (0, 3, 0, 4), (1, 4, 0, 0)), _SEVENTH),
        Sound(
            chords=Voice(1.6, 0.9, 2200, 0.004, 0.5, 0.15, 0.08, 1.5),
            bass=Voice(1.5, 0.9, 700, 0.008, 0.3, 0.2, 0.08, 1.5),
            melody=Voice(1.1, 0.8, 2800, 0.025, 0.6, 0.7, 0.06, 0.3, breath=0.12),
            kit=Kit(75, 0.1, 220, 0.1, 0.9, 0.22),
            level_drums=0.45,
            level_bass=0.8,
            level_chords=0.4,
            level_melody=0.6,
            room=0.2,
        ),
    ),
    "thrash": Style(
        Rhythm(
            tempo=(150, 205),
            kick="x.xxx.xxx.xxx.xx",
            snare="....x.......x...",
            hat="x...x...x...x...",
            chords="x-xxx-xxx-xxx-xx",
            bass="1.111.111.111.13",
            melody=0.2,
        ),
        Harmony(_PHRYGIAN, ((0, 0, 1, 0), (0, 5, 6, 1), (0, 0, 4, 3)), _FIFTH),
        Sound(
            chords=Voice(0.9, 1.0, 4500, 0.003, 0.5, 0.6, 0.02, 0.4),
            bass=Voice(1.0, 1.0, 1500, 0.005, 0.4, 0.6, 0.03),
            melody=Voice(0.8, 1.0, 5000, 0.005, 1.0, 0.7, 0.05),
            kit=Kit(62, 0.07, 210, 0.1, 0.8, 0.3),
            level_drums=0.8,
            level_bass=0.6,
            level_chords=0.8,
            level_melody=0.5,
            drive=12.0,
            room=0.08,
        ),
    ),
    "waltz": Style(
        Rhythm(
            tempo=(108, 178),
            kick="o...........",
            snare="............",
            hat="....o...o...",
            chords="....x-..x-..",
            bass="1...........",
            melody=0.4,
        ),
        Harmony(_MAJOR, ((0, 0, 4, 4), (0, 3, 4, 0), (0, 5, 1, 4)), bars_per_chord=2),
        Sound(
            chords=Voice(1.1, 1.0, 2400, 0.05, 0.6, 0.7, 0.1, 0.3, detune=8, breath=0.02),
            bass=Voice(1.3, 1.0, 800, 0.04, 0.6, 0.6, 0.1),
            melody=Voice(0.9, 1.0, 3000, 0.06, 1.0, 0.9, 0.1, 0.2, detune=8, breath=0.03),
            kit=Kit(70, 0.2, 230, 0.09, 0.85, 0.2),
            level_drums=0.25,
            level_bass=0.7,
            level_chords=0.5,
            level_melody=0.8,
            room=0.3,
        ),
    ),
}
