.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test check format lock unit browser

help:
	@echo "make demo   see it work: real pictures, real models, a real Phoenix on this machine"
	@echo "make test   run every test"
	@echo "make unit   run the tests that need no server, in parallel"
	@echo "make check  format, lint, types, import boundaries, lock file"

demo: .venv/demo
	$(BIN)/vlmops demo $(ARGS)

# The folders in this order, and not the files with most tests first: long files have few tests, and one that
# is begun last keeps a single core busy.
test: unit .venv/dev browser
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder tests/integration tests/packaging \
		tests/browser tests/plugins tests/contract tests/docs plugins $(ARGS)

unit: .venv/dev
	$(BIN)/python -m pytest -n auto tests/unit src $(ARGS)

check: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python requirements/lock.py --check

format: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: .venv/dev
	$(BIN)/python requirements/lock.py

# Real-browser tests need a Chromium; the system's own is used, and installed only where there is none.
browser:
	@sh requirements/chromium.sh

.venv/demo: pyproject.toml requirements/demo.txt
	sh requirements/install.sh $(PYTHON) demo
	@touch $@

.venv/dev: pyproject.toml requirements/dev.txt
	sh requirements/install.sh $(PYTHON) dev
	@touch $@ .venv/demo
