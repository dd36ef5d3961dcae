"""
Where in a tree of genres do the errors happen?
===============================================

Zhang divides the genres step by step: first strong from mild music, then into smaller families,
down to single genres. Each node of the tree is a classifier of its own, so each can be measured on
its own.

The claim: **the accuracy of a hierarchy is that of a chain of decisions**, and a report of its
nodes shows which decision to work on.
"""

# %%
# A tree for made music
# ---------------------
#
# Music with drums against music without, and two genres within each family.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from skgenre import (
    HierarchicalGenreClassifier,
    HierarchyDisplay,
    MLPGenreClassifier,
    make_genre_pipeline,
    make_genres,
)

tree = {"with drums": ["house", "thrash"], "without drums": ["ambient", "waltz"]}
genres = [genre for family in tree.values() for genre in family]
music = make_genres(12, genres=genres, duration=4.0, overlap=0.7, random_state=0)

# %%
# Train and test by artist
# ------------------------

mlp = MLPGenreClassifier(units=(32,), epochs=15, learning_rate=1e-3)
hierarchy = HierarchicalGenreClassifier(mlp, hierarchy=tree, random_state=0)
pipeline = make_genre_pipeline(hierarchy, duration=4.0, n_segments=4)
folds = StratifiedGroupKFold(2, shuffle=True, random_state=0)
train, test = next(folds.split(music.data, music.target, music.artists))
pipeline.fit(music.data[train], music.target[train])

features = pipeline[:-1].transform(music.data[test])
report = pipeline[-1].node_report(features, music.target[test])
print(report)

# %%
# How to read it
# --------------
#
# The root is on the left. The number at a node is the share of the tracks of its genres that it
# sends to the right child, whatever the nodes above decided; at a genre it is the share that the
# whole tree gets right. A genre cannot do better than the nodes on its path.

HierarchyDisplay.from_report(report)
plt.show()

accuracy = np.mean(pipeline.predict(music.data[test]) == music.target[test])
print(f"accuracy of the whole: {accuracy:.2f}")
