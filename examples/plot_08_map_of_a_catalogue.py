"""
A map of a catalogue
====================

What sounds alike should lie close together. :class:`GroupKernel` compares tracks by timbre, rhythm,
harmony and the other groups of :class:`ClipFeatures`; from its similarities, a map can be drawn
without any labels.

The claim: **tracks lie nearest to tracks of their genre, and nearer still to those of their own
artist** - which is why accuracies are too high where artists are on both sides of a split.
"""

# %%
# Features and similarities
# -------------------------

import matplotlib.pyplot as plt
import numpy as np
from sklearn.manifold import TSNE
from sklearn.pipeline import make_pipeline

from skgenre import ClipFeatures, GroupKernel, GroupScaler, PerTrack, make_genres, precision_at_k

music = make_genres(12, genres=4, n_artists=3, duration=3.0, overlap=0.4, random_state=0)
front_end = make_pipeline(PerTrack(ClipFeatures()), GroupScaler(), GroupKernel())
front_end.set_output(transform="default")
similarity = front_end.fit_transform(music.data)
distance = np.sqrt(np.maximum(2 - 2 * similarity, 0))

# %%
# Who is nearest?
# ---------------

np.fill_diagonal(distance, np.inf)
order = np.argsort(distance, axis=1)
by_others = music.artists[order] != music.artists[:, np.newaxis]
other = np.array([row[keep][:3] for row, keep in zip(order, by_others, strict=True)])
print(f"same genre among the nearest three: {precision_at_k(order[:, :3], music.target):.2f}")
print(f"the same, other artists only:       {precision_at_k(other, music.target):.2f}")
print(f"same artist among the nearest three: {precision_at_k(order[:, :3], music.artists):.2f}")

# %%
# The map
# -------
#
# Colours are genres and markers are artists; neither was used to place the points.

np.fill_diagonal(distance, 0)
settings = {"metric": "precomputed", "init": "random", "perplexity": 8, "random_state": 0}
places = TSNE(**settings).fit_transform(distance)

figure, ax = plt.subplots(layout="constrained")
for i, genre in enumerate(music.target_names):
    rows = music.target == genre
    for artist, marker in zip(np.unique(music.artists[rows]), "o^s", strict=True):
        of_artist = music.artists == artist
        ax.scatter(
            *places[of_artist].T,
            color=f"C{i}",
            marker=marker,
            label=genre if marker == "o" else None,
        )
ax.set(xticks=[], yticks=[])
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()

# %%
# Distances between far groups of such a map mean little; what it shows is who is next to whom.
# :class:`SimilarTracks` answers the same question for catalogues of any size.
