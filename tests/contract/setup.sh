#!/bin/sh
# Installs what the example consumer needs, at the pinned version, into a virtual environment of the cache folder.
#
#   tests/contract/setup.sh CACHE_DIR     writes CACHE_DIR/consumer/venv
#
# Nothing is written into the source tree. A second run with the same pins does nothing.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=$1
pins=$here/../../examples/consumer/requirements.txt
venv=$cache/consumer/venv
stamp=$cache/consumer/stamp
if [ -x "$venv/bin/python" ] && cmp -s "$pins" "$stamp"; then
    exit 0
fi
python=$(command -v python3) || { echo "consumer: python3 is missing; install Python 3.10 or newer" >&2; exit 1; }
echo "consumer: Python packages into $venv" >&2
mkdir -p "$cache/consumer"
rm -rf "$venv" "$stamp"
"$python" -m venv "$venv" || { echo "consumer: cannot make a virtual environment; on Debian install python3-venv" >&2; exit 1; }
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$pins"
cp "$pins" "$stamp"
