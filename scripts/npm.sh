#!/bin/sh
# npm in web/, with the Node.js of this machine where it is new enough, else with the one that PyPI has.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
umask 022

new_enough() {
    node -e 'const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit(major === 20 ? (minor >= 19 ? 0 : 1) : major >= 24 || (major === 22 && minor >= 12) ? 0 : 1)' \
        >/dev/null 2>&1
}

if ! { command -v node && command -v npm; } >/dev/null 2>&1 || ! new_enough; then
    if [ ! -x "$here/.venv/bin/npm" ]; then
        echo "There is no Node.js 20.19, 22.12 or newer here; installing one into .venv …"
        (cd "$here" && sh scripts/pip.sh --require-hashes -r requirements/node.lock)
    fi
    PATH=$here/.venv/bin:$PATH
    export PATH
fi

cd "$here/web"
npm "$@" </dev/null && exit
status=$?
if [ "${1:-}" = ci ]; then
    echo "The dashboard's packages could not be installed; what npm said is above." >&2
    echo "If it could not reach its registry: set HTTPS_PROXY, or npm_config_registry for one of your own," \
        "and run make again." >&2
fi
exit "$status"
