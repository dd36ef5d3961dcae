"""The groups of features of a whole clip, each declared beside the function that measures it.

``@feature_group("tempo", names=...)`` adds a group to ``FEATURE_GROUPS``, from which
:class:`~skgenre.ClipFeatures` reads it. The modules are imported here so that all groups are
declared: timbre, rhythm, harmony, spectral shape and scattering.
"""

from skgenre.features.groups import (  # noqa: F401 (imported to declare their groups)
    _harmony,
    _rhythm,
    _scattering,
    _spectral_shape,
    _timbre,
)
from skgenre.features.groups._clip import Clip, ClipSettings
from skgenre.features.groups._group import FEATURE_GROUPS, FeatureGroup, feature_group

__all__ = ["FEATURE_GROUPS", "Clip", "ClipSettings", "FeatureGroup", "feature_group"]
