#!/bin/sh
# pip install in .venv, with a plain word where it fails.
set -eu
umask 022
# Much of what is installed is never imported, and Python compiles the rest when it first is.
unset PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV || :
if ! .venv/bin/python -m pip install --quiet --no-compile --disable-pip-version-check --no-input "$@" </dev/null; then
    echo "Python packages could not be installed; what pip said is above." >&2
    echo "If it could not reach its index: set HTTPS_PROXY, or PIP_INDEX_URL for one of your own, and run make again." >&2
    exit 1
fi
