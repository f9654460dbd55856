#!/bin/sh
# Installs the OpenID Connect provider that the tests sign in with, at the pinned version, into a cache folder.
#
#   tests/provider/setup.sh CACHE_DIR     writes CACHE_DIR/provider.env: NODE, NODE_MODULES
#
# Nothing is written into the source tree. A second run with the same pins does nothing. Runs after tests/interop/setup.sh, which brings Node.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=$1
refuse() { echo "provider: $*" >&2; exit 1; }

[ -f "$cache/interop.env" ] || refuse "run tests/interop/setup.sh first: it brings Node"
node=$(sed -n 's/^NODE=//p' "$cache/interop.env")
if [ -x "$cache/interop/venv/bin/npm" ]; then PATH=$cache/interop/venv/bin:$PATH; else PATH=$(dirname "$node"):$PATH; fi

stamp="$(cat "$here/setup.sh" "$here"/package*.json | cksum) $node"
if [ -f "$cache/provider.env" ] && [ "$(cat "$cache/provider/stamp" 2>/dev/null)" = "$stamp" ]; then
    exit 0
fi
echo "provider: npm packages into $cache/provider" >&2
mkdir -p "$cache/provider"
rm -f "$cache/provider/stamp"
cp "$here/package.json" "$here/package-lock.json" "$cache/provider/"
(cd "$cache/provider" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
cat >"$cache/provider.env" <<ENV
NODE=$node
NODE_MODULES=$cache/provider/node_modules
ENV
echo "$stamp" >"$cache/provider/stamp"
