#!/usr/bin/env bash
# Loads one node of this build on this machine, and leaves nothing behind.
#
#   deploy/bench.sh BINARY [arguments of `countersign bench` but --url and --key]
#
# The node's data lies beside the binary, on a real disk, since /tmp may be memory, where an fsync
# costs nothing. BENCH_PORT chooses the port (18091).
set -euo pipefail

binary="${1:?usage: deploy/bench.sh BINARY [arguments]}"
shift
address="127.0.0.1:${BENCH_PORT:-18091}"
key="csk_$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
directory="$(mktemp -d "$(dirname "$binary")/bench.XXXXXX")"
log="$directory/node.log"

node=
cleanup() {
    if [ -n "$node" ]; then
        kill -TERM "$node" 2>/dev/null || true
        wait "$node" 2>/dev/null || true
    fi
    rm -rf "$directory"
}
trap cleanup EXIT

if curl --silent --output /dev/null "http://$address/healthz"; then
    printf 'bench: error: something already answers at %s; choose another port: BENCH_PORT=18092\n' "$address" >&2
    exit 1
fi

COUNTERSIGN_ROOT_KEY="$key" "$binary" dev --data-dir "$directory/data" --listen "$address" \
    >"$log" 2>&1 </dev/null &
node=$!

ready=no
for _ in $(seq 1 300); do
    kill -0 "$node" 2>/dev/null || break
    if curl --silent --fail --output /dev/null "http://$address/readyz"; then
        ready=yes
        break
    fi
    sleep 0.1
done
if [ "$ready" = no ]; then
    printf 'bench: error: the node did not become ready within 30 s; its output:\n' >&2
    tail -n 40 "$log" >&2
    exit 1
fi

# Through the environment, where the key is in nobody's process list.
COUNTERSIGN_URL="http://$address" COUNTERSIGN_KEY="$key" "$binary" bench "$@"
