"""
One model, three accuracies
===========================

An accuracy means little until it is said *of what* and *on whom*. Here the same network is
judged three times on the same music. Only the split between training and test data
changes, and with it what the network may know before the test.

The claim: **what an accuracy says depends more on the split than on the model.** Segments
of one track on both sides of the split, or tracks of one artist, make a model look better
than it will be on the next artist.
"""

# %%
# Music with artists
# ------------------
#
# Synthetic music has four genres of four artists each, twelve tracks a genre. Each artist
# plays one genre and has habits that have nothing to do with it: tuning, level,
# equalisation. ``overlap`` makes the genres hard to tell and the habits strong. The
# features are computed once: they learn nothing, so they can leak nothing.

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
# ``leakage_audit`` trains the same network from the same seed under each protocol that the
# data allow, with four folds. "segment-random" divides segments, as most published figures
# on this task do: a segment's five siblings are spread over both sides. "track-random"
# keeps tracks whole, which every splitter does here, for a row of ``X`` is a track.
# "artist-grouped" keeps artists whole too.

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
# The fourth protocol, the published partition of GTZAN, is for GTZAN alone. The audit says
# what it left out, and which protocols came out higher than the strictest by more than
# chance explains.

for protocol, reason in audit.skipped.items():
    print(f"{protocol}: {reason}")
print("too high by more than chance:", ", ".join(audit.leaking))

# %%
# What to read from it
# --------------------

AuditDisplay.from_result(audit, chance=0.25)
plt.show()

# %%
# Compare the bars of one colour: they count the same thing and differ by the split alone.
# From the top to the bottom the network is asked about segments whose siblings it knows,
# about new tracks of artists it knows, and about artists it has never heard. What a bar
# has beyond the line of its own kind, the protocol has added. The black intervals come
# from drawing artists again; with sixteen artists they are wide.
#
# The vote of a track's segments (hatched against plain) is a second gain, and should not be
# mistaken for the first. Under "segment-random" even the vote leaks: it counts segments
# each of which was judged by a network that knew others of the same track.
#
# Only the last row says how the model does on music by somebody new. In skgenre it is
# ``evaluate(pipeline, music)``, or in scikit-learn's words
# ``cross_val_score(pipeline, paths, genres, groups=artists, cv=StratifiedGroupKFold())``.
# The size of the fall is that of this synthetic music; its direction is what to expect
# from recordings.
