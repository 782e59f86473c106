#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the virtual environment that `make` uses: ttyscribe from this checkout with all extras.
set -eu
venv=${1:-.venv}

say() { printf '%s\n' "$*" >&2; }

find_python() {
    for name in ${PYTHON:-} python3.11 python3.12 python3.13 python3.14 python3; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

python=$(find_python) || {
    say "ttyscribe needs Python 3.11 or newer and found none."
    say "On Debian or Ubuntu: apt-get install python3 python3-venv; or name one: PYTHON=/path/to/python3 make demo"
    exit 1
}

if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installing Python's venv module (apt-get install python3-venv)"
        apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends python3-venv >/dev/null
    else
        say "Python's venv module is missing. As root: apt-get install python3-venv"
        exit 1
    fi
fi

say "building $venv with $("$python" --version) ($python)"
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
install() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$1"; }
install '.[all]' || {
    say "not every extra can be had for this Python; going on without the player's emulator"
    install '.[pipeline]'
}
touch "$venv/.ready"
