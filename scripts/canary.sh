#!/usr/bin/env bash
# After the whole suite: no API key, no token, code, session or client secret and no upstream secret stands in clear in anything that was written: tables and their write-ahead log,
# NATS stores, data folders, logs of programs.
#
#   scripts/canary.sh RECORD     RECORD names the folders of the test run, one a line
set -euo pipefail

key='sk_(live|test)_[0-9A-Za-z]{22}_[0-9A-Za-z]{49}'
drawn='((rt|cs|rat)_[0-9A-Za-z]{43}|(ac|ss)_[0-9A-Za-z_-]{43})'
jwt='eyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{20,}'
upstream='canary-[0-9a-f]{8}-of-the-upstream'
holding() { grep -rlaE "$key|$drawn|$jwt|$upstream" "$1" 2>/dev/null || true; }

folders=0
while read -r folder; do
    [ -d "$folder/data" ] || continue # a run that needed no store wrote nothing
    folders=$((folders + 1))
    # A search that finds nothing must be one that could have found something.
    control=$folder/canary-control
    echo "x sk_live_0000000000000000000000_0000000000000000000000000000000000000000000000000 x" >"$control"
    found=$(holding "$folder")
    rm -f "$control"
    [[ $found == *"$control"* ]] || { echo "canary: the search does not find what it must: $folder" >&2; exit 1; }
    leaked=$(grep -vxF "$control" <<<"$found" || true)
    if [ -n "$leaked" ]; then
        echo "canary: a key or a secret stands in clear in:" >&2
        echo "$leaked" >&2
        exit 1
    fi
done < <(sort -u "$1")
echo "canary: no key and no secret in what $folders test run(s) wrote"
