"""
How many segments, which activation?
====================================

Hu & Mogos (2022) cut a track into 10, 20 or 30 segments and compare five activations. Both
choices are parameters of one pipeline here, so scikit-learn's grid search compares them:
``segmenter__n_segments`` and ``classifier__activation``.

The claim: **on little music, a cell of such a table differs more between folds than the
cells differ from each other.** The best cell is a fair choice, but not a finding.
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
# Each of the nine cells is fitted on the same three folds. Artists are the groups, so no
# artist is on both sides. The number of segments changes their length too: 2, 4 or 8
# segments of 3, 1.5 or 0.75 s, all of a track in each case. What is counted is tracks.

n_segments = [2, 4, 8]
activations = ["tanh", "relu", "leaky_relu"]
search = GridSearchCV(
    pipeline,
    {"segmenter__n_segments": n_segments, "classifier__activation": activations},
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

# %%
# The folds beside the means
# --------------------------

fig, ax = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
styles = [("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "^")]
for i, (activation, (colour, marker)) in enumerate(zip(activations, styles, strict=True)):
    x = np.arange(len(n_segments)) + 0.22 * (i - 1)
    ax.plot(x, scores[i], marker, color=colour, alpha=0.35, markersize=6, linestyle="none")
    ax.hlines(means[i], x - 0.08, x + 0.08, color=colour, linewidth=3, label=activation)
ax.axhline(0.25, color="0.35", linestyle="--", linewidth=1, label="guessing")
ax.set_xticks(range(len(n_segments)), [f"{n} segments\nof {6 / n:g} s" for n in n_segments])
ax.set(ylim=(0, 1.02), ylabel="share of tracks that are right", title="Folds (points) and their mean (bars)")
ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=4, frameon=False)
plt.show()

# %%
# The points of one cell lie further apart than the bars of the nine cells. To tell two
# settings apart takes more artists, more folds (``RepeatedStratifiedKFold``, or several
# seeds of this splitter), and the difference of both settings fold by fold.
#
# And the score of the best cell is too high as a forecast, because it was chosen for being
# high. ``cross_val_score`` of the search itself, one loop inside the other, has no such
# bias.
