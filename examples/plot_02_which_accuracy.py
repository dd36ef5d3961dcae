"""
One model, three accuracies
===========================

An accuracy means little until it is said *of what* and *on whom*. Here the same network is
judged three times on the same music. Only the split between training and test data
changes, and with it what the network may know before the test.

The claim: **what an accuracy says depends more on the split than on the model.** Segments
of one track on both sides of the split, or tracks of one artist, make a model look better
than it will be on the next artist.
"""

# %%
# Music with artists
# ------------------
#
# Synthetic music has four genres of four artists each, twelve tracks a genre. Each artist
# plays one genre and has habits that have nothing to do with it: tuning, level,
# equalisation. ``overlap`` makes the genres hard to tell and the habits strong. The
# features are computed once: they learn nothing, so they can leak nothing.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline

from skgenre import FrameScaler, MFCCExtractor, MLPGenreClassifier, Segmenter, make_genres

music = make_genres(12, genres=4, n_artists=4, duration=6.0, overlap=0.6, random_state=0)
segments = Segmenter(n_segments=6, track_duration=6.0).fit_transform(music.data)
X = MFCCExtractor().fit_transform(segments)
y = music.target
n_tracks, n_segments = X.shape[:2]
print(f"{n_tracks} tracks of {n_segments} segments; {len(set(music.artists))} artists")

# %%
# Three splits
# ------------
#
# The first split takes each segment for a track of its own, as most published figures on
# this task do: its six siblings are spread over both sides. The second keeps tracks whole,
# which every splitter does here, for a row of ``X`` is a track. The third keeps artists
# whole too. All three use four folds and train the same network from the same seed.

alone = X.reshape(-1, 1, *X.shape[2:])  # (n_tracks * n_segments, 1, n_frames, n_features)
random_folds = StratifiedKFold(4, shuffle=True, random_state=0)
artist_folds = StratifiedGroupKFold(4, shuffle=True, random_state=0)
genre_of_segment = np.repeat(y, n_segments)
protocols = {
    "segments at random": (alone, genre_of_segment, random_folds.split(alone, genre_of_segment)),
    "tracks at random": (X, y, random_folds.split(X, y)),
    "artists at random": (X, y, artist_folds.split(X, y, groups=music.artists)),
}


def judge(X, y, splits):
    """Return which segments, and which tracks by their vote, are right out of fold."""
    segment_is_right = np.zeros(X.shape[:2], dtype=bool)
    track_is_right = np.zeros(len(X), dtype=bool)
    for train, test in splits:
        network = MLPGenreClassifier(units=(128, 64), epochs=10, learning_rate=1e-3, random_state=0)
        model = make_pipeline(FrameScaler(), network).fit(X[train], y[train])
        scaled = model[:-1].transform(X[test])
        winners = network.classes_[network.predict_segment_proba(scaled).argmax(axis=2)]
        segment_is_right[test] = winners == y[test, np.newaxis]
        track_is_right[test] = network.predict(scaled) == y[test]
    return segment_is_right, track_is_right


# %%
# The split at random by segment has no tracks to vote: a track's segments were judged by
# several models, some of which had been trained on its other segments.

by_segment, by_track = {}, {}
for name, protocol in protocols.items():
    segment_is_right, track_is_right = judge(*protocol)
    by_segment[name] = segment_is_right.mean()
    line = f"{name:18}  {by_segment[name]:.2f} of the segments"
    if name != "segments at random":
        by_track[name] = track_is_right.mean()
        line += f", {by_track[name]:.2f} of the tracks"
    print(line)

# %%
# What to read from it
# --------------------

fig, ax = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
rows = np.arange(len(protocols))  # the first has no second bar
bars = [
    ax.barh(rows - 0.19, list(by_segment.values()), 0.36, color="#0072B2", label="of segments"),
    ax.barh(rows[1:] + 0.19, list(by_track.values()), 0.36, color="#E69F00", label="of tracks"),
]
for group in bars:
    ax.bar_label(group, fmt="%.2f", padding=4)
ax.axvline(0.25, color="0.35", linestyle="--", linewidth=1, zorder=0, label="guessing")
ax.set_yticks(rows, list(protocols))
ax.invert_yaxis()
ax.set_ylabel("what the split divides")
ax.set(xlim=(0, 1.08), xlabel="accuracy, out of fold")
ax.set_title("The same network, judged three ways")
ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3, frameon=False)
plt.show()

# %%
# Compare the bars of one colour: they count the same thing and differ by the split alone.
# From the top to the bottom the network is asked about segments whose siblings it knows,
# about new tracks of artists it knows, and about artists it has never heard. The vote of
# a track's segments (orange above blue) is a second, honest gain, and should not be
# mistaken for the first.
#
# Only the last row says how the model does on music by somebody new. In skgenre it is
# ``cross_val_score(pipeline, paths, genres, groups=artists, cv=StratifiedGroupKFold())``.
# The size of the fall is that of this synthetic music; its direction is what to expect
# from recordings.
