"""
One model, three accuracies
===========================

An accuracy means little without saying *what* was counted and *whose* music was tested. This
example trains and evaluates the same network three times on the same music. Only the split into
training and test data changes, and with it what the network can know about the test data.

The claim: **the accuracy depends more on the split than on the model.** If segments of one track,
or tracks of one artist, are on both sides of the split, the model looks better than it will be on
new artists.
"""

# %%
# Music with artists
# ------------------
#
# The synthetic music has four genres with four artists each, and twelve tracks per genre. Each
# artist plays one genre and has habits that have nothing to do with it: tuning, level and
# equalisation. ``overlap`` makes the genres hard to distinguish and the habits strong. The features
# are computed once for all splits: the extractors learn nothing from the data, so nothing leaks.

import matplotlib.pyplot as plt
from sklearn.pipeline import make_pipeline

from skgenre import (
    AuditDisplay,
    FrameScaler,
    MFCCExtractor,
    MLPGenreClassifier,
    Segmenter,
    leakage_audit,
    make_genres,
)

music = make_genres(12, genres=4, n_artists=4, duration=6.0, overlap=0.6, random_state=0)
segments = Segmenter(n_segments=6, track_duration=6.0).fit_transform(music.data)
X = MFCCExtractor().fit_transform(segments)
print(f"{len(X)} tracks of {X.shape[1]} segments; {len(set(music.artists))} artists")

# %%
# Three splits
# ------------
#
# ``leakage_audit`` trains the same network with the same seed under each protocol that the data
# allow, in four folds. "segment-random" splits segments at random, as in most published results on
# this task, so the other five segments of a track are spread over both sides. "track-random" keeps
# tracks whole. Every splitter does this here, because a row of ``X`` is a track. "artist-grouped"
# also keeps artists whole.

network = MLPGenreClassifier(units=(128, 64), epochs=10, learning_rate=1e-3, random_state=0)
audit = leakage_audit(
    make_pipeline(FrameScaler(), network), (X, music.target, music.artists), n_folds=4
)
for protocol, result in audit.results.items():
    of_segments, of_tracks = (
        result.overall[metric]["value"] for metric in ("segment_accuracy", "track_accuracy")
    )
    print(f"{protocol:14}  {of_segments:.2f} of the segments, {of_tracks:.2f} of the tracks")

# %%
# The fourth protocol, the published partition of GTZAN, needs the clips of GTZAN. The audit reports
# which protocols it skipped, and which are significantly higher than the strictest.

for protocol, reason in audit.skipped.items():
    print(f"{protocol}: {reason}")
print("significantly too high:", ", ".join(audit.leaking))

# %%
# How to read it
# --------------

AuditDisplay.from_result(audit, chance=0.25)
plt.show()

# %%
# Compare bars of the same kind: they count the same thing and differ only in the split. From top to
# bottom, the test data are segments of tracks in the training data, new tracks by artists in the
# training data, and tracks by new artists. The part of a bar beyond the line of its kind is due to
# the protocol. The black intervals come from resampling artists; with sixteen artists, they are
# wide.
#
# Voting (hatched against plain bars) is a separate gain. Under "segment-random" the votes leak too:
# each segment is predicted by a network that was trained on other segments of its track.
#
# Only the last row estimates the accuracy on music by new artists. In skgenre it is
# ``evaluate(pipeline, music)``, in scikit-learn
# ``cross_val_score(pipeline, paths, genres, groups=artists, cv=StratifiedGroupKFold())``. The size
# of the drop is specific to this synthetic music, but expect a drop on recorded music too.
