"""The long experiments behind the figures of the documentation."""
