# shellcheck shell=bash
# What the scripts share. Sourced, never run; the caller has set `-euo pipefail`.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
TEST_DIR="$ROOT/.test"
VENV="$TEST_DIR/venv"
NODE_SUITE="$ROOT/tests/sdks/node"
DASHBOARD="$ROOT/dashboard"
PYTHON_SUITE="$ROOT/tests/sdks/python"
LAUNCHDARKLY="$TEST_DIR/launchdarkly"
LAUNCHDARKLY_SUITE="$ROOT/tests/launchdarkly"
SCHEMATHESIS="$TEST_DIR/schemathesis"
SCHEMATHESIS_SUITE="$ROOT/tests/schemathesis"

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

# The built program. Cargo resolves a relative CARGO_TARGET_DIR against the directory it runs in, which is the root.
binary() {
    local target="${CARGO_TARGET_DIR:-$ROOT/target}"
    case "$target" in /*) ;; *) target="$ROOT/$target" ;; esac
    printf '%s/debug/burgee\n' "$target"
}

# Whether files of tests may lie in memory: there, a test's database costs no disk and no waiting for one.
memory_has_room() {
    [ -d /dev/shm ] && [ -w /dev/shm ] && [ "$(df --output=avail -k /dev/shm | tail -n 1)" -ge $((4 * 1024 * 1024)) ]
}

# Install Debian packages; needs root, or sudo that asks nothing.
apt_install() {
    command -v apt-get >/dev/null || die "needed and not here, and there is no apt-get to install it with: $*"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null && sudo -n true 2>/dev/null || die "needed: $*. Install it, or run this as root."
        as_root=(sudo -n)
    fi
    say "installing $*"
    "${as_root[@]}" apt-get update -qq </dev/null
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null
}

# The directory with the Postgres server programs, newest first; Debian keeps them out of PATH.
postgres_bin() {
    local dir
    for dir in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV) "$(dirname "$(readlink -f "$(command -v initdb || echo /nowhere/initdb)")")"; do
        if [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ] && [ -x "$dir/pg_ctl" ]; then
            printf '%s\n' "$dir"
            return 0
        fi
    done
    return 1
}

# psql is in another package than the server and may be only in PATH.
psql_quiet() {
    local psql
    psql="$(command -v psql || true)"
    [ -n "$psql" ] || psql="$(postgres_bin)/psql"
    PGCONNECT_TIMEOUT=10 "$psql" --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 "$@" </dev/null
}

# A port of 127.0.0.1 nobody listens on, below the range the kernel hands out for outgoing connections.
free_port() {
    local port
    for _ in $(seq 50); do
        port=$((20000 + RANDOM % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            printf '%s\n' "$port"
            return 0
        fi
    done
    die "found no free port"
}

# ---------------------------------------------------------------- the server under test
SERVER_PID=""
SERVER_URL=""

# start_server LOG ARGUMENT...: runs `burgee serve` on a free port and waits until it is alive. Sets SERVER_PID, SERVER_URL.
start_server() {
    local log="$1" program port
    shift
    program="$(binary)"
    [ -x "$program" ] || die "$program is not there; run: cargo build --bin burgee"
    port="$(free_port)"
    # A database of the caller's environment must not stand in for the one the test names.
    env -u DATABASE_URL -u BURGEE_DATABASE_URL "$program" serve --listen "127.0.0.1:$port" "$@" >"$log" 2>&1 </dev/null &
    SERVER_PID=$!
    SERVER_URL="http://127.0.0.1:$port"
    for _ in $(seq 300); do
        if ! kill -0 "$SERVER_PID" 2>/dev/null; then
            tail -n 40 "$log" >&2
            SERVER_PID=""
            say "the server ended while starting; its output is above"
            return 1
        fi
        if alive "$port"; then return 0; fi
        sleep 0.1
    done
    tail -n 40 "$log" >&2
    say "the server did not become alive within 30 s; its output is above"
    stop_server || true
    return 1
}

# One plain request, so that waiting needs no other program.
alive() {
    local line=""
    {
        exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
        printf 'GET /health/liveness/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' >&3
        read -r -t 5 line <&3 || true
        exec 3>&-
    } 2>/dev/null
    case "$line" in *" 200 "*) return 0 ;; *) return 1 ;; esac
}

# stop_server: asks the server to end and says what it did. 0 when it ended by itself with status 0 within 10 s.
stop_server() {
    local pid="$SERVER_PID" status=0 begin=$SECONDS
    [ -n "$pid" ] || return 0
    SERVER_PID=""
    kill -TERM "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do
        if [ $((SECONDS - begin)) -gt 10 ]; then
            kill -KILL "$pid" 2>/dev/null || true
            wait "$pid" 2>/dev/null || true
            say "the server did not end within 10 s of SIGTERM and was killed"
            return 1
        fi
        sleep 0.1
    done
    wait "$pid" || status=$?
    [ "$status" -eq 0 ] || say "the server ended with status $status after SIGTERM"
    return "$status"
}
