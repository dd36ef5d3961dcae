"""The versions and the date of a result."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

from skgenre.utils._extras import is_installed

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "keras", "tensorflow", "librosa", "soundfile")


@lru_cache(maxsize=1)
def _releases() -> tuple[tuple[str, str], ...]:
    found = []
    for library in _LIBRARIES:
        try:
            found.append((library, version(library)))
        except PackageNotFoundError:
            module = {"scikit-learn": "sklearn"}.get(library, library)
            # Unknown where it is bundled without its metadata.
            found.append((library, "unknown" if is_installed(module) else "not installed"))
    return tuple(found)


def versions() -> dict[str, str]:
    """Return the versions of Python, skgenre and its libraries, without importing them."""
    import skgenre

    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "skgenre": skgenre.__version__,
        **dict(_releases()),
    }


def environment() -> dict[str, str]:
    """Return the versions and the time."""
    return {"date": datetime.now(UTC).isoformat(timespec="seconds"), **versions()}
