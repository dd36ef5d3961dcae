"""What the combination of probabilities depends on, wherever it is computed."""

from __future__ import annotations

# No pair of classes is more certain than by this, and as much is added to probabilities before
# their geometric mean, so that none alone excludes a class.
MIN_PROBABILITY = 1e-4
# The whole track weighs twice as much as the mean of its excerpts.
TRACK_AND_EXCERPTS = (2.0, 1.0)
# Of the members' mean where they take embeddings: members that are calibrated each by itself are
# right more often together, and too cautious.
POWER_WITH_EMBEDDINGS = 1.1
