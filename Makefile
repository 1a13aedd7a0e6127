PYTHON ?= python3

.PHONY: demo test

demo: .venv/installed
	.venv/bin/fcnn-latency demo

test: .venv/installed
	.venv/bin/python -m pytest

.venv/installed: pyproject.toml
	test -d .venv || $(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --editable ".[dev]"
	touch $@
