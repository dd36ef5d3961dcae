"""
What does a feature sound like?
===============================

A mel spectrogram of a few bands is the input of most networks here, and MFCCs are made from it. A
way to learn what it keeps is to listen to it: to give noise the same energies in the same bands.

The claim: **a few mel bands keep rhythm and timbre and drop the notes**, so that a classifier of
such features hears genres without ever hearing a melody.
"""

# %%
# A track and its mel bands
# -------------------------
#
# Twenty-six bands are those of the classic MFCC; each column is 46 ms of music.

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio
from scipy.signal import istft, stft

from skgenre import MelSpectrogramExtractor, make_genres

music = make_genres(1, genres=["swing"], duration=6.0, overlap=0.0, random_state=3)
track, rate = np.asarray(music.data[0]), music.sampling_rate
n_fft, hop, n_mels = 2048, 512, 26
extractor = MelSpectrogramExtractor(n_mels=n_mels, n_fft=n_fft, hop_length=hop, scale="power")
bands = np.asarray(extractor.fit_transform(music.data))[0, 0]  # frames, bands
print(f"{track.size} samples become {bands.size} energies: 1 of {track.size / bands.size:.0f}")

# %%
# The track:

Audio(track, rate=rate)

# %%
# Noise with the same energies
# ----------------------------
#
# White noise is cut into frames like those of the features. In each frame, each frequency is scaled
# so that every band has the energy that the track has there.


def shape(sound, bands):
    """Return the sound with gains that bring its mel bands closer to the given ones."""
    of_sound = np.asarray(extractor.transform(sound[np.newaxis]))[0, 0]
    gains = np.sqrt(bands / np.maximum(of_sound, 1e-10))
    frequencies, _, frames = stft(sound, rate, nperseg=n_fft, noverlap=n_fft - hop)
    mel = 2595 * np.log10(1 + frequencies / 700)
    centers = np.linspace(0, mel[-1], n_mels + 2)[1:-1]
    for i in range(len(gains)):
        frames[:, i] *= np.interp(mel, centers, gains[i])
    _, shaped = istft(frames, rate, nperseg=n_fft, noverlap=n_fft - hop)
    return shaped[: track.size].astype(np.float32)


noise = np.random.default_rng(0).normal(size=track.size).astype(np.float32)
for _ in range(5):  # each pass comes closer, because frames overlap
    noise = shape(noise, bands)
shaped = noise / np.abs(noise).max()

# %%
# The noise. The beat is there, and so are the brightness of the instruments and the silence between
# them. No note is left.

Audio(shaped, rate=rate)

# %%
# How to read it
# --------------
#
# Above, the spectrogram of the track has lines: the partials of notes. Below, that of the noise has
# the same outline without them. Their mel bands are close.

figure, axes = plt.subplots(2, sharex=True, sharey=True, layout="constrained")
for ax, sound, title in zip(axes, (track, shaped), ("track", "noise of equal bands"), strict=True):
    ax.specgram(sound + 1e-6, NFFT=n_fft, Fs=rate, noverlap=n_fft - hop, cmap="cividis", vmin=-130)
    ax.set(ylim=(0, 3000), ylabel="frequency (Hz)", title=title)
axes[1].set_xlabel("time (s)")
plt.show()

kept = np.log(bands + 1e-6)
again = np.log(np.asarray(extractor.transform(noise[np.newaxis]))[0, 0] + 1e-6)
print(f"correlation of the log bands: {np.corrcoef(kept.ravel(), again.ravel())[0, 1]:.2f}")
