# make demo: the example shop against the local Klarna.   make test: the whole suite, without network.
PYTHON ?= python3
PORT ?= 8000
SANDBOX_PORT ?= 8100
BIN := .venv/bin
# A shell that forbids bytecode would make every start of the demo slow.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint hooks clean

demo: .venv/.demo
	@exec $(BIN)/python -m example_project.demo --port $(PORT) --sandbox-port $(SANDBOX_PORT)

test: .venv/.test
	$(BIN)/python -m pytest $(ARGS)

lint:
	.ci/run tools lint format modern spelling templates scripts layers types migrations checks

hooks: .venv/.dev
	$(BIN)/pre-commit install

clean:
	rm -rf .venv

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/.demo: EXTRA = sandbox
.venv/.test: EXTRA = test
.venv/.dev: EXTRA = dev
.venv/.%: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRA)]'
	@touch $@
