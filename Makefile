# One command each: `make demo` shows a study, `make test` checks everything.
PYTHON ?= python3
BIN := .venv/bin
RUNTIME := .venv/.installed
DEVELOP := .venv/.installed-dev
COMPILED := .venv/.compiled
# Benchmarks have an environment of their own: pandapower takes lightsim2grid where it is installed,
# which would change what the tests compare with.
RACE := .venv-bench/.installed
COVERED := ageing assess battery dispatch powerflow
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --max-worker-restart=0 -m "not slow" --durations=15

.PHONY: demo test test-slow test-bounds bench bench-hosting bench-quick gates format clean

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

$(RUNTIME): $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(DEVELOP): $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $(RUNTIME) $@

$(COMPILED): $(RUNTIME)
	$(BIN)/gridimpact compile
	touch $@

demo: $(COMPILED)
	$(BIN)/gridimpact demo

gates: $(DEVELOP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Kernels compile while the gates run. Rooms whose coverage is asked for are tested apart from the
# others, as counting branches makes tests half as slow again.
test: $(DEVELOP)
	$(MAKE) --no-print-directory -j2 gates $(COMPILED)
	$(PYTEST) --cov --cov-report= $(COVERED:%=tests/%)
	$(PYTEST) --doctest-modules gridimpact tests $(COVERED:%=--ignore=tests/%)
	$(BIN)/python -m pytest -n 2 --nbmake --nbmake-timeout=300 -q notebooks
	$(BIN)/coverage report --include='gridimpact/dispatch/*,gridimpact/powerflow/*,gridimpact/ageing/*,gridimpact/assess/*' --fail-under=95

test-slow: $(DEVELOP)
	$(BIN)/python -m pytest -m slow tests

# Compiled code does not look whether an index lies inside its array; here it does.
test-bounds: $(DEVELOP)
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=.numba-bounds $(BIN)/python -m pytest -n 2 --dist loadfile \
		--max-worker-restart=0 -m "not slow" -q tests

$(RACE): pyproject.toml
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --upgrade pip
	.venv-bench/bin/python -m pip install --quiet --editable '.[bench]'
	.venv-bench/bin/gridimpact compile
	touch $@

bench: $(RACE) $(DEVELOP)
	.venv-bench/bin/python -m tests.benchmarks --out docs
	.venv-bench/bin/python tests/benchmarks/year_of_strategies.py
	$(BIN)/python -m tests.benchmarks.dispatch --out docs
	$(BIN)/python -m tests.benchmarks.step_size

bench-hosting: $(DEVELOP) $(COMPILED)
	$(BIN)/python -m tests.benchmarks.hosting --out docs

bench-quick: $(RACE)
	.venv-bench/bin/python -m tests.benchmarks --quick

format: $(DEVELOP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .venv-bench .numba-bounds .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
