"""Music that the package makes itself: styles, instruments, artists, and the files."""

from skgenre.datasets.synthetic._make_genres import make_genres

__all__ = ["make_genres"]
