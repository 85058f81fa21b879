#!/bin/sh
# Install what the project needs to `run`, `check` or `test`: system packages, .venv, the project.
# A file in .venv keeps a hash of what was installed, so that the next set-up takes milliseconds; an
# interrupted installation leaves no such file and is done again.
# HASHES=1 installs, to `run`, only files whose hash is in deploy/requirements.txt.
set -eu
cd "$(dirname "$0")/.."
purpose=${1:-run}

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

case "$purpose" in
    run) parts=tryout ;;
    check | test) parts=tryout,dev ;;
    *) fail "deploy/setup.sh takes run, check or test, not $purpose" ;;
esac
mark=.venv/.installed-$parts
# The lines of pyproject.toml after the first [tool. ...] change nothing that is installed.
wanted=$({ pwd; sed '/^\[tool\./,$d' pyproject.toml; cat constraints.txt; } | sha256sum)
ready() { [ "$(cat "$mark" 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; }

deploy/system.sh "$purpose"
if ready; then exit 0; fi

for place in . .setup .venv; do
    if [ -e "$place" ] && [ ! -w "$place" ]; then
        fail "$(realpath "$place") is not writable for you: run this as its owner ($(stat -c %U "$place")), or make a clone of your own."
    fi
done
mkdir -p .setup
exec 9>.setup/lock
flock -n 9 || { say "Another set-up of this checkout is running; waiting until it ends."; flock 9; }
if ready; then exit 0; fi

# Make .venv again if it was moved or is incomplete, or if its Python was removed by an upgrade.
if ! .venv/bin/python -m pip --version >/dev/null 2>&1 || ! grep -qF "$PWD/.venv" .venv/bin/activate; then
    say "Creating .venv"
    "$(deploy/python.sh)" -m venv --clear .venv || fail "The folder .venv could not be created (see above)."
fi
rm -f .venv/.installed-*

say "Installing Python packages; the first time takes a few minutes"
again="The Python packages could not be installed (see above); run the same command again to continue."
if [ -n "${TORCH_INDEX:-}" ] && ! .venv/bin/python -m pip show -q torch 2>/dev/null; then
    # Without its dependencies: they come from PyPI with all other packages.
    .venv/bin/python -m pip install --no-deps --index-url "$TORCH_INDEX" "$(grep '^torch==' constraints.txt)" || fail "$again"
fi
if [ -n "${HASHES:-}" ] && [ "$purpose" = run ]; then
    # PyTorch's own index has other files than PyPI: what was installed from there is left out.
    listed=.setup/requirements.txt
    awk -v own="${TORCH_INDEX:-}" '/^[a-z]/ { keep = own == "" || !/^(torch|triton|nvidia-|cuda-)/ } keep' \
        deploy/requirements.txt >"$listed"
    .venv/bin/python -m pip install --no-input --no-deps --require-hashes -r "$listed" || fail "$again"
    .venv/bin/python -m pip install --no-input --no-deps --no-build-isolation -e . || fail "$again"
else
    .venv/bin/python -m pip install --no-input -c constraints.txt -e ".[$parts]" || fail "$again"
fi
printf '%s\n' "$wanted" >.venv/.installed-tryout
[ "$parts" = tryout ] || printf '%s\n' "$wanted" >"$mark"
