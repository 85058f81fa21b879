#!/bin/sh
# Write constraints.txt: the exact version of every package that a new installation would get today.
# Local labels such as +cpu are left out, so that one pin fits every build of a version.
set -eu
cd "$(dirname "$0")/.."

resolve() {
    .venv/bin/python -m pip install --quiet --dry-run --ignore-installed --report - "$@" | .venv/bin/python -c '
import json, sys
for package in json.load(sys.stdin)["install"]:
    about = package["metadata"]
    if "dir_info" not in package["download_info"]:
        print(about["name"].lower(), about["version"].split("+")[0], sep="==")'
}

fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
resolve -e ".[tryout,dev]" >"$fresh"
# Required from Python 3.13 on; pip for an older Python does not list it.
grep -q '^audioop-lts==' "$fresh" \
    || resolve --no-deps --ignore-requires-python --only-binary :all: --python-version 3.13 \
        --target .setup audioop-lts >>"$fresh"
{
    echo "# Exact versions for the set-up, written by \`make constraints\`."
    echo "# What the project asks for, and why, stands in pyproject.toml."
    LC_ALL=C sort "$fresh"
} >constraints.txt

# The same versions with the hash of every file, for `make setup HASHES=1` and the image. hatchling and
# editables build the project itself. pip lists only the files of its own platform, uv all of them.
.venv/bin/python -m venv .setup/uv
.setup/uv/bin/python -m pip install --quiet uv
printf 'hatchling\neditables\n' | .setup/uv/bin/uv pip compile pyproject.toml - --extra tryout \
    -c constraints.txt --generate-hashes --universal --python-version 3.11 --no-annotate --no-header \
    --quiet -o deploy/requirements.txt
