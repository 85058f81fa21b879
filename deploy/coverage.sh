#!/bin/sh
# Run every test in two processes and report line and branch coverage; fail below the floor in
# pyproject.toml. Code that runs only in child processes (parser, engine worker) is not counted.
set -eu
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1
exec .venv/bin/python -m pytest -n 2 -q --cov --cov-report=term:skip-covered
