"""Music genre recognition as scikit-learn estimators.

Every public name is imported from here and loaded when it is first used, so that
``import skgenre`` stays fast and imports neither TensorFlow, Keras nor librosa. The names and
the packages that define them are listed once, in ``__init__.pyi``.

Examples
--------
>>> import skgenre
>>> skgenre.Segmenter(n_segments=20)
Segmenter(n_segments=20)
"""

import lazy_loader

__version__ = "0.1.0.dev0"

__getattr__, _public_names, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ = [*__all__, "__version__"]


def __dir__() -> list[str]:
    return sorted({*_public_names(), *(name for name in globals() if name.startswith("__"))})
