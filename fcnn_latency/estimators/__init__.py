"""Matrices to predicted latencies, one estimator per file."""
