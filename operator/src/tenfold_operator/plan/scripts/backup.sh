#!/bin/bash
# Streams a snapshot of a connected replica into the restic repository, forgets what the retention
# does not keep and checks the repository. TIER, NODES (domain of the servers), LABEL and KEEP come
# from the pod, and restic's own variables. The result is the container's termination message.
set -Eeuo pipefail
. /scripts/common.sh

replica() { # the host of a replica that has everything its primary has
    for n in 0 1 2 3 4 5; do
        local host="$TIER-$n.$NODES" state
        state=$(timeout 2 redis-cli -h "$host" --raw info replication 2>/dev/null) || continue
        grep -q '^role:slave' <<<"$state" && grep -q '^master_link_status:up' <<<"$state" || continue
        echo "$host"
        return
    done
}

host=$(replica)
# A network plugin lets a new pod through some seconds after its start.
until [ -n "$host" ] || [ "$SECONDS" -gt 30 ]; do
    sleep 1
    host=$(replica)
done
[ -n "$host" ] || die "no replica of $TIER is connected: nothing was backed up"
restic cat config >/dev/null 2>&1 || restic init || die "the repository cannot be opened or made"

keys=$(key_count -h "$host")
mkfifo "$WORK/copy"
sha256sum <"$WORK/copy" >"$WORK/sum" &
hashing=$!
redis-cli -h "$host" --rdb - |
    tee "$WORK/copy" |
    restic backup --stdin --stdin-filename dump.rdb --host "$TIER" --tag "$LABEL" --json \
        >"$WORK/summary" || die "the snapshot of $host did not reach the repository"
wait "$hashing"
first=$(tail -n 1 "$WORK/summary" | field snapshot_id)
bytes=$(tail -n 1 "$WORK/summary" | number total_bytes_processed)
# What a restore has to give back. A tag makes a snapshot anew, under another id.
restic tag --quiet --add "sha256=$(cut -c 1-64 "$WORK/sum")" --add "keys=$keys" --add "run=$first" "$first"
snapshot=$(restic snapshots --json --tag "run=$first" | field id)

# shellcheck disable=SC2086 # several options
restic forget --quiet --host "$TIER" --tag "$LABEL" --group-by host $KEEP --prune >/dev/null ||
    die "the retention could not be kept"
restic check >/dev/null || die "restic check found the repository damaged"
repository=$(restic stats --mode raw-data --json | number total_size)
kept=$(restic snapshots --json --host "$TIER" --tag "$LABEL" | grep -o '"short_id"' | wc -l)
result "$(printf '"snapshot":"%s","bytes":%s,"keys":%s,"repositoryBytes":%s,"kept":%s' \
    "${snapshot:0:8}" "$bytes" "$keys" "$repository" "$kept")"
