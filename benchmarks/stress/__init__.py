"""Stress tests: kills and endurance."""
