# What the README tells you to type. Every target sets up what it needs; DATASET=name picks one data set.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python -m pipeline
STAMP := $(VENV)/.installed
WORKERS ?= 0
BENCH ?= stages

.DEFAULT_GOAL := help
.PHONY: help setup data finetune gates gates-selftest report test check bench clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

$(STAMP): pyproject.toml constraints.txt
	@echo "Setting up $(VENV) (a few minutes the first time) ..."
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(STAMP)

setup: $(STAMP) ## virtual environment with the pinned dependencies

data: $(STAMP) ## build the data sets from raw files to gated splits
	@$(RUN) run $(DATASET) --workers $(WORKERS)

finetune: $(STAMP) ## train and evaluate on the validated splits (GPU if there is one)
	@$(RUN) finetune $(DATASET) && $(RUN) evaluate $(DATASET)

gates: $(STAMP) ## what CI runs: exit code 0 only if every gate of every data set passes
	@$(RUN) gate $(DATASET)

gates-selftest: $(STAMP) ## trip every gate on purpose and see that it catches
	@$(RUN) gates-selftest

report: $(STAMP) ## write the HTML report of each build
	@$(RUN) report $(DATASET)

test: $(STAMP) ## run the tests
	@$(VENV)/bin/python -m pytest -n 2

check: $(STAMP) ## lint, types and the import contract
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy && $(VENV)/bin/lint-imports

bench: $(STAMP) ## rows per second and peak memory of every stage at 10k and 100k rows
	@$(VENV)/bin/python -m tests.bench $(BENCH)

clean: ## remove everything that was built (not the virtual environment)
	@rm -rf data/build data/public/build
