#!/usr/bin/env bash
# Checks what lies in this folder with the tools that this machine has, and says what it skipped.
#
#   deploy/check.sh          fails if a check fails; a check whose tool is missing is skipped
#
# Optional tools: shellcheck, systemd-analyze, haproxy, promtool, docker compose or docker-compose,
# kubeconform or kubernetes-validate or kubectl, python3 with PyYAML.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
failed=0
skipped=0

has() { command -v "$1" >/dev/null 2>&1; }
skip() {
    printf 'check: skipped: %s\n' "$*"
    skipped=$((skipped + 1))
}
# check NAME COMMAND...: runs it, shows its output only if it fails.
check() {
    local name="$1"
    shift
    if "$@" >"$scratch/output" 2>&1; then
        printf 'check: ok: %s\n' "$name"
    else
        printf 'check: FAILED: %s\n' "$name"
        sed 's/^/    /' "$scratch/output"
        failed=$((failed + 1))
    fi
}

# ---- scripts -----------------------------------------------------------------------------------

for script in *.sh; do
    check "$script parses" bash -n "$script"
done
if has shellcheck; then
    check "shellcheck" shellcheck ./*.sh
else
    skip "shellcheck is not installed"
fi

# ---- systemd -----------------------------------------------------------------------------------

if has systemd-analyze; then
    # The unit names a binary and a user that only an installation has; stand-ins let the rest be
    # verified.
    mkdir "$scratch/unit"
    sed -e "s|^ExecStart=/usr/local/bin/countersign|ExecStart=/bin/true|" \
        -e 's|^Documentation=.*||' countersign.service >"$scratch/unit/countersign.service"
    verify() {
        local said
        said="$(systemd-analyze verify "$scratch/unit/countersign.service" 2>&1 |
            grep -F 'countersign.service' || true)"
        [ -z "$said" ] || { printf '%s\n' "$said" && return 1; }
    }
    check "countersign.service: systemd-analyze verify" verify
else
    skip "countersign.service: systemd-analyze is not installed"
fi

# Each variable of the example must be a setting; a node refuses to start over an unknown one.
settings="../node/src/config/keys.rs"
if [ -f "$settings" ]; then
    known_settings() {
        local name path unknown=0
        # In comments too: they name what one may write.
        while read -r name; do
            path="$(printf '%s' "${name#COUNTERSIGN_}" | tr '[:upper:]' '[:lower:]')"
            grep -Eq "\"${path}\"|\"${path/_/.}\"" "$settings" ||
                { printf 'no setting: %s\n' "$name" && unknown=1; }
        done < <(grep -ohE 'COUNTERSIGN_[A-Z_]*[A-Z]' countersign.env.example compose.yaml \
            kubernetes.yaml Dockerfile | grep -v '^COUNTERSIGN_PORT$' | sort -u)
        return "$unknown"
    }
    check "every COUNTERSIGN_ variable is a setting" known_settings
else
    skip "variables: the sources are not here"
fi

# ---- HAProxy -----------------------------------------------------------------------------------

if has haproxy; then
    check "haproxy.cfg: haproxy -c" haproxy -c -f haproxy.cfg
else
    skip "haproxy.cfg: haproxy is not installed"
fi

# ---- Prometheus --------------------------------------------------------------------------------

if has promtool; then
    check "alerts.yaml: promtool check rules" promtool check rules alerts.yaml
    check "alerts.yaml: each alert fires (promtool test rules)" promtool test rules alerts_test.yaml
    binary="${COUNTERSIGN_BIN:-../target/release/countersign}"
    if [ -x "$binary" ] && has curl; then
        # What a node that answered something shows; promtool names what lacks a help text or is named
        # against the conventions.
        metrics() {
            local node url result=0
            : >"$scratch/said"
            # A node refuses variables that are no settings.
            env -u COUNTERSIGN_BIN "$binary" dev --ephemeral --listen 127.0.0.1:0 >"$scratch/dev" 2>&1 &
            node=$!
            for _ in $(seq 100); do
                url="$(sed -n 's|^ *API *\(http[^ ]*\)/v1.*|\1|p' "$scratch/dev")"
                [ -z "$url" ] && kill -0 "$node" 2>/dev/null || break
                sleep 0.2
            done
            { curl -sS "$url/healthz" && curl -sS "$url/metrics" >"$scratch/metrics"; } || result=1
            [ -n "$url" ] || cat "$scratch/dev"
            kill "$node" 2>/dev/null || true
            wait "$node" || true
            [ "$result" = 0 ] && promtool check metrics <"$scratch/metrics" >"$scratch/said" 2>&1 || result=1
            cat "$scratch/said"
            # It warns with exit code 3 and is otherwise silent.
            [ "$result" = 0 ] && [ ! -s "$scratch/said" ]
        }
        check "the metrics of a node: promtool check metrics" metrics
    else
        skip "metrics: the binary is not built, or curl is not installed"
    fi
else
    skip "alerts.yaml, metrics: promtool is not installed (Debian: prometheus)"
fi

# ---- Compose -----------------------------------------------------------------------------------

compose=()
if has docker && docker compose version >/dev/null 2>&1; then
    compose=(docker compose)
elif has docker-compose && docker-compose version 2>/dev/null | grep -q 'v2\.'; then
    compose=(docker-compose)
fi
if [ "${#compose[@]}" -gt 0 ]; then
    printf 'COUNTERSIGN_ROOT_KEY=csk_x\n' >"$scratch/secrets.env"
    config() { SECRETS="$scratch/secrets.env" "${compose[@]}" --file compose.yaml config; }
    # Not by the exit code: a wrapper from PyPI loses it.
    renders() {
        config >"$scratch/config" || return 1
        grep -q '^services:' "$scratch/config"
    }
    check "compose.yaml: ${compose[*]} config" renders
    founders() { config | grep -c -e '--bootstrap' || true; }
    begins() { [ "$(founders)" = 0 ] && [ "$(N1_BEGINS=--bootstrap founders)" = 1 ]; }
    check "compose.yaml: n1 founds only if told" begins
else
    skip "compose.yaml: neither docker compose nor docker-compose 2 is installed"
fi

# ---- Kubernetes --------------------------------------------------------------------------------

if has kubeconform; then
    check "kubernetes.yaml: kubeconform" kubeconform -strict -summary kubernetes.yaml
elif has kubernetes-validate; then
    check "kubernetes.yaml: kubernetes-validate" kubernetes-validate --strict kubernetes.yaml
else
    skip "kubernetes.yaml: neither kubeconform nor kubernetes-validate is installed"
fi
if has python3 && python3 -c 'import yaml' 2>/dev/null; then
    check "kubernetes.yaml, compose.yaml, alerts.yaml: what must hold together" python3 check.py
else
    skip "kubernetes.yaml, compose.yaml, alerts.yaml: python3 with PyYAML is not installed"
fi

printf 'check: %d failed, %d skipped\n' "$failed" "$skipped"
[ "$failed" = 0 ]
