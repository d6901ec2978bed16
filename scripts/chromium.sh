#!/bin/sh
# Chromium for the browser tests, from the distribution where we may install it.
set -eu
if [ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null 2>&1; then
    exit 0
fi
# Ubuntu's package of that name only points at a snap, which does not run in a container.
if [ "$(id -u)" -eq 0 ] && grep -q '^ID=debian' /etc/os-release 2>/dev/null; then
    echo "Installing Chromium for the browser tests …"
    if apt-get update -qq </dev/null && DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends chromium </dev/null >/dev/null; then
        exit 0
    fi
fi
echo "Chromium is not installed, so the browser tests are skipped." >&2
echo "Install it (Debian: sudo apt install chromium), or set CHROMIUM to the path of a Chrome or Chromium." >&2
