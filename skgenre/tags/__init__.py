"""Genres into the tags of files: a plan, a preview, the changes, and the way back."""

from skgenre.tags._apply import apply_tags, undo_tags
from skgenre.tags._formats import Tags, import_mutagen
from skgenre.tags._plan import plan_tags, preview_lines, read_plan, words_to_write

__all__ = [
    "Tags",
    "apply_tags",
    "import_mutagen",
    "plan_tags",
    "preview_lines",
    "read_plan",
    "undo_tags",
    "words_to_write",
]
