# Everything underneath is ordinary: `pip install .`, `cmake --preset dev`, `pytest`. This file makes the environment
# in .venv and keeps stamps there, so that a second call does only what changed.
#
#   make V=1 demo                      with the commands printed
#   PYTHON=python3.12 make demo        another interpreter
#   PIP_FLAGS="..." make test          more flags for pip (an index of CPU-only torch builds, say)

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
ifndef V
.SILENT: # make V=1 prints the commands
endif

PYTHON ?= python3
VENV ?= .venv
PIP_FLAGS ?=
export PYTHON
export CMAKE_GENERATOR ?= Ninja
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(shell nproc)

bin := $(VENV)/bin
pip := $(bin)/python -m pip --disable-pip-version-check -q install $(PIP_FLAGS)
# Tools in the environment (ninja, and cmake where the system's is too old) come first.
in_venv := PATH="$(CURDIR)/$(bin):$$PATH"

wheel_sources := CMakeLists.txt pyproject.toml README.md $(shell find cmake cpp/include cpp/src bindings python \
  third_party/nlohmann -type f -not -name '*.pyc' -not -name '_core.pyi')
cpp_sources = $(shell find cpp bindings bench examples -name '*.cc' -o -name '*.c' -o -name '*.h' -o -name '*.inc')

.PHONY: help demo test cpp-test python-test frameworks verify-full bench measure ann performance lint mypy format wheel clean distclean

help:
	echo "make demo         install into $(VENV) and run the demonstration (no torch, no downloads but packages)"
	echo "make test         C++ tests and Python tests"
	echo "make frameworks   our neurons against SpikingJelly, snnTorch, Norse, sinabs, Rockpool, BindsNET and NIR themselves"
	echo "make verify-full  engine against reference on a whole test set; SNNCORE_DATA names the folder of data sets"
	echo "make bench        kernels and the bundled model, timed"
	echo "make measure      workloads W1 to W8 against other programs, 20 minutes on an idle machine; then performance"
	echo "make ann          searching vectors against faiss, hnswlib and usearch, 12 minutes on an idle machine; then its page"
	echo "make performance  docs/performance.md, the tables of docs/search.md and their plots from bench/results"
	echo "make lint         ruff, mypy, clang-format      make format  lets them correct what they can"
	echo "make wheel        build dist/*.whl"
	echo "make clean        remove build/ and dist/       make distclean  the environment too"

demo: $(VENV)/.installed
	$(bin)/snncore demo

test: cpp-test python-test

cpp-test: $(VENV)/.created
	echo "== C++ tests"
	$(in_venv) cmake --preset dev > build/dev.configure.log || { cat build/dev.configure.log; exit 1; }
	$(in_venv) cmake --build --preset dev
	$(in_venv) ctest --preset dev

python-test: $(VENV)/.test-packages $(VENV)/.installed
	echo "== Python tests"
	$(bin)/pytest $(PYTEST_FLAGS)

frameworks: $(VENV)/.framework-packages $(VENV)/.installed
	$(bin)/pytest tests/python/frameworks tests/python/convert $(PYTEST_FLAGS)

verify-full: $(VENV)/.test-packages $(VENV)/.installed
	test -d "$${SNNCORE_DATA:-}" || { echo "set SNNCORE_DATA to the folder that holds the data sets" >&2; exit 2; }
	$(bin)/pytest -m full -s $(PYTEST_FLAGS)

bench: $(VENV)/.test-packages $(VENV)/.installed
	$(in_venv) cmake --preset release > build/release.configure.log || { cat build/release.configure.log; exit 1; }
	$(in_venv) cmake --build --preset release --target bench_kernels
	build/release/bench/bench_kernels
	$(bin)/snncore bench --against torch

