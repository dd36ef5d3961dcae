"""
A folder of music is a data set
===============================

Most people have music in folders, not in arrays. This example starts from a folder with one
sub-folder for each genre, as it lies on a disk, and ends with the genre of a file that was not in
it.

The claim: **a few lines lead from a folder to a model, and to an honest estimate of how it does on
artists that it has never heard.**
"""

# %%
# The folder
# ----------
#
# The music is synthesised here; with your own, start at :func:`load_genre_folder`. Artists come
# from a table ``artists.csv`` or ``tracks.csv`` beside the music, or from the tags of the files
# with
# :func:`load_tagged_folder`. Without artists an estimate is too high, so look for them first.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

from skgenre import GenreClassifier, evaluate, load_genre_folder, make_genres

folder = tempfile.TemporaryDirectory()
path = Path(folder.name, "music")
make_genres(8, genres=4, n_artists=4, duration=3.0, overlap=0.5, path=path, random_state=0)
music = load_genre_folder(path)
print(f"{len(music.data)} files by {len(set(music.artists))} artists")
print("first file:", Path(music.data[0]).relative_to(path))

# %%
# How good will it be?
# --------------------
#
# :func:`evaluate` splits by artist if artists are known: no artist has tracks in both training and
# test data. The interval comes from drawing artists again.

model = GenreClassifier(duration=3.0, n_excerpts=0, random_state=0)
result = evaluate(model, music, n_folds=4)
accuracy = result.overall["track_accuracy"]
print("protocol:", result.protocol)
print("accuracy: {value:.2f} ({low:.2f} to {high:.2f})".format(**accuracy))

# %%
# What does it confuse?
# ---------------------

result.plot()
plt.show()

# %%
# Each row is a genre, and its cells say which genres its tracks were taken for. A single accuracy
# would hide that the errors are not spread evenly.
#
# The model itself
# ----------------
#
# The estimate belongs to the settings; the model to use is fitted on all tracks.

model.fit(music.data, music.target, groups=music.artists)
settings = {"duration": 3.0, "path": f"{folder.name}/new", "random_state": 1}
new = make_genres(1, genres=music.target_names, **settings)
for file, genre in zip(new.data, model.predict(new.data), strict=True):
    print(f"{Path(file).name}: {genre}")
folder.cleanup()
