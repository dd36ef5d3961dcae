"""From an artist to a track: choose notes, play and mix them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from skgenre.datasets.synthetic import _instruments as instruments
from skgenre.datasets.synthetic._artists import Artist, vary
from skgenre.datasets.synthetic._instruments import Wave
from skgenre.datasets.synthetic._styles import Harmony, Rhythm, Voice

_STEPS = 4  # steps in a beat
_BASS, _CHORDS, _MELODY = 34, 53, 67  # lowest MIDI note of each voice
_STRENGTH = {"x": 1.0, "o": 0.45}


def perform(artist: Artist, n_samples: int, sampling_rate: int, rng: np.random.Generator) -> Wave:
    """Make one track.

    Parameters
    ----------
    artist : Artist
        The artist of the track.
    n_samples, sampling_rate : int
        Length of the track, and samples a second.
    rng : numpy.random.Generator
        Source of everything specific to the track: tempo, progression, melody, variations.

    Returns
    -------
    wave : ndarray of shape (n_samples,), float32
        The track, within -0.95 and 0.95.
    """
    rhythm = artist.style.rhythm
    sound = vary(artist.style.sound, 0.04, rng)
    stage = _Stage(artist, n_samples, sampling_rate, rng)

    drums = stage.silence()
    for pattern, hit in (
        (rhythm.kick, instruments.kick(sound.kit, sampling_rate, rng)),
        (rhythm.snare, instruments.snare(sound.kit, sampling_rate, rng)),
        (rhythm.hat, instruments.hat(sound.kit, sampling_rate, rng)),
    ):
        stage.beat_drum(drums, pattern, hit)
    chords, bass, melody = stage.silence(), stage.silence(), stage.silence()
    stage.play_chords(chords, sound.chords)
    stage.play_bass(bass, sound.bass)
    stage.play_melody(melody, sound.melody)

    wave = instruments.distort(
        np.float32(sound.level_chords) * chords + np.float32(sound.level_melody) * melody,
        sound.drive,
    )
    wave = instruments.echo(wave, sound.echo, 0.75 * stage.beat, sampling_rate)
    wave = wave + np.float32(sound.level_drums) * drums
    wave = instruments.reverberate(wave, sound.room, sampling_rate, rng)
    wave = wave + np.float32(sound.level_bass) * bass
    wave = instruments.equalise(wave, artist.tilt, sampling_rate)
    return instruments.master(wave, artist.level, artist.noise_floor, rng)


class _Stage:
    """The tempo, harmony and length of one track, and how its instruments are played."""

    def __init__(
        self, artist: Artist, n_samples: int, sampling_rate: int, rng: np.random.Generator
    ) -> None:
        self.rhythm: Rhythm = artist.style.rhythm
        self.harmony: Harmony = artist.style.harmony
        self.n_samples = n_samples
        self.sampling_rate = sampling_rate
        self.rng = rng
        low, high = self.rhythm.tempo
        tempo = low + (high - low) * artist.tempo
        self.beat = 60.0 / (tempo * rng.uniform(0.97, 1.03))
        self.n_steps = len(self.rhythm.hat)  # in a bar
        bar_samples = self.n_steps / _STEPS * self.beat * sampling_rate
        self.n_bars = int(np.ceil(n_samples / bar_samples))
        # Most tracks are in the key of the artist, the others a fifth above it.
        self.key = artist.key + int(rng.choice([0, 0, 0, 0, 0, 7]))
        self.concert_pitch = 440.0 * 2.0 ** (artist.tuning / 1200)
        progressions = self.harmony.progressions
        favourite = int(artist.taste * len(progressions))
        chosen = favourite if rng.random() < 0.8 else rng.integers(len(progressions))
        self.progression = progressions[chosen]
        self.register = int(7 * artist.taste) + int(rng.integers(0, 2))

    def silence(self) -> Wave:
        return np.zeros(self.n_samples, dtype=np.float32)

    def start_of(self, step: int) -> int:
        """Return the sample at which a step starts."""
        beats, part = divmod(step / _STEPS, 1)
        middle = 0.5 + self.rhythm.swing / 6
        part = part * 2 * middle if part < 0.5 else middle + (part - 0.5) * 2 * (1 - middle)
        return round((beats + part) * self.beat * self.sampling_rate)

    def add(self, part: Wave, wave: Wave, step: int, strength: float) -> None:
        """Add a sound to a voice, a little late and with varied loudness, as people play."""
        late = int(self.rng.uniform(0, 0.008) * self.sampling_rate)
        start = self.start_of(step) + late
        if start < part.size:
            end = min(part.size, start + wave.size)
            loud = strength * self.rng.uniform(0.8, 1.0)
            part[start:end] += np.float32(loud) * wave[: end - start]

    def pitch(self, lowest: int, degree: int) -> int:
        """Return the MIDI number of a degree of the scale, whose tonic is at least ``lowest``."""
        octave, degree = divmod(degree, len(self.harmony.scale))
        tonic = lowest + (self.key - lowest) % 12
        return tonic + 12 * octave + self.harmony.scale[degree]

    def note(self, notes: dict[tuple[int, int], Wave], voice: Voice, midi: int, steps: int) -> Wave:
        """Return a note that lasts ``steps``; equal notes of a track are computed once."""
        key = (midi, steps)
        if key not in notes:
            frequency = self.concert_pitch * 2.0 ** ((midi - 69) / 12)
            duration = steps / _STEPS * self.beat
            notes[key] = instruments.tone(voice, frequency, duration, self.sampling_rate, self.rng)
        return notes[key]

    def bars(self) -> Iterator[tuple[int, int]]:
        """Yield the first step of each bar and the degree of its chord."""
        for bar in range(self.n_bars):
            place = bar // self.harmony.bars_per_chord % len(self.progression)
            yield bar * self.n_steps, self.progression[place]

    def beat_drum(self, part: Wave, pattern: str, hit: Wave) -> None:
        """Play the pattern of a drum, with an occasional stroke added or left out."""
        if not set(pattern) & set(_STRENGTH):
            return
        for first, _ in self.bars():
            changes = self.rng.random(len(pattern)) < 0.03
            for step, sign in enumerate(pattern):
                if changes[step]:
                    sign = "." if sign in _STRENGTH else "o"
                if sign in _STRENGTH:
                    self.add(part, hit, first + step, _STRENGTH[sign])

    def play_chords(self, part: Wave, voice: Voice) -> None:
        """Play the chords, together or one note at a time."""
        pattern, chord = self.rhythm.chords, self.harmony.chord
        notes: dict[tuple[int, int], Wave] = {}
        for first, degree in self.bars():
            keys = [self.pitch(_CHORDS, degree + step) for step in chord]
            for step, sign in enumerate(pattern):
                if sign == "x":
                    rest = pattern[step + 1 :]
                    steps = 1 + len(rest) - len(rest.lstrip("-"))
                    waves = [self.note(notes, voice, key, steps) for key in keys]
                    self.add(part, sum(waves[1:], waves[0]), first + step, len(keys) ** -0.5)
                elif sign == "a":
                    key = keys[step % len(keys)]
                    self.add(part, self.note(notes, voice, key, 1), first + step, 1.0)

    def play_bass(self, part: Wave, voice: Voice) -> None:
        """Play the bass, each note until the next one."""
        pattern = self.rhythm.bass
        onsets = [step for step, sign in enumerate(pattern) if sign.isdigit()]
        notes: dict[tuple[int, int], Wave] = {}
        for first, degree in self.bars():
            for step, following in zip(onsets, [*onsets[1:], len(pattern)], strict=True):
                key = self.pitch(_BASS, degree + int(pattern[step]) - 1)
                wave = self.note(notes, voice, key, following - step)
                self.add(part, wave, first + step, 1.0)

    def play_melody(self, part: Wave, voice: Voice) -> None:
        """Play a melody that walks on the scale, in a rhythm that repeats every two bars."""
        half = _STEPS // 2
        n_places = 2 * self.n_steps // half
        motif = np.zeros(n_places, dtype=bool)
        n_notes = max(1, round(self.rhythm.melody * n_places))
        motif[self.rng.choice(n_places, size=n_notes, replace=False)] = True
        onsets = np.flatnonzero(np.resize(motif, self.n_bars * self.n_steps // half)) * half
        lengths = np.minimum(np.diff(onsets, append=self.n_bars * self.n_steps), self.n_steps)
        degrees = [degree for _, degree in self.bars()]
        notes: dict[tuple[int, int], Wave] = {}
        degree = self.register
        for onset, steps in zip(onsets, lengths, strict=True):
            degree += int(self.rng.integers(-2, 3))
            degree = min(max(degree, -2), 11)
            if onset % self.n_steps == 0:
                # A bar starts on a note of its chord.
                root = degrees[onset // self.n_steps] % 7
                tones = root + np.array([-7, -5, -3, 0, 2, 4])
                degree = int(tones[np.abs(tones - degree).argmin()])
            wave = self.note(notes, voice, self.pitch(_MELODY, degree), int(steps))
            self.add(part, wave, int(onset), 1.0)
