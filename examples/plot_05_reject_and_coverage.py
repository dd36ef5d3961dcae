"""
When is silence the better answer?
==================================

A catalogue with wrong genres is worse than one with gaps. A model that knows its own doubt can
leave the doubtful tracks to people. This example measures what that buys.

The claim: **accuracy among the answered tracks rises as the model answers fewer of them**, and its
probabilities say which ones to leave out.
"""

# %%
# Music that is hard to classify
# ------------------------------

import matplotlib.pyplot as plt
import numpy as np

from skgenre import CoverageAccuracyDisplay, GenreClassifier, evaluate, make_genres

music = make_genres(24, genres=4, n_artists=8, duration=3.0, overlap=0.6, random_state=0)
model = GenreClassifier(duration=3.0, n_excerpts=0, random_state=0)

# %%
# Probabilities of new artists
# ----------------------------
#
# The probabilities must come from models that have not heard the artist. Every track is predicted
# once, in the fold in which its artist is in the test data.

result = evaluate(model, music, n_folds=4)
thresholds, coverage, accuracy = result.coverage_accuracy()
for wanted in (1.0, 0.75, 0.5):
    nearest = np.nanargmin(np.abs(coverage - wanted))
    print(
        f"{coverage[nearest]:.2f} of the tracks answered, from {thresholds[nearest]:.2f}: "
        f"{accuracy[nearest]:.2f} of these right"
    )

# %%
# How to read it
# --------------
#
# Read the curve from right to left: at the right all tracks are answered; further left, only those
# whose genre has a high probability. Where the curve rises, the model knows when it is wrong.

CoverageAccuracyDisplay.from_result(result)
plt.show()

# %%
# At the far left few tracks are left, so the curve is rough there: choose a threshold from its
# smooth part. Read the accuracy from the curve, not from the threshold: with few artists in
# training the probabilities order the tracks well and are still too high, as here. ``skgenre
# train`` stores such thresholds in the model file, and ``skgenre predict --min-accuracy 0.9``
# answers "unknown" where they are not reached.
