#!/bin/sh
# Every check, then every test, on two processes.
set -eu
cd "$(dirname "$0")/.."
deploy/check.sh
# Two processes with threads of their own would only be in each other's way.
export OMP_NUM_THREADS=1
exec .venv/bin/python -m pytest -n 2
