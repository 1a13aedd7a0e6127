PYTHON ?= python3

.PHONY: test
test: .venv/installed
	.venv/bin/python -m pytest

.venv/installed: pyproject.toml
	test -d .venv || $(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --editable ".[dev]"
	touch $@
