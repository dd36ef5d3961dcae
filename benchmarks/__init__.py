"""What speed claims rest on. Run all of them with ``python -m benchmarks``."""
