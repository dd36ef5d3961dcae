"""Benchmarks of speed, memory and accuracy. Run those of speed with ``python -m benchmarks``."""
