# Roomwarden: what a person types. `make run` needs no root; `make test` may ask apt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHELL := /bin/bash
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run install test test-parts test-whole test-failed test-long check check-static check-quick bench format clean needs

run: $(VENV)/.run
	@exec $(BIN)/roomwarden demo $(DEMO)

install: $(VENV)/.dev

# Under half a minute once installed: two halves on two cores.
check: $(VENV)/.dev needs
	@$(MAKE) --no-print-directory -j2 --output-sync=target check-static check-quick

check-static: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy controller drivers simulators firmware hardware web
	$(BIN)/lint-imports

check-quick: $(VENV)/.dev needs
	$(BIN)/pytest -q -n 2 --dist worksteal -m "not system and not slow and not long and not hardware"

test: test-parts test-whole

test-parts: $(VENV)/.dev needs
	$(BIN)/pytest -q -n 2 --dist worksteal -m "not system and not long and not hardware"

# What drives whole processes runs alone, for it waits for real time.
test-whole: $(VENV)/.dev needs
	$(BIN)/pytest -q -m "system and not long and not hardware"

# What failed last, once more.
test-failed: $(VENV)/.dev needs
	$(BIN)/pytest -q --last-failed --last-failed-no-failures none -m "not long and not hardware"

test-long: $(VENV)/.dev needs
	$(BIN)/pytest -q -m "long"

bench: $(VENV)/.dev needs
	$(BIN)/python tests/bench/run.py

needs:
	@bash tests/needs.sh

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache bench.json

$(VENV)/.run: pyproject.toml
	@bash firmware/venv.sh "$(PYTHON)" $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml
	@bash firmware/venv.sh "$(PYTHON)" $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.run
