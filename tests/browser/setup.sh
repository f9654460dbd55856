#!/bin/sh
# Finds or installs a Chromium, and the driver that the tests speak to it with, at the pinned version, into a cache folder.
#
#   tests/browser/setup.sh CACHE_DIR     writes CACHE_DIR/browser.env: CHROMIUM, NODE, NODE_MODULES
#
# Nothing is written into the source tree. A second run with the same pins does nothing. Runs after tests/interop/setup.sh, which brings Node.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=$1
refuse() { echo "browser: $*" >&2; exit 1; }

[ -f "$cache/interop.env" ] || refuse "run tests/interop/setup.sh first: it brings Node"
node=$(sed -n 's/^NODE=//p' "$cache/interop.env")
if [ -x "$cache/interop/venv/bin/npm" ]; then PATH=$cache/interop/venv/bin:$PATH; else PATH=$(dirname "$node"):$PATH; fi

find_chromium() {
    for name in "${SEKISHO_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
        [ -n "$name" ] && command -v "$name" && return 0
    done
    return 1
}

reads_japanese() { command -v fc-list >/dev/null && [ -n "$(fc-list :lang=ja)" ]; }

# Debian's packages, as root; elsewhere somebody has to install one.
if ! find_chromium >/dev/null || ! reads_japanese; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "browser: installing Debian's chromium and a Japanese font" >&2
        { apt-get update -q &&
            DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium fontconfig fonts-ipafont-gothic; } >&2
    fi
fi
chromium=$(find_chromium) || refuse "no Chromium: install chromium (apt-get install chromium, brew install --cask chromium), or set SEKISHO_CHROMIUM"

stamp="$(cat "$here/setup.sh" "$here"/package*.json | cksum) $chromium $node"
if [ -f "$cache/browser.env" ] && [ "$(cat "$cache/browser/stamp" 2>/dev/null)" = "$stamp" ]; then
    exit 0
fi
echo "browser: npm packages into $cache/browser" >&2
mkdir -p "$cache/browser"
rm -f "$cache/browser/stamp"
cp "$here/package.json" "$here/package-lock.json" "$cache/browser/"
(cd "$cache/browser" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
cat >"$cache/browser.env" <<ENV
CHROMIUM=$chromium
NODE=$node
NODE_MODULES=$cache/browser/node_modules
ENV
echo "$stamp" >"$cache/browser/stamp"
