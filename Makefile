# Parley's front door. Every target makes its own environment from Python 3.11+ and a package index; nothing else is needed.
#
#   PORT=8080        port of `make serve`
#   DATA=./var       data directory of `make serve`: parley.db and the key file live there
#   ROUNDS=10        kills per engine of `make crash`
#   ARGS=            passed on: make test ARGS="tests/lib -k segments"
#   PYTHON=          the interpreter to build on; by default the first suitable one on PATH

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PORT ?= 8080
DATA ?= ./var
ROUNDS ?= 10
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.parley-synced

# The machine's own Python is used, never a downloaded one, whatever .python-version prefers.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	$$p -c 'import sys; sys.version_info < (3, 11) and sys.exit(1); print(sys.executable)' 2>/dev/null && break; done)
UV_ON_PATH := $(shell command -v uv 2>/dev/null)
UV := $(or $(UV_ON_PATH),$(VENV)-uv/bin/uv)

export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := $(VENV)
# Ten seconds once, against a second at each start where Python may not keep the bytecode that it makes.
export UV_COMPILE_BYTECODE := 1

.PHONY: help serve test check format bench crash clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

serve: $(STAMP) ## run the server on http://127.0.0.1:8080 with SQLite in ./var (PORT=, DATA=)
	@mkdir -p "$(DATA)"
	@PARLEY_DATABASE_URL="$${PARLEY_DATABASE_URL:-sqlite:///$$(cd "$(DATA)" && pwd)/parley.db}" \
		exec $(BIN)/parley serve --profile dev --port "$(PORT)" $(ARGS)

# Whatever the environment says of bytecode: without it, each worker would rewrite the asserts of every test at each run.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(STAMP) ## run the whole test suite (ARGS=)
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal $(ARGS)

check: $(STAMP) ## lint, format, strict types, architecture contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(STAMP) ## put the sources in the house's format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(STAMP) ## measure, print a table, write bench/results.json (ARGS=)
	$(BIN)/python -m bench $(ARGS)
	$(if $(ARGS),,$(BIN)/python -m bench.relay && $(BIN)/python -m bench.backlog)

crash: $(STAMP) ## kill -9 under load, ROUNDS times on each engine, and look for what was lost
	$(BIN)/python -m tests.crash --rounds "$(ROUNDS)" $(ARGS)

clean: ## remove the environment and the caches, never the data
	rm -rf $(VENV) $(VENV)-uv $(VENV)-node .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# Older than either file: sync again. `--frozen` installs exactly what uv.lock says.
$(STAMP): pyproject.toml uv.lock | $(UV)
	@test -n "$(PYTHON)" || { echo "Parley needs Python 3.11 or newer, and found none on PATH." >&2; exit 1; }
	$(UV) sync --quiet --frozen --python "$(PYTHON)"
	@$(BIN)/python -m compileall -q src
	@touch $@

# No uv on PATH: one of our own, in an environment beside the project's.
$(VENV)-uv/bin/uv:
	@test -n "$(PYTHON)" || { echo "Parley needs Python 3.11 or newer, and found none on PATH." >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)-uv
	$(VENV)-uv/bin/python -m pip install --quiet --disable-pip-version-check uv
