#!/usr/bin/env bash
# Make the virtual environment $2 with the Python $1, or say in one line what is missing.
set -euo pipefail
python=$1 venv=$2
if [ -x "$venv/bin/python" ] && "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    exit 0
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "roomwarden: Python 3.11 or later is needed, as $python or by make PYTHON=..." >&2
    exit 2
fi
if ! "$python" -m venv "$venv" >"$venv.log" 2>&1; then
    rm -rf "$venv"
    echo "roomwarden: $python has no venv module; on Debian: apt install python3-venv" >&2
    exit 2
fi
rm -f "$venv.log"
