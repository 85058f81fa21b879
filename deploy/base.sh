#!/bin/sh
# Make the base image from Debian's signed packages, where no registry is reached or trusted:
#   deploy/base.sh trixie podman        (as root; needs debootstrap; makes debian-own:trixie)
# then build with --build-arg BASE=localhost/debian-own:trixie (Docker: BASE=debian-own:trixie).
set -eu
release=${1:-trixie}
engine=${2:-docker}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
debootstrap --variant=minbase "$release" "$folder/system" "${MIRROR:-http://deb.debian.org/debian}"
rm -rf "$folder"/system/var/cache/apt/archives/*.deb "$folder"/system/var/lib/apt/lists/*
tar -C "$folder/system" -cf "$folder/system.tar" .
"$engine" import "$folder/system.tar" "debian-own:$release"
