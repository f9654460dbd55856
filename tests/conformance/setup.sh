#!/bin/sh
# Installs the official conformance suite of MCP, at the pinned version, into a cache folder.
#
#   tests/conformance/setup.sh CACHE_DIR     writes CACHE_DIR/conformance.env: NODE, SUITE
#
# Nothing is written into the source tree. A second run with the same pins does nothing. Runs after tests/interop/setup.sh, which brings Node.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=$1
refuse() { echo "conformance: $*" >&2; exit 1; }

[ -f "$cache/interop.env" ] || refuse "run tests/interop/setup.sh first: it brings Node"
node=$(sed -n 's/^NODE=//p' "$cache/interop.env")
if [ -x "$cache/interop/venv/bin/npm" ]; then PATH=$cache/interop/venv/bin:$PATH; else PATH=$(dirname "$node"):$PATH; fi

stamp="$(cat "$here/setup.sh" "$here"/package*.json | cksum) $node"
if [ -f "$cache/conformance.env" ] && [ "$(cat "$cache/conformance/stamp" 2>/dev/null)" = "$stamp" ]; then
    exit 0
fi
echo "conformance: npm packages into $cache/conformance" >&2
mkdir -p "$cache/conformance"
rm -f "$cache/conformance/stamp"
cp "$here/package.json" "$here/package-lock.json" "$cache/conformance/"
(cd "$cache/conformance" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
cat >"$cache/conformance.env" <<ENV
NODE=$node
SUITE=$cache/conformance/node_modules/@modelcontextprotocol/conformance/dist/index.js
ENV
echo "$stamp" >"$cache/conformance/stamp"