# Results lie in a folder for the CPU and are named after its kernels: bench/results/<cpu>/avx2.json,
# avx2.limits.json. Of the levels below its own, AVX-512 and AVX2 are measured as well, against peers that are kept to
# them. One failing does not stop the rest.
measure: $(VENV)/.bench-packages $(VENV)/.installed
	$(in_venv) cmake --preset release > build/release.configure.log || { cat build/release.configure.log; exit 1; }
	$(in_venv) cmake --build --preset release --target bench_limits
	isa=$$(cd / && $(CURDIR)/$(bin)/python -c 'import snncore; print(snncore.isa())'); \
	results=bench/results/$$(PYTHONPATH=bench $(bin)/python -c 'import facts; print(facts.folder())'); \
	peers="$(bin)/python bench/peers.py --seconds 1.5 --limits build/release/bench/bench_limits"; \
	mkdir -p $$results; \
	build/release/bench/bench_limits --threads 1,2 --json > $$results/$$isa.limits.json; \
	$$peers --density 10,20,50 --threads 1,2 --results $$results/$$isa.json || failed=1; \
	below=; case $$isa in avx512_amx) below="avx512 avx2" ;; avx512) below=avx2 ;; esac; \
	for level in $$below; do \
	  cp $$results/$$isa.limits.json $$results/$$level.limits.json; \
	  $$peers --isa $$level --density 10,20,50 --threads 1,2 --results $$results/$$level.json || failed=1; \
	done; \
	$(bin)/python bench/neon_counts.py --json > build/counts.json && mv build/counts.json bench/results/neon.counts.json || \
	  echo "no counts of NEON instructions"; \
	$(bin)/python bench/report.py; \
	exit $${failed:-0}

# One thread, on the last core where the system can keep a program to one; SNNCORE_DATA names the folder of MNIST.
ann: $(VENV)/.bench-packages $(VENV)/.installed
	pinned=; ! command -v taskset > /dev/null || pinned="taskset -c $$(($$(nproc) - 1))"; \
	$$pinned $(bin)/python bench/ann.py --results bench/results/ann.json
	$(bin)/python bench/report.py --search bench/results/ann.json

performance: $(VENV)/.bench-packages
	$(bin)/python bench/report.py

lint: $(VENV)/.lint-packages mypy
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/clang-format --dry-run -Werror $(cpp_sources)

# The stub is generated with the module; mypy reads the sources, so it gets a copy there (ignored by git).
mypy: $(VENV)/.lint-packages $(VENV)/.test-packages $(VENV)/.installed
	cp "$$(cd / && $(CURDIR)/$(bin)/python -c 'import snncore._core as c; print(c.__file__.replace(".abi3.so", ".pyi"))')" python/snncore/
	$(bin)/mypy

format: $(VENV)/.lint-packages
	$(bin)/ruff check --fix .
	$(bin)/ruff format .
	$(bin)/clang-format -i $(cpp_sources)

wheel: $(VENV)/.created
	rm -f dist/*.whl
	$(in_venv) $(bin)/python -m pip --disable-pip-version-check wheel -q --no-build-isolation --no-deps \
	  --config-settings=build-dir=build/python -w dist .
	ls dist/*.whl

clean:
	rm -rf build dist python/snncore/_core.pyi
	rm -f $(VENV)/.installed

distclean: clean
	rm -rf $(VENV)

$(VENV)/.created: requirements/build.txt
	echo "== creating $(VENV)"
	.ci/system-packages python compiler
	$(PYTHON) -m venv $(VENV)
	$(pip) -r requirements/build.txt
	command -v ninja > /dev/null || $(pip) ninja
	cmake -P cmake/at_least_3_25.cmake > /dev/null 2>&1 || $(pip) "cmake>=3.25"
	mkdir -p build
	touch $@

# torch first: the package's own extras would be content with another version.
$(VENV)/.test-packages: requirements/test.txt $(VENV)/.created
	echo "== installing test packages (torch among them)"
	$(pip) $$(grep '^torch==' requirements/test.txt)
	$(pip) -r requirements/test.txt
	touch $@

$(VENV)/.framework-packages: requirements/frameworks.txt requirements/frameworks-deps.txt $(VENV)/.test-packages
	echo "== installing the frameworks that neurons are compared with"
	$(pip) --no-deps -r requirements/frameworks.txt
	$(pip) -r requirements/frameworks-deps.txt
	touch $@

$(VENV)/.bench-packages: requirements/bench.txt $(VENV)/.test-packages
	$(pip) -r requirements/bench.txt
	touch $@

$(VENV)/.lint-packages: requirements/lint.txt $(VENV)/.created
	$(pip) -r requirements/lint.txt
	touch $@

$(VENV)/.installed: $(wheel_sources) $(VENV)/.created
	echo "== building and installing snncore"
	$(in_venv) $(pip) --no-build-isolation --config-settings=build-dir=build/python ".[cli]"
	touch $@
