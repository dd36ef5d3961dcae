"""The model to use where no paper is to be reproduced."""

from skgenre.recommended._genre_classifier import GenreClassifier

__all__ = ["GenreClassifier"]
