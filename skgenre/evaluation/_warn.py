"""Warnings that name the line of the caller outside this package."""

from __future__ import annotations

import sys
import warnings


def warn_caller(message: str) -> None:
    """Warn at the first line up the stack that is not in skgenre or scikit-learn."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and _is_internal(frame.f_back.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)


def _is_internal(module: str) -> bool:
    return module.partition(".")[0] in ("skgenre", "sklearn")
