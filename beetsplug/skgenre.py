"""The plugin ``skgenre`` of beets, which looks for its plugins in the package ``beetsplug``."""

from skgenre.integrations.beets import GenrePlugin


class SkgenrePlugin(GenrePlugin):
    """Defined here, because beets takes only classes of this module."""
