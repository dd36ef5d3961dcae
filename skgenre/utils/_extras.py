"""Packages that only some installs have."""

from __future__ import annotations

import sys
from importlib.util import find_spec


class MissingExtraError(ModuleNotFoundError):
    """A package of an extra is not installed; the message has the command that installs it."""


def is_installed(package: str) -> bool:
    """Whether a package can be imported, without importing it."""
    if sys.modules.get(package) is not None:
        return True
    try:
        return find_spec(package) is not None
    except ImportError:  # something forbids the import
        return False


def check_installed(what: str, extra: str, *packages: str) -> None:
    """Check that packages are installed, without importing them.

    Parameters
    ----------
    what : str
        What needs them, with its verb: "Networks need".
    extra : str
        The extra of skgenre that installs them.
    *packages : str
        Their names.

    Raises
    ------
    MissingExtraError
        If one of them is not installed.
    """
    for package in packages:
        if not is_installed(package):
            raise MissingExtraError(
                f"{what} {package}, which is not installed here. Install it with: "
                f'pip install "skgenre[{extra}]"',
                name=package,
            )
