"""Long experiments that measure the figures of the documentation."""
