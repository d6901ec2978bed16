#!/bin/sh
# Makes .venv with the first Python that is new enough. PYTHON names another one.
set -eu

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

found=
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if command -v "$candidate" >/dev/null 2>&1 &&
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        found=$candidate
        break
    fi
done
[ -n "$found" ] || fail "tickertape needs Python 3.11 or newer, and ${PYTHON:-python3} is not." \
    "Install one (Debian 12, Ubuntu 24.04 and later have it: apt install python3 python3-venv)," \
    "or name it: make PYTHON=/path/to/python3.13 …"

# Debian and Ubuntu ship Python without what makes a virtual environment.
if ! "$found" -c 'import ensurepip, venv' 2>/dev/null; then
    package=python$("$found" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing $package …"
        apt-get update -qq </dev/null
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" </dev/null >/dev/null
    else
        fail "$found cannot make a virtual environment: its venv module is not installed." \
            "On Debian and Ubuntu: sudo apt install $package"
    fi
fi

# Whoever runs the server must be able to read it, however strict the umask.
umask 022
"$found" -m venv --clear .venv || fail "The virtual environment .venv could not be made with $found." \
    "Is there room on the disk, and may you write here?"
