#!/bin/sh
# Installs schemathesis, at the pinned version, into a virtual environment of the cache folder.
#
#   tests/schemathesis/setup.sh CACHE_DIR     writes CACHE_DIR/schemathesis.env: SCHEMATHESIS
#
# Nothing is written into the source tree. A second run with the same pins does nothing.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=$1
refuse() { echo "schemathesis: $*" >&2; exit 1; }

stamp="$(cat "$here/setup.sh" "$here/requirements.txt" | cksum) $cache"
venv=$cache/schemathesis/venv
if [ -f "$cache/schemathesis.env" ] && [ -x "$venv/bin/python" ] && [ "$(cat "$cache/schemathesis/stamp" 2>/dev/null)" = "$stamp" ]; then
    exit 0
fi
python=$(command -v python3) || refuse "python3 is missing; install Python 3.10 or newer"
echo "schemathesis: Python packages into $venv" >&2
mkdir -p "$cache/schemathesis"
rm -rf "$venv" "$cache/schemathesis/stamp"
"$python" -m venv "$venv" || refuse "cannot make a virtual environment; on Debian install python3-venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
echo "SCHEMATHESIS=$venv/bin/schemathesis" >"$cache/schemathesis.env"
echo "$stamp" >"$cache/schemathesis/stamp"
