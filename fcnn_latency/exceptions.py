"""What can go wrong, as classes that a caller can catch."""

__all__ = ["MeasurementError", "MeasurementWarning"]


class MeasurementError(RuntimeError):
    """A campaign could not measure a single architecture."""


class MeasurementWarning(UserWarning):
    """A dataset lacks architectures that were asked for, or its labels are weak."""
