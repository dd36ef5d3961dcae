"""Transformers between extractor and classifier, which learn from all training tracks."""

from skgenre.preprocessing._artist_whitening import ArtistWhitening
from skgenre.preprocessing._frame_scaler import FrameScaler
from skgenre.preprocessing._group_kernel import GroupKernel
from skgenre.preprocessing._group_scaler import GroupScaler

__all__ = ["ArtistWhitening", "FrameScaler", "GroupKernel", "GroupScaler"]
