#!/bin/sh
# Run every check, then every test in two processes.
set -eu
cd "$(dirname "$0")/.."
deploy/check.sh
# More threads than processes would slow both processes down.
export OMP_NUM_THREADS=1
exec .venv/bin/python -m pytest -n 2
