"""
Why was that wrong?
===================

A wrong genre is easier to accept when the model says what it went by. The score of
:class:`GenreClassifier` is an exact sum over feature groups, so it can.

The claim: **a mistake comes from some groups that speak for the wrong genre, against others that
are right**, and the sum shows which.
"""

# %%
# A mistake
# ---------
#
# The model is trained on half of the artists. Of the tracks by the others, take the wrong one about
# which the model is most certain.

import matplotlib.pyplot as plt
import numpy as np

from skgenre import ExplanationDisplay, GenreClassifier, make_genres

music = make_genres(12, genres=4, n_artists=4, duration=3.0, overlap=0.6, random_state=0)
y, artists = music.target, music.artists
known = np.isin(artists, [name for g in np.unique(y) for name in np.unique(artists[y == g])[:2]])
model = GenreClassifier(duration=3.0, n_excerpts=0, random_state=0)
model.fit(music.data[known], y[known], groups=artists[known])

proba = model.predict_proba(music.data[~known])
predicted = model.classes_[proba.argmax(axis=1)]
wrong = np.flatnonzero(predicted != y[~known])
worst = wrong[proba[wrong].max(axis=1).argmax()]
track, truth, answer = music.data[~known][worst], y[~known][worst], predicted[worst]
print(f"{len(wrong)} of {len(proba)} tracks are wrong; the worst is {truth}, taken for {answer}")

# %%
# The sum
# -------
#
# Each bar is what one group adds to the score of the wrong genre against the right one. Bars to the
# right speak for the wrong genre.

explanation = model.explain(track[np.newaxis])
display = ExplanationDisplay.from_explanation(explanation, genre=answer, other=truth)
plt.show()

# %%
# The bars and the intercept add up to the score exactly.

contributions, intercept = explanation.between(answer, truth)
groups, values = np.asarray(explanation.feature_groups), contributions[0]
print(f"{values.sum():.3f} + {intercept:.3f} = {values.sum() + intercept:.3f}")
print("most misleading:", ", ".join(groups[np.argsort(values)[::-1][:3]]))
print("most against it:", ", ".join(groups[np.argsort(values)[:2]]))
