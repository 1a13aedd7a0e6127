"""Kills and endurance: what must survive."""
