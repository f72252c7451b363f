#!/bin/sh
# deb: builds the Debian packages from a copy of the tree, so that nothing is left in it.
# Usage: deb.sh FOLDER; the packages are in FOLDER afterwards.  SPDX-License-Identifier: MIT
set -eu

folder=$1
unset MAKEFLAGS MFLAGS MAKELEVEL
rm -rf "$folder"
mkdir -p "$folder/tidemill"

# What is in git, as it is here; without git all but what was built.
if git rev-parse --git-dir >/dev/null 2>&1; then
    git ls-files -z --cached --others --exclude-standard
else
    find . -path ./build -prune -o -type f -print0
fi | tar --null --files-from=- --ignore-failed-read -cf - 2>/dev/null | tar -xf - -C "$folder/tidemill"

cd "$folder/tidemill"
dpkg-buildpackage --build=binary --no-sign --jobs=auto
cd ..
rm -rf tidemill
command -v lintian >/dev/null 2>&1 || { echo "lintian is not installed: not asked"; exit 0; }
# No bug of Debian's asks for this package yet.
lintian --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs ./*.changes
