# Two commands: `make run` and `make test`. Each only wraps plain ones, which `make -n` prints.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test soak lint types clean
.DEFAULT_GOAL := run

.venv/installed: requirements.txt constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q -r requirements.txt -c constraints.txt
	touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(BIN)/python -m pip install -q -r requirements-dev.txt -c constraints.txt
	touch $@

run: .venv/installed  ## compare the paper's six activations on the embedded digits
	$(BIN)/python -m experiments.compare --config=configs/digits.py --seeds=3 --workdir=runs/digits-comparison

test: .venv/installed-dev  ## the whole test suite
	$(BIN)/python -m pytest -n 2 --dist=worksteal

soak: .venv/installed-dev  ## hundreds of kills, thousands of hostile inputs; writes docs/reliability.md
	PYTHONPATH=. $(BIN)/python tests/faults/soak.py

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed-dev
	$(BIN)/pyright

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis
