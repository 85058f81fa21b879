#!/bin/sh
# Make this checkout ready to `run`, or to `check` or `test` it: system packages, .venv, the project.
# What was installed is remembered in .venv by a hash of what it was made from, so that a second
# time is a matter of milliseconds; an interrupted installation leaves no such mark and is done again.
set -eu
cd "$(dirname "$0")/.."
purpose=${1:-run}

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

case "$purpose" in
    run) parts=tryout ;;
    check | test) parts=tryout,dev ;;
    *) fail "deploy/setup.sh run, check or test; there is no $purpose" ;;
esac
mark=.venv/.installed-$parts
# What stands below the first [tool. ...] of pyproject.toml changes nothing that is installed.
wanted=$({ pwd; sed '/^\[tool\./,$d' pyproject.toml; cat constraints.txt; } | sha256sum)
ready() { [ "$(cat "$mark" 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; }

deploy/system.sh "$purpose"
if ready; then exit 0; fi

for place in . .setup .venv; do
    if [ -e "$place" ] && [ ! -w "$place" ]; then
        fail "$(realpath "$place") is not yours to write to: become its owner ($(stat -c %U "$place")), or take a clone of your own."
    fi
done
mkdir -p .setup
exec 9>.setup/lock
flock -n 9 || { say "Another set-up of this checkout is under way; waiting for it."; flock 9; }
if ready; then exit 0; fi

# A folder that was moved, half made, or whose Python was upgraded away is made anew.
if ! .venv/bin/python -m pip --version >/dev/null 2>&1 || ! grep -qF "$PWD/.venv" .venv/bin/activate; then
    say "Making .venv"
    "$(deploy/python.sh)" -m venv --clear .venv || fail "The folder .venv could not be made (see above)."
fi
rm -f .venv/.installed-*

say "Installing Python packages; the first time takes some minutes"
again="The Python packages could not be installed (see above); the same command goes on from here."
if [ -n "${TORCH_INDEX:-}" ] && ! .venv/bin/python -m pip show -q torch 2>/dev/null; then
    # Alone and first: what torch itself needs comes from the usual index with everything else.
    .venv/bin/python -m pip install --no-deps --index-url "$TORCH_INDEX" "$(grep '^torch==' constraints.txt)" || fail "$again"
fi
.venv/bin/python -m pip install --no-input -c constraints.txt -e ".[$parts]" || fail "$again"
printf '%s\n' "$wanted" >.venv/.installed-tryout
[ "$parts" = tryout ] || printf '%s\n' "$wanted" >"$mark"
