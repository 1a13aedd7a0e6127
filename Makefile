PYTHON ?= python3

.PHONY: demo lint test types

demo: .venv/installed
	.venv/bin/fcnn-latency demo

lint: .venv/installed
	.venv/bin/ruff check
	.venv/bin/ruff format --check

test: .venv/installed
	.venv/bin/python -m pytest

types: .venv/installed
	.venv/bin/mypy

.venv/installed: pyproject.toml
	test -d .venv || $(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --editable ".[dev]"
	touch $@
