"""Architectures to latencies on this machine."""
