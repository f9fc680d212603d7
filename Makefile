# The tasks of this repository. Needs Python 3.11 or newer and make; uv is used when it is on the PATH (or given as UV=...).
PYTHON ?= python3
# Of the combinations of crash-matrix every so many are tried: 1 for all of them.
EVERY ?= 4
UV ?= $(shell command -v uv 2>/dev/null)
VENV := .venv
BIN := $(VENV)/bin
# Folders may still be empty, and mypy refuses an empty one.
PY_ROOMS := $(wildcard builders/*.py validators/*.py tools/*.py benchmarks/*.py)

.DEFAULT_GOAL := help
.PHONY: help gate test lint prepare-json render package verify prove ops-calibration-backlog crash-matrix bench bench-peers lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-24s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

gate: $(VENV)/.run ## Build the desk, gate it and write its reports
	@$(BIN)/assay run

test: $(VENV)/.dev ## Lint, then all tests; fails if either does
	@$(MAKE) --no-print-directory lint; lint=$$?; $(BIN)/python -m pytest -q -n auto --dist worksteal; tests=$$?; exit $$((lint || tests))

lint: $(VENV)/.dev ## Style, format, types and layers
	$(BIN)/ruff check -q
	$(BIN)/ruff format -q --check
	$(BIN)/mypy --no-error-summary src $(PY_ROOMS)
	$(BIN)/lint-imports --no-logo

prepare-json: $(VENV)/.run ## Build the canonical artifacts only
	@$(BIN)/assay build

render: $(VENV)/.run ## Write the reports from the canonical artifacts
	@$(BIN)/assay render

package: $(VENV)/.run ## Seal artifacts and reports behind a passed gate
	@$(BIN)/assay package

verify: $(VENV)/.run ## Re-check every digest and every number under Temp/
	@$(BIN)/assay verify

prove: $(VENV)/.run ## Mutate the artifacts and count what the gates catch
	@$(BIN)/assay prove

# The exit code is the gate's, so that a schedule turns red; the reports are there to be read either way.
ops-calibration-backlog: $(VENV)/.run ## Build, gate and report; say where the calibration review lies
	@$(BIN)/assay run; code=$$?; \
	for report in calibration_review_report calibration_approval_list; do \
		page=Temp/$${report}_v1.md; \
		if test -f $$page; then echo "to review: $$page"; else echo "not written: $$page"; fi; \
	done; exit $$code

crash-matrix: $(VENV)/.dev ## Kill a trading process at every step with every fault, and count duplicates and losses
	@$(BIN)/python tests/crash/matrix.py --every $(EVERY)

bench: $(VENV)/.run benchmarks/.peers/.made ## Measure against the peers; writes benchmarks/results.md
	@$(BIN)/python benchmarks/run.py --write

bench-peers: benchmarks/.peers/.made ## Install the peers that bench measures against

lock: ## Resolve anew: uv.lock and requirements/*.txt (needs uv)
	@test -n "$(UV)" || { echo "make lock needs uv: put it on the PATH, or say UV=$(BIN)/uv"; exit 1; }
	$(UV) lock
	$(UV) export -q --format requirements.txt --no-emit-project --no-default-groups --group build --extra sandbox --extra sign -o requirements/run.txt
	$(UV) export -q --format requirements.txt --no-emit-project --extra cluster --extra notify --extra sandbox --extra sign -o requirements/dev.txt

clean: ## Remove all that was made, but the desk's data/ and .venv/
	rm -rf Temp dist .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -not -path './benchmarks/.peers/*' -prune -exec rm -rf {} +

# The environment. A stamp is made again only when the locked requirements change, so a second `make gate` sets nothing up.
ifneq ($(UV),)
make_venv = $(UV) venv -q --allow-existing --python $(PYTHON) $(1)
install = $(UV) pip install -q --python $(1)/bin/python
else
make_venv = { test -x $(1)/bin/pip || $(PYTHON) -m venv $(1); }
install = $(1)/bin/python -m pip install -q --disable-pip-version-check
endif
new_enough = import sys; v = sys.version_info; \
	sys.exit(v < (3, 11) and "QuantAssay needs Python 3.11 or newer and this is %d.%d; try: make PYTHON=python3.12" % v[:2])

$(VENV)/.run: requirements/run.txt pyproject.toml
	@$(PYTHON) -c '$(new_enough)'
	@echo "Installing QuantAssay into $(VENV) (only when requirements change)"
	@$(call make_venv,$(VENV))
	@$(call install,$(VENV)) --require-hashes -r requirements/run.txt
	@$(call install,$(VENV)) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@echo "Installing the tools for tests into $(VENV) (only when requirements change)"
	@$(call install,$(VENV)) --require-hashes -r requirements/dev.txt
	@touch $@

benchmarks/.peers/.made: benchmarks/peers.txt
	@$(PYTHON) -c '$(new_enough)'
	@echo "Installing the peers into benchmarks/.peers (only when benchmarks/peers.txt changes)"
	@$(call make_venv,benchmarks/.peers)
	@$(call install,benchmarks/.peers) -r benchmarks/peers.txt
	@touch $@
