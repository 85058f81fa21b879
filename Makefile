# `make` alone lists the targets. What takes more than three lines is a script in deploy/.
#
# TORCH_INDEX  where torch comes from on its first installation. Without a GPU,
#              make run TORCH_INDEX=https://download.pytorch.org/whl/cpu
#              takes PyTorch's own CPU build, which is several gigabytes smaller.

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench golden laws torture fuzz constraints clean

TORCH_INDEX ?=
export TORCH_INDEX

python := .venv/bin/python

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## system packages, .venv and the project: what `make run` needs
	@deploy/setup.sh run

# setpriv: should make be killed, the bot is told to end and does not stay behind.
run: ## set up, then start the bot: on Discord with a DISCORD_TOKEN, else the local try-out
	@deploy/setup.sh run && exec setpriv --pdeathsig TERM $(python) -m bot

test: ## set up, then every check and every test
	@deploy/setup.sh test && exec deploy/test.sh

check: ## lint, format, types and layers
	@deploy/setup.sh check && exec deploy/check.sh

bench: ## measure the time from a request to its sound, and the pace of training
	@deploy/setup.sh check && $(python) -m tests.tools.bench_tune && exec $(python) -m tests.tools.bench_training

golden: ## compare the whole list of golden requests: minutes
	@deploy/setup.sh check && exec $(python) -m tests.golden.golden

laws: ## read, write and read again every tune of CORPUS=files and folders
	@test -n "$(CORPUS)" || { echo "say of which files: make laws CORPUS=folder" >&2; exit 2; }
	@deploy/setup.sh check && exec $(python) -m tests.tools.roundtrip $(CORPUS)

torture: ## send every nasty file through the command: minutes
	@deploy/setup.sh check && exec $(python) -m tests.tools.hostile.torture

SECONDS ?= 60
fuzz: ## let a fuzzer look for files that break a reader, SECONDS=60 for each
	@deploy/setup.sh check && exec deploy/fuzz.sh $(SECONDS)

constraints: ## take the newest versions that pyproject.toml admits into constraints.txt
	@deploy/constraints.sh

clean: ## remove .venv and what the tools keep; data, runs and models stay
	rm -rf .venv .venv-fuzz .setup build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
	rm -rf .hypothesis .import_linter_cache .coverage .coverage.*
	find bot mst_core tests -name __pycache__ -prune -exec rm -rf {} +
