# `make` alone lists the targets. What takes more than three lines is a script in deploy/.
#
# TORCH_INDEX  where torch comes from on its first installation. Without a GPU,
#              make run TORCH_INDEX=https://download.pytorch.org/whl/cpu
#              installs PyTorch's CPU build, which is several gigabytes smaller.
# HASHES       1 installs, for `make setup` and `make run`, only files whose hash is known.

.DEFAULT_GOAL := help
.PHONY: help setup run test quick check coverage bench golden laws torture soak load torture-readers fuzz constraints clean

TORCH_INDEX ?=
HASHES ?=
export TORCH_INDEX HASHES

python := .venv/bin/python

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install system packages, .venv and the project: what `make run` needs
	@deploy/setup.sh run

# setpriv: if make is killed, the bot gets SIGTERM too.
run: ## set up, then start the bot: on Discord with a DISCORD_TOKEN, else the local preview
	@deploy/setup.sh run && exec setpriv --pdeathsig TERM $(python) -m bot

test: ## set up, then every check and every test
	@deploy/setup.sh test && exec deploy/test.sh

quick: ## run the tests that need no network, browser or ffmpeg: under a minute
	@deploy/setup.sh check && OMP_NUM_THREADS=1 exec $(python) -m pytest -n 2 -q -m "not slow"

check: ## lint, format, types and layers
	@deploy/setup.sh check && exec deploy/check.sh

coverage: ## run every test and measure line and branch coverage
	@deploy/setup.sh test && deploy/coverage.sh

bench: ## measure the time from a request to its audio, and the speed of training
	@deploy/setup.sh check && $(python) -m tests.tools.bench_tune && $(python) -m tests.tools.bench_band && exec $(python) -m tests.tools.bench_training

golden: ## compare the whole list of golden requests: minutes
	@deploy/setup.sh check && exec $(python) -m tests.golden.golden

laws: ## check that every tune of CORPUS=files and folders survives writing and reading
	@test -n "$(CORPUS)" || { echo "name the files: make laws CORPUS=folder" >&2; exit 2; }
	@deploy/setup.sh check && exec $(python) -m tests.tools.roundtrip $(CORPUS)

torture-readers: ## run the command on every hostile file: minutes
	@deploy/setup.sh check && exec $(python) -m tests.tools.hostile.torture

KILLS ?= 200
torture: ## kill the bot, its engine and its parsers KILLS=200 times; Discord, disk and files misbehave
	@deploy/setup.sh check && exec $(python) -m tests.tools.standin.torture --kills $(KILLS)

HOURS ?= 1
SOAK ?= runs/soak
soak: ## run the bot for HOURS=1 with a kill every few minutes; log in SOAK=runs/soak, which is new
	@deploy/setup.sh check && exec $(python) -m tests.tools.standin.soak --hours $(HOURS) $(SOAK)

USERS ?= 64
MINUTES ?= 10
load: ## let USERS=64 people ask the bot for MINUTES=10; measure its loop, memory and waiting times
	@deploy/setup.sh check && exec $(python) -m tests.tools.standin.load --users $(USERS) --minutes $(MINUTES)

SECONDS ?= 60
fuzz: ## fuzz each reader for SECONDS=60
	@deploy/setup.sh check && exec deploy/fuzz.sh $(SECONDS)

constraints: ## write the newest versions that pyproject.toml admits, and their hashes
	@deploy/constraints.sh

clean: ## remove .venv and caches of the tools; data, runs and models stay
	rm -rf .venv .venv-fuzz .setup build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
	rm -rf .hypothesis .import_linter_cache .coverage .coverage.*
	find bot mst_core tests -name __pycache__ -prune -exec rm -rf {} +
