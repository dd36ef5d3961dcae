"""How well MusicnnTagger tells each genre from the others, on folders of music.

``python -m benchmarks.musicnn_tags FOLDER --weights mtt`` prints the area under the ROC curve of
each genre that has a tag, with an interval by artist, and the accuracy among these genres. The
weights must be there: ``skgenre fetch musicnn``. docs/pretrained.md quotes these figures.
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from skgenre import MusicnnTagger, load_genre_folder

# Genres of GTZAN and Emotify that have tags of their own; disco is dance music here.
TAGS = {
    "msd": {
        "blues": ["blues"],
        "country": ["country"],
        "disco": ["dance", "funk"],
        "electronic": ["electronic", "electronica"],
        "hiphop": ["Hip-Hop"],
        "jazz": ["jazz"],
        "metal": ["metal", "heavy metal"],
        "pop": ["pop"],
        "rock": ["rock", "classic rock"],
    },
    "mtt": {
        "classical": ["classical", "classic"],
        "country": ["country"],
        "disco": ["dance"],
        "electronic": ["electronic", "techno"],
        "metal": ["metal"],
        "pop": ["pop"],
        "rock": ["rock"],
    },
}
_N_DRAWS = 1000


def interval(y, score, artists):
    """Return the 95 % interval of the area, by drawing artists."""
    names, codes = np.unique(artists, return_inverse=True)
    rows = [np.flatnonzero(codes == code) for code in range(len(names))]
    rng = np.random.default_rng(0)
    areas = []
    for _ in range(_N_DRAWS):
        drawn = np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))])
        if 0 < np.count_nonzero(y[drawn]) < len(drawn):
            areas.append(roc_auc_score(y[drawn], score[drawn]))
    return np.quantile(areas, [0.025, 0.975])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--weights", choices=("msd", "mtt"), default="msd")
    parser.add_argument("--memory", help="keep the outputs of the network here")
    args = parser.parse_args()
    music = load_genre_folder(args.folder)
    y = np.asarray(music.target)
    if y.dtype.kind in "iu":
        y = np.asarray(music.target_names)[y]
    genres = {genre: tags for genre, tags in TAGS[args.weights].items() if genre in y}
    tagger = MusicnnTagger(args.weights, genres=genres, memory=args.memory)
    tag_proba = tagger.predict_tag_proba(music.data)
    tags = tagger.tags_.tolist()
    print("| genre | tags | tracks | area | 95 % interval |\n|---|---|---|---|---|")
    for genre, chosen in genres.items():
        score = tag_proba[:, [tags.index(tag) for tag in chosen]].max(axis=1)
        is_genre = y == genre
        low, high = interval(is_genre, score, np.asarray(music.artists))
        area = roc_auc_score(is_genre, score)
        print(
            f"| {genre} | {', '.join(chosen)} | {np.count_nonzero(is_genre)} | {area:.2f} | "
            f"{low:.2f} to {high:.2f} |"
        )
    known = np.isin(y, list(genres))
    found = tagger.classes_[tagger.tags_to_genres(tag_proba[known]).argmax(axis=1)]
    accuracy = np.mean(found == y[known])
    balanced = balanced_accuracy_score(y[known], found)
    print(
        f"\nAmong these genres: accuracy {accuracy:.3f}, balanced {balanced:.3f}; without a tag: "
        f"{', '.join(sorted(set(y) - set(genres))) or 'none'}"
    )


if __name__ == "__main__":
    main()
