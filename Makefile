# Verbs of the project. `make demo` and `make test` do it all on a Debian machine with Python.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3,$(shell command -v $(name))))
VENV ?= .venv
DEMO ?= vita-demo
PROOF ?= vita-proof
FSDD ?=
BIN = $(VENV)/bin
READY = $(VENV)/.installed

.PHONY: help demo proof proof-quick test fuzz lint types check clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##/\1 /p' $(MAKEFILE_LIST)

$(READY): setup.py scripts/install.sh
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "this Python cannot make virtual environments; on Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	PIP=$(BIN)/pip scripts/install.sh
	@touch $(READY)

demo: $(READY)  ## sample corpus -> stages 1.1, 1.2, 1.3 -> proof -> training, each from the one before
	BIN=$(BIN) OUT=$(DEMO) scripts/demo.sh

proof: $(READY)  ## all seven stages on digits, tested; FSDD=FOLDER is a clone of the Free Spoken Digit Dataset
	$(BIN)/vita-model proof --out $(PROOF) $(if $(FSDD),--speech $(FSDD))

proof-quick: $(READY)  ## the same in minutes, on little: that all of it runs
	$(BIN)/vita-model proof --quick --out $(PROOF)-quick $(if $(FSDD),--speech $(FSDD))

test: $(READY)  ## every test, the slow ones too
	$(BIN)/python -m pytest -q -n 2 --dist worksteal --durations=25

fuzz: $(READY)  ## the property tests and fuzzers again, on a thousand new examples each
	VITA_TEST_EXAMPLES=fuzz $(BIN)/python -m pytest -q -n 2 --dist worksteal -m hypothesis

lint: $(READY)  ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## type annotations
	$(BIN)/mypy

check: lint types test  ## all that CI runs but the demo

clean:  ## removes the environment and what the demo made
	rm -rf $(VENV) $(DEMO) $(PROOF) $(PROOF)-quick vita-build build *.egg-info
