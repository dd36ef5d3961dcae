"""The feature groups of a whole clip: each module declares its own."""
