"""
How many segments, which activation?
====================================

Hu & Mogos (2022) cut each track into 10, 20 or 30 segments and compare five activations. In
skgenre both are parameters of one pipeline, ``features__segmenter__n_segments`` and
``classifier__activation``, so scikit-learn's grid search can compare them.

The claim: **scores differ more between folds than between settings.** Some artists are easier
than others, whatever the setting. Compare settings fold by fold, and treat the best score on
little music as a reasonable choice, not as a finding.
"""

# %%
# The music and the pipeline
# --------------------------
#
# Synthetic music keeps the example short: 40 tracks of 6 s, in four genres by sixteen artists.
# For real music, use the defaults: tracks of 30 s and at least 50 epochs.

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
# The search fits each of the six settings on the same three folds. The groups are artists, so no
# artist is in both training and test data. The number of segments also changes their length: 2
# segments of 3 s or 6 of 1 s, which cover the whole track in both cases. Scores are of tracks.

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
# Collect the scores in an array of activations x numbers of segments x folds. The grid iterates
# over its parameters in the order of their names.

folds = [search.cv_results_[f"split{fold}_test_score"] for fold in range(search.n_splits_)]
scores = np.stack(folds, axis=1).reshape(len(activations), len(n_segments), -1)
means = scores.mean(axis=2)
for activation, row in zip(activations, means, strict=True):
    print(f"{activation:10}", *[f"{mean:.2f}" for mean in row])
between_settings = means.std(ddof=1)
between_folds = scores.std(axis=2, ddof=1).mean()
print(f"deviation between settings {between_settings:.2f}, between folds {between_folds:.2f}")
best, worst = (np.unravel_index(i, means.shape) for i in (means.argmax(), means.argmin()))
print("best minus worst setting, by fold:", *[f"{d:+.2f}" for d in scores[best] - scores[worst]])

# %%
# Folds and means
# ---------------

fig, ax = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
styles = [("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "^")]
places = np.arange(len(n_segments)) + 0.22 * np.array([[-1], [0], [1]])  # (activations, sizes)
for size in range(len(n_segments)):  # one grey line per fold
    ax.plot(places[:, size], scores[:, size], color="0.75", linewidth=1, zorder=1)
for i, (activation, (colour, marker)) in enumerate(zip(activations, styles, strict=True)):
    ax.plot(places[i], scores[i], marker, color=colour, markersize=6)
    left, right = places[i] - 0.07, places[i] + 0.07
    ax.hlines(means[i], left, right, color=colour, linewidth=3, label=activation)
ax.axhline(0.25, color="0.35", linestyle="--", linewidth=1, label="chance")
ax.set_xticks(range(len(n_segments)), [f"{n} segments\nof {6 / n:g} s" for n in n_segments])
ax.set(ylim=(0, 1.05), ylabel="track accuracy")
ax.set_title("Scores of the folds (points, joined by lines) and their means (bars)")
ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=4, frameon=False)
plt.show()

# %%
# The points of one setting are further apart than the bars of all settings: most of the spread
# comes from which artists are in a fold. To see the effect of a setting, follow the lines, that is,
# compare two settings on the same fold, as printed above for the best and the worst setting. Three
# such differences are few. Use more artists and folds, or the same splitter with several seeds, to
# get more.
#
# The best score also overestimates the accuracy on new music, because it is the maximum of several
# noisy scores. ``cross_val_score`` of the search itself (nested cross-validation) has no such bias.
