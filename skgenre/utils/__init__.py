"""Helpers that several packages share; no public names."""
