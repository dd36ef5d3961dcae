"""librosa, also where it finds no folder to write to."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from threading import Lock
from types import ModuleType

from skgenre.utils._extras import check_installed

_LOCK = Lock()


def import_librosa() -> ModuleType:
    """Import librosa, and return the module.

    librosa wants a folder for data, and numba one for the compiled code of librosa: the import
    fails for a user who has no home and cannot write beside librosa, as in many containers.
    There, a temporary folder becomes the ``XDG_CACHE_HOME`` of the process until it ends.

    Raises
    ------
    ModuleNotFoundError
        If librosa is not installed.
    FileNotFoundError
        If there is no folder for temporary files either.
    """
    check_installed("Changes of tempo and pitch need", "networks", "librosa")
    with _LOCK:
        try:
            import librosa.effects
        except RuntimeError:
            folder = tempfile.mkdtemp(prefix="skgenre-cache-")
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            # Not only during the import: librosa imports its other parts when they are used.
            os.environ["XDG_CACHE_HOME"] = folder
            import librosa.effects
    return librosa
