#!/bin/sh
# Make the base image from Debian's signed packages, where no registry is reached or trusted:
#   deploy/base.sh trixie podman        (as root; needs debootstrap; makes debian-own:trixie)
# then build with --build-arg BASE=localhost/debian-own:trixie (Docker: BASE=debian-own:trixie).
set -eu
release=${1:-trixie}
engine=${2:-docker}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
debootstrap --variant=minbase "$release" "$folder/root" "${MIRROR:-http://deb.debian.org/debian}"
rm -rf "$folder"/root/var/cache/apt/archives/*.deb "$folder"/root/var/lib/apt/lists/*
tar -C "$folder/root" -cf "$folder/root.tar" .
"$engine" import "$folder/root.tar" "debian-own:$release"
