"""
How far do 5, 10 or 20 labels of each genre go?
================================================

Labels are work, so it pays to know what the next ones will bring. This example draws learning
curves on music by artists that are not in training: of the default model, of the features of a
pretrained network alone, and of both together.

The claim: **the first labels bring most, and an accuracy without an interval says little where
artists are few.**
"""

# %%
# Music, and its features
# -----------------------
#
# Four made genres, each with six artists, not easy to distinguish. The network has learnt from
# recordings of other music, and its weights are not part of skgenre. Where they are missing, the
# example prints the commands that get them, and goes on with the default alone.
#
# The features are computed once. They learn nothing from the genres, so nothing leaks.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skgenre import GenreClassifier, GroupKernel, GroupScaler, MusicnnExtractor, make_genres

music = make_genres(30, genres=4, n_artists=6, duration=3.0, overlap=0.6, random_state=0)
y, artists = music.target, music.artists
try:
    learnt_groups = MusicnnExtractor("mtt").fit(music.data).get_feature_groups_out()
    embeddings = "mtt"
except FileNotFoundError as missing:
    print(missing)
    embeddings = None
recommended = GenreClassifier(embeddings=embeddings, n_excerpts=0, duration=3.0, random_state=0)
front_end, both = recommended.split_front_end()
table = front_end.fit_transform(music.data)
learnt = np.array([name.startswith("embeddings__") for name in front_end.get_feature_names_out()])

# %%
# The models
# ----------
#
# The network's features alone go into a support vector machine with a kernel for each group, as
# :class:`GenreClassifier` has it, but without its second machine and its calibration.

models = {"default": (clone(both).set_params(embeddings=None), table[:, ~learnt])}
if embeddings is not None:
    alone = make_pipeline(
        GroupScaler(feature_groups=learnt_groups),
        GroupKernel(feature_groups=learnt_groups),
        SVC(C=10, kernel="precomputed"),
    )
    models["embeddings alone"] = (alone, table[:, learnt])
    models["default and embeddings"] = (both, table)

# %%
# The curves
# ----------
#
# Three folds keep artists apart. In each, some training tracks of each genre are drawn at random:
# these have labels, the others are as if they had none. Each track is predicted once for each draw.

numbers = [5, 10, 20]
draws = 2


def share_right(model, X, n_labels):
    """Return for each track in how many of the draws it is predicted correctly, as a share."""
    right = np.zeros(len(y))
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        for train, test in StratifiedGroupKFold(3, shuffle=True, random_state=seed).split(
            X, y, artists
        ):
            shuffled = rng.permutation(train)
            rows = np.concatenate([shuffled[y[shuffled] == g][:n_labels] for g in np.unique(y)])
            given = {"groups": artists[rows]} if isinstance(model, GenreClassifier) else {}
            fitted = clone(model).fit(X[rows], y[rows], **given)
            right[test] += (fitted.predict(X[test]) == y[test]) / draws
    return right


# %%
# The intervals come from drawing artists again and again, with all their tracks: tracks of one
# artist are right or wrong together, so counting tracks as if they were independent would make the
# intervals too narrow.

names, of_artist = np.unique(artists, return_inverse=True)
drawn = np.random.default_rng(0).integers(len(names), size=(2000, len(names)))
sizes = np.bincount(of_artist)


def accuracy_with_interval(right):
    """Return the accuracy, and its 95 % interval by bootstrap over artists."""
    sums = np.bincount(of_artist, weights=right)
    again = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    return right.mean(), *np.percentile(again, [2.5, 97.5])


figure, axes = plt.subplots()
for shift, (name, (model, X)) in enumerate(models.items()):
    found = np.array([accuracy_with_interval(share_right(model, X, n)) for n in numbers])
    for n, (accuracy, low, high) in zip(numbers, found, strict=True):
        print(f"{name}, {n:2} labels of each genre: {accuracy:.2f} ({low:.2f} to {high:.2f})")
    axes.errorbar(
        np.array(numbers) * 1.03**shift,
        found[:, 0],
        yerr=[found[:, 0] - found[:, 1], found[:, 2] - found[:, 0]],
        marker="o",
        capsize=3,
        label=name,
    )

axes.set(xscale="log", xticks=numbers, xlabel="labelled tracks of each genre", ylabel="accuracy")
axes.set_xticks(numbers, labels=numbers)
axes.minorticks_off()
axes.axhline(0.25, color="0.6", linestyle=":", label="chance")
axes.legend()
plt.show()

# %%
# How to read it
# --------------
#
# Where the intervals of two models overlap, look at the differences on the same tracks before you
# prefer one. The network has heard recordings, so that made music says little about what it adds:
# docs/few_labels.md has the curves on recorded music, and which tracks to label next.
