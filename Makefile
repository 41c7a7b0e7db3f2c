# Two commands: `make run` and `make test`. Each only wraps plain ones, which `make -n` prints.
PYTHON ?= python3
BIN := .venv/bin
VERSION := $(shell $(PYTHON) -c "import sys; print('%d.%d' % sys.version_info[:2])")
# The tested versions, by the interpreter: JAX 0.11 and newer need Python 3.12.
CONSTRAINTS ?= constraints/jax-$(if $(filter 3.11,$(VERSION)),0.10,0.12).txt
WANTED := $(VERSION) $(CONSTRAINTS)

# The processes that tests start would compile all of JAX's files anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test test-all docs soak lint types clean
.DEFAULT_GOAL := run

# An environment of another Python, or of other versions, is made anew.
ifneq ($(shell cat .venv/installed 2>/dev/null),$(WANTED))
.PHONY: .venv/installed
endif
# Modules are compiled when they are first imported: most never are.
.venv/installed: requirements.txt constraints/common.txt $(CONSTRAINTS)
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install -q --no-compile -r requirements.txt -c $(CONSTRAINTS)
	echo "$(WANTED)" > $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(BIN)/python -m pip install -q --no-compile -r requirements-dev.txt -c $(CONSTRAINTS)
	touch $@

run: .venv/installed  ## compare the paper's six activations on the embedded digits
	$(BIN)/python -m experiments.compare --config=configs/digits.py --seeds=3 --workdir=runs/digits-comparison

test: .venv/installed-dev  ## the tests but for the slow ones
	$(BIN)/python -m pytest -n 2 --dist=worksteal -m "not slow"

test-all: .venv/installed-dev  ## every test
	$(BIN)/python -m pytest -n 2 --dist=worksteal

soak: .venv/installed-dev  ## hundreds of kills, thousands of hostile inputs; writes docs/reliability.md
	PYTHONPATH=".$${PYTHONPATH:+:$$PYTHONPATH}" $(BIN)/python tests/faults/soak.py

.venv/installed-docs: .venv/installed-dev requirements-docs.txt constraints/docs.txt
	$(BIN)/python -m pip install -q --no-compile -r requirements-docs.txt -c $(CONSTRAINTS) -c constraints/docs.txt
	touch $@

docs: .venv/installed-docs  ## the site, in docs/_build/html: runs the tutorials, warnings are errors
	PYTHONPATH="$(CURDIR)$${PYTHONPATH:+:$$PYTHONPATH}" $(BIN)/python -m sphinx -W --keep-going -c docs -d docs/_build/doctrees . docs/_build/html

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed-dev
	$(BIN)/pyright

clean:
	rm -rf .venv docs/_build .pytest_cache .ruff_cache .hypothesis
