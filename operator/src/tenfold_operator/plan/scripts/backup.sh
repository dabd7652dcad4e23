#!/bin/bash
# Streams what connected replicas hold into a restic snapshot, one replica for each shard of a cluster,
# one after the other; forgets what the retention does not keep and checks the repository. TIER,
# SERVICE (where clients find it), NODES (domain of the servers), LABEL and KEEP come from the pod, and
# restic's own variables; where RECORDED names a server, the append-only file on its volume is kept too.
# The result is the container's termination message.
set -Eeuo pipefail
. /scripts/common.sh
. /scripts/slots.sh

replication() { # replication HOST FIELD
    { ask "$1" info replication || true; } | tr -d '\r' | sed -n "s/^$2://p"
}

come_so_far() { # come_so_far REPLICA PRIMARY: waits until the one has what the other has now, or fails
    local offset deadline=$((SECONDS + 10))
    offset=$(replication "$2" master_repl_offset)
    until [ "$(replication "$1" slave_repl_offset)" -ge "$offset" ]; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.1
    done
}

replica() { # replica PRIMARY: the host of a replica that has everything that its primary has
    local host
    for host in $(replication "$1" 'slave[0-9]*' | sed -n 's/^ip=\([^,]*\),.*state=online.*/\1/p'); do
        # Keys of a slot that has just been moved may still be on their way to it, or on it.
        [ "$(replication "$host" master_link_status)" = up ] && come_so_far "$host" "$1" || continue
        echo "$host"
        return
    done
}

replicas() { # sets `sources`: one of each that holds slots
    local primary host deadline
    sources=()
    for primary in $(hosts); do
        deadline=$((SECONDS + 30))
        host=$(replica "$primary")
        until [ -n "$host" ] || [ "$SECONDS" -gt "$deadline" ]; do
            sleep 1
            host=$(replica "$primary")
        done
        [ -n "$host" ] || die "no replica of $TIER is connected to $primary: nothing was backed up"
        sources+=("$host")
    done
}

stream() { # the RDB files of `sources`, one behind the other; their sizes go to $WORK/sizes
    local host
    for host in "${sources[@]}"; do
        { "${cli[@]}" -h "$host" --rdb - | tee /dev/fd/3 | wc -c >>"$WORK/sizes"; } 3>&1 || return 1
    done
}

take() { # makes a snapshot that no restore finds yet; sets `first`, `bytes` and `keys`
    [ -z "$first" ] || restic forget --quiet "$first" >/dev/null
    replicas
    keys=$(for host in "${sources[@]}"; do key_count "${cli[@]}" -h "$host"; done | sum)
    : >"$WORK/sizes"
    sha256sum <"$WORK/copy" >"$WORK/sum" &
    local hashing=$!
    stream | tee "$WORK/copy" |
        restic backup --stdin --stdin-filename dump.rdb --host "$TIER" --tag "unfinished:$LABEL" --json \
            >"$WORK/summary" 2>"$WORK/trouble" ||
        die "the snapshot of ${sources[*]} did not reach the repository: $(tail -n 1 "$WORK/trouble")"
    wait "$hashing"
    first=$(tail -n 1 "$WORK/summary" | field snapshot_id)
    bytes=$(tail -n 1 "$WORK/summary" | number total_bytes_processed)
}

reach "$SERVICE"
find_holders "$SERVICE"
restic cat config >/dev/null 2>&1 || restic init || die "the repository cannot be opened or made"
mkfifo "$WORK/copy"
first=''
at_rest take
# What a restore has to give back. A tag makes a snapshot anew, under another id.
restic tag --quiet --set "$LABEL" --set "sha256=$(cut -c 1-64 "$WORK/sum")" --set "keys=$keys" \
    --set "parts=$(paste -s -d + "$WORK/sizes")" --set "run=$first" "$first"
snapshot=$(restic snapshots --json --tag "run=$first" | field id)
# One may be there of a Job that ended in between; the last could be one that is at work.
restic forget --quiet --host "$TIER" --tag "unfinished:$LABEL" --group-by host --keep-last 1 >/dev/null

window=
[ -z "$RECORDED" ] || . /scripts/append-only.sh

# shellcheck disable=SC2086 # several options
restic forget --quiet --host "$TIER" --tag "$LABEL" --group-by host $KEEP --prune >/dev/null ||
    die "the retention could not be kept"
restic check >/dev/null || die "restic check found the repository damaged"
repository=$(restic stats --mode raw-data --json | number total_size)
kept=$(restic snapshots --json --host "$TIER" --tag "$LABEL" | grep -o '"short_id"' | wc -l)
result "$(printf '"snapshot":"%s","bytes":%s,"keys":%s,"repositoryBytes":%s,"kept":%s%s' \
    "${snapshot:0:8}" "$bytes" "$keys" "$repository" "$kept" "$window")"
