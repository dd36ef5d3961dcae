"""Data sets: folders of music, GTZAN, FMA, MTG-Jamendo, Ballroom, and synthetic music."""

from skgenre.datasets._fetch import fetch_gtzan
from skgenre.datasets._files import AudioFiles, find_audio
from skgenre.datasets._folder import load_genre_folder
from skgenre.datasets._load_ballroom import load_ballroom
from skgenre.datasets._load_fma import load_fma
from skgenre.datasets._load_gtzan import load_gtzan
from skgenre.datasets._load_jamendo import load_jamendo
from skgenre.datasets._load_music import load_music
from skgenre.datasets._tagged import load_tagged_folder
from skgenre.datasets.synthetic import make_genres

__all__ = [
    "AudioFiles",
    "fetch_gtzan",
    "find_audio",
    "load_ballroom",
    "load_fma",
    "load_genre_folder",
    "load_gtzan",
    "load_jamendo",
    "load_music",
    "load_tagged_folder",
    "make_genres",
]
