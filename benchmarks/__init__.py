"""Benchmarks: pytest-benchmark in test_*.py; one runner for experiments and stress tests."""
