"""Settings of all tests."""

from hypothesis import settings

# How long an example takes is the machine's business: a busy one must not fail a test.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")
