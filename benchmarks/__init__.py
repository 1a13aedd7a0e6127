"""Benchmarks: pytest-benchmark in test_*.py, experiments and stress tests behind one runner."""
