"""Synthetic music of several genres.

``_styles`` defines the genres and ``_instruments`` the sounds; ``_artists`` draws artists of a
genre, ``_render`` plays their tracks, ``_make_genres`` puts the data set together and ``_write``
writes it to a folder.
"""

from skgenre.datasets.synthetic._make_genres import make_genres

__all__ = ["make_genres"]
