"""What can go wrong, as classes that a caller can catch."""

__all__ = [
    "MeasurementError",
    "MeasurementWarning",
    "ModelFileError",
    "ModelFileWarning",
    "SearchError",
    "StoreError",
]


class MeasurementError(RuntimeError):
    """A campaign could not measure a single architecture, or not at all."""


class StoreError(RuntimeError):
    """A file cannot be used as a store of readings, or not for what was asked."""


class SearchError(RuntimeError):
    """A search has found nothing, since its objective failed for each architecture."""


class ModelFileError(ValueError):
    """A file is no model file, is damaged, or holds what is not trusted; nothing of it was run."""


class ModelFileWarning(UserWarning):
    """A model was written with another version of scikit-learn than the one that reads it."""


class MeasurementWarning(UserWarning):
    """A dataset lacks architectures that were asked for, or its labels are weak.

    Parameters
    ----------
    message : str
        In plain words.
    dataset : Bunch or None
        The dataset, so that it is not lost where warnings are raised as errors.
    """

    def __init__(self, message: str, dataset: object = None) -> None:
        super().__init__(message)
        self.dataset = dataset
