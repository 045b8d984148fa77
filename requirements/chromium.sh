#!/bin/sh
# Makes sure there is a Chromium for the tests that look at real pages.
set -eu
for name in chromium chromium-browser google-chrome chrome; do
    if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if command -v apt-get >/dev/null 2>&1; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq chromium >/dev/null
    exit 0
fi
exec .venv/bin/python -m playwright install chromium
