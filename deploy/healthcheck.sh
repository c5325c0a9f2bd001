#!/usr/bin/env bash
# Exits 0 if the node in this container answers /readyz with 200. Speaks HTTP through bash, so that
# the image needs no HTTP client.
set -euo pipefail

address="${COUNTERSIGN_API_LISTEN:-127.0.0.1:8080}"
port="${address##*:}"
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$port" >&3
read -r -t 2 _ status _ <&3
[ "$status" = 200 ]
