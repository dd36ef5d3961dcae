"""
How many segments, which activation?
====================================

Hu & Mogos (2022) cut a track into 10, 20 or 30 segments and compare five activations. Both
choices are parameters of one pipeline here, so scikit-learn's grid search compares them:
``features__segmenter__n_segments`` and ``classifier__activation``.

The claim: **folds differ more than settings do.** Some artists are easier than others,
whatever the setting. So settings are to be compared fold by fold, and on little music the
best cell of such a table is a fair choice, but not a finding.
"""

# %%
# The music and the pipeline
# --------------------------
#
# Synthetic music keeps the example short: 40 tracks of 6 s, of four genres and sixteen
# artists. Real music wants the defaults: tracks of 30 s and 50 epochs or more.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold

from skgenre import MLPGenreClassifier, make_genre_pipeline, make_genres

music = make_genres(10, genres=4, n_artists=4, duration=6.0, overlap=0.4, random_state=0)
network = MLPGenreClassifier(units=(64, 32), epochs=10, learning_rate=1e-3, random_state=0)
pipeline = make_genre_pipeline(network, duration=6.0)
print(list(pipeline.named_steps))

# %%
# The search
# ----------
#
# Each of the six cells is fitted on the same three folds. Artists are the groups, so no
# artist is on both sides. The number of segments changes their length too: 2 segments of
# 3 s or 6 of 1 s, all of a track in both cases. What is counted is tracks.

n_segments = [2, 6]
activations = ["tanh", "relu", "leaky_relu"]
search = GridSearchCV(
    pipeline,
    {"features__segmenter__n_segments": n_segments, "classifier__activation": activations},
    cv=StratifiedGroupKFold(3, shuffle=True, random_state=0),
    refit=False,
)
search.fit(music.data, music.target, groups=music.artists)

# %%
# Scores by fold, in an array of activations x numbers of segments x folds. The grid runs
# through its parameters in the order of their names.

folds = [search.cv_results_[f"split{fold}_test_score"] for fold in range(search.n_splits_)]
scores = np.stack(folds, axis=1).reshape(len(activations), len(n_segments), -1)
means = scores.mean(axis=2)
for activation, row in zip(activations, means, strict=True):
    print(f"{activation:10}", *[f"{mean:.2f}" for mean in row])
between_cells = means.std(ddof=1)
between_folds = scores.std(axis=2, ddof=1).mean()
print(f"standard deviation between cells {between_cells:.2f}, within a cell {between_folds:.2f}")
best, worst = (np.unravel_index(i, means.shape) for i in (means.argmax(), means.argmin()))
print("best less worst cell, fold by fold:", *[f"{d:+.2f}" for d in scores[best] - scores[worst]])

# %%
# The folds beside the means
# --------------------------

fig, ax = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
styles = [("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "^")]
places = np.arange(len(n_segments)) + 0.22 * np.array([[-1], [0], [1]])  # (activations, sizes)
for size in range(len(n_segments)):  # a grey line for each fold
    ax.plot(places[:, size], scores[:, size], color="0.75", linewidth=1, zorder=1)
for i, (activation, (colour, marker)) in enumerate(zip(activations, styles, strict=True)):
    ax.plot(places[i], scores[i], marker, color=colour, markersize=6)
    left, right = places[i] - 0.07, places[i] + 0.07
    ax.hlines(means[i], left, right, color=colour, linewidth=3, label=activation)
ax.axhline(0.25, color="0.35", linestyle="--", linewidth=1, label="guessing")
ax.set_xticks(range(len(n_segments)), [f"{n} segments\nof {6 / n:g} s" for n in n_segments])
ax.set(ylim=(0, 1.05), ylabel="share of tracks that are right")
ax.set_title("Each fold (points, joined by lines) and the mean of the folds (bars)")
ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=4, frameon=False)
plt.show()

# %%
# The points of one cell lie further apart than the bars of all cells: the spread of the
# scores tells of the artists in the folds. What the settings do shows along the lines, in
# the differences of two settings on the same fold, printed above for the best and the
# worst cell. Three such differences are few. More come from more artists and folds, or
# from the same splitter with several seeds.
#
# And the score of the best cell is too high as a forecast, because it was chosen for being
# high. ``cross_val_score`` of the search itself, one loop inside the other, has no such
# bias.
