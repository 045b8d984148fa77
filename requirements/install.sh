#!/bin/sh
# Installs the locked packages of one set (demo, dev) and vlmops itself, editable, into .venv.
# Exact pins and --no-deps: what is installed is what the lock says, with uv and with plain pip alike.
# Compiling now (pip does it by itself) halves the time that Phoenix takes to start.
set -eu
python=$1
set_name=$2

if command -v uv >/dev/null 2>&1; then
    [ -x .venv/bin/python ] || uv venv --quiet --python "$python" .venv
    export VIRTUAL_ENV="$PWD/.venv"
    uv pip install --quiet --compile-bytecode --no-deps -r "requirements/$set_name.txt"
    uv pip install --quiet --no-deps --editable .
else
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    .venv/bin/python -m pip install --quiet --no-deps -r "requirements/$set_name.txt"
    .venv/bin/python -m pip install --quiet --no-deps --editable .
fi
