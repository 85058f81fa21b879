#!/bin/sh
# Install the system packages that are missing, for `run`, `check` or `test`.
# If none is missing, it prints nothing and needs neither root nor network.
set -eu
purpose=$1
here=$(dirname "$0")

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
known() { apt-cache show "$1" >/dev/null 2>&1; }

# Whether there is a browser, which the tests control: Debian's, or one that is installed already.
browser() {
    for name in chromium chromium-browser google-chrome; do
        if "$name" --version >/dev/null 2>&1; then return 0; fi
    done
    return 1
}

# The packages of the release's default Python if that is new enough, else of the newest other one.
python_packages() {
    if dpkg --compare-versions "$(apt-cache policy python3 | awk '/Candidate:/ { print $2 }')" ge 3.11; then
        echo "python3 python3-venv"
        return
    fi
    for version in 3.13 3.12 3.11; do
        if known "python$version-venv"; then
            echo "python$version python$version-venv"
            return
        fi
    done
    echo "python3-venv"
}

if ! command -v apt-get >/dev/null; then
    for name in fluidsynth ffmpeg; do
        command -v "$name" >/dev/null || fail "This is neither Debian nor Ubuntu and $name is missing:" \
            "install FluidSynth, a General MIDI SoundFont (named by MST_SOUNDFONT), ffmpeg and a text font yourself."
    done
    exit 0
fi

# The package fluidsynth depends on the library, whose package name differs between releases.
packages="fluidsynth fluid-soundfont-gm ffmpeg fonts-dejavu-core"
# libatomic1: the Node.js of Playwright, which controls the browser, needs it.
[ "$purpose" != test ] || packages="$packages libatomic1"
# shellcheck disable=SC2086  # a list of names
installed=$(dpkg-query -W -f='${Package}:${db:Status-Status}\n' $packages 2>/dev/null) || true
missing=
for package in $packages; do
    case "$installed" in *"$package:installed"*) ;; *) missing="$missing $package" ;; esac
done
if [ "$purpose" = test ] && ! browser; then
    # shellcheck source=/dev/null
    case "$(. /etc/os-release && echo "$ID")" in
        ubuntu) fail "The tests need Chromium, which Ubuntu has as a snap only:" \
            "run 'sudo snap install chromium' (or install Google Chrome), then this command again." ;;
        *) missing="$missing chromium" ;;
    esac
fi
python=
[ -x .venv/bin/python ] || "$here/python.sh" >/dev/null || python=wanted
[ -n "$missing$python" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    as_root=sudo
else
    fail "These system packages are missing, and neither root nor sudo is available to install them:" \
        "${missing# }${python:+ python3-venv (with Python 3.11 or newer)}. Ask the administrator of this" \
        "machine to run: apt-get install --no-install-recommends$missing${python:+ python3-venv}"
fi

apt() {
    # Wait for the lock: a new machine often installs upgrades at first.
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@"
}

say "Installing system packages${as_root:+ with sudo}:$missing${python:+ Python}"
fresh=
# shellcheck disable=SC2086  # a list of names
for package in $missing ${python:+python3}; do
    known "$package" || { apt update && fresh=yes; break; }
done
[ -z "$python" ] || missing="$missing $(python_packages)"
# shellcheck disable=SC2086
apt install -y --no-install-recommends $missing \
    || { [ -z "$fresh" ] && apt update && apt install -y --no-install-recommends $missing; } \
    || fail "The system packages could not be installed (see above):$missing"
"$here/python.sh" >/dev/null || fail "No Python, 3.11 or newer, that can make a virtual environment was found:" \
    "this release is too old for the bot (Debian 12 and Ubuntu 22.04 are the oldest that have one)."
