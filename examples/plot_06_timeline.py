"""
The timeline of a song
======================

A track need not have one genre from start to end. A model of segments predicts each of them, and
only then lets them vote, so that its answers can be laid along the track.

The claim: **the segments show where a track changes, which one genre for the whole track hides.**
"""

# %%
# A medley
# --------
#
# The network learns from tracks of one genre each. The medley is made of two tracks that it has not
# heard: eight seconds of one genre, then eight of another.

import matplotlib.pyplot as plt
import numpy as np

from skgenre import MLPGenreClassifier, SegmentTimelineDisplay, make_genre_pipeline, make_genres

genres = ["ambient", "house", "waltz"]
music = make_genres(16, genres=genres, duration=8.0, overlap=0.1, random_state=0)
new = make_genres(1, genres=genres, duration=8.0, overlap=0.1, random_state=1)
medley = np.concatenate([new.data[2], new.data[1]])  # a waltz, then house

# %%
# Segments of two seconds
# -----------------------
#
# Training tracks have four segments. The number of segments may differ at prediction, as long as
# their length is the same: the medley has eight.

mlp = MLPGenreClassifier(units=(64,), epochs=30, learning_rate=1e-3, random_state=0)
pipeline = make_genre_pipeline(mlp, duration=8.0, n_segments=4)
pipeline.fit(music.data, music.target)
pipeline.set_params(
    features__loader__duration=16.0,
    features__segmenter__track_duration=16.0,
    features__segmenter__n_segments=8,
)
display = SegmentTimelineDisplay.from_estimator(pipeline, medley)
best = pipeline.classes_[display.proba.argmax(axis=1)]
print("segments:", ", ".join(best))
print("the whole:", pipeline.predict(medley[np.newaxis])[0])

# %%
# How to read it
# --------------
#
# Time runs from left to right. The colour is the probability, and a dot marks the most probable
# genre of each segment.

plt.show()

# %%
# The vote has to choose one of the two genres, or even a third that is second best in both halves.
# Where tracks change, keep the timeline.
