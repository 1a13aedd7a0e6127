"""Exceptions and warnings of the package."""

__all__ = [
    "MeasurementError",
    "MeasurementWarning",
    "ModelFileError",
    "ModelFileWarning",
    "SearchError",
    "StoreError",
]


class MeasurementError(RuntimeError):
    """No architecture of a campaign could be measured, or the campaign could not start."""


class StoreError(RuntimeError):
    """A file cannot be used as a store of readings, or not for the requested campaign."""


class SearchError(RuntimeError):
    """A search found nothing because its objective failed for every architecture."""


class ModelFileError(ValueError):
    """A file is not a model file, is damaged, or holds untrusted types; none of it was executed."""


class ModelFileWarning(UserWarning):
    """A model file was written with a different version of scikit-learn."""


class MeasurementWarning(UserWarning):
    """A dataset lacks requested architectures, or its labels are weak.

    Parameters
    ----------
    message : str
        The text of the warning.
    dataset : Bunch or None
        The dataset, so that it is not lost if warnings are raised as errors.
    """

    def __init__(self, message: str, dataset: object = None) -> None:
        super().__init__(message)
        self.dataset = dataset
